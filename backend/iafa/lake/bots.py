"""Which user agents say of themselves that they are bots. A headless browser alone is none."""

import re

# `cubot` is a maker of phones.
_BOT = re.compile(
    r"(?<!cu)bots?\b|crawler|spider\b|slurp\b|facebookexternalhit|bingpreview|mediapartners-google|chrome-lighthouse",
    re.IGNORECASE,
)


def is_bot(user_agent: str | None) -> bool:
    return user_agent is not None and _BOT.search(user_agent) is not None


class BotMarks(dict[str | None, bool]):
    """Few user agents send many events: each is looked at once."""

    def __missing__(self, user_agent: str | None) -> bool:
        self[user_agent] = found = is_bot(user_agent)
        return found
