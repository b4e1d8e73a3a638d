"""Which user agents say of themselves that they are bots. A headless browser alone is none."""

import re

import pyarrow as pa
import pyarrow.compute as pc

# `cubot` is a maker of phones.
_BOT = re.compile(
    r"(?<!cu)bots?\b|crawler|spider\b|slurp\b|facebookexternalhit|bingpreview|mediapartners-google|chrome-lighthouse",
    re.IGNORECASE,
)


def is_bot(user_agent: str | None) -> bool:
    return user_agent is not None and _BOT.search(user_agent) is not None


def bot_marks(user_agents: pa.Array) -> pa.Array:
    """Few user agents send many events: each is looked at once."""
    encoded = user_agents.dictionary_encode()
    marks = pa.array([is_bot(text) for text in encoded.dictionary.to_pylist()], pa.bool_())
    return pc.fill_null(marks.take(encoded.indices), False)
