"""User agents to browser, operating system and kind of device: the only place that knows `ua_parser`."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from iafa.lake.bots import is_bot

READ_CHARS_MAX = 1_024  # what names the browser stands long before


class Agent(NamedTuple):
    """Families without versions, by the names of uap-core; `device` is one of `DEVICES`."""

    browser: str | None = None
    os: str | None = None
    device: str | None = None


UNKNOWN = Agent()
DEVICES = ("bot", "tv", "console", "tablet", "mobile", "desktop")
Read = Callable[[str], Agent]

_TV = re.compile(
    r"smart-?tv|smarttv|googletv|android tv|apple ?tv|hbbtv|netcast|web0s|bravia|crkey|roku|\btv safari|; aft[a-z]",
    re.I,
)
_CONSOLE = re.compile(r"playstation|xbox|nintendo", re.I)
_TABLET = re.compile(r"ipad|tablet(?! pc)|kindle|silk/|playbook", re.I)
_MOBILE = re.compile(r"iphone|ipod|mobile|windows phone|iemobile|opera mini|blackberry", re.I)
_ANDROID = re.compile(r"android", re.I)
_DESKTOP = re.compile(r"windows nt|macintosh|x11|cros |win64", re.I)


def agent_reader() -> Read:
    """Compiles some thousand expressions, once a process. They run in linear time: no text can make one slow.

    Raises ImportError where the package is not installed.
    """
    from ua_parser import Domain
    from ua_parser.loaders import load_lazy_builtins
    from ua_parser.regex import Resolver

    resolve: Any = Resolver(load_lazy_builtins())

    def read(text: str) -> Agent:
        found = resolve(text[:READ_CHARS_MAX], Domain.USER_AGENT | Domain.OS)
        browser = found.user_agent.family if found.user_agent is not None else None
        return Agent(browser, found.os.family if found.os is not None else None, device_of(text[:READ_CHARS_MAX]))

    return read


def device_of(text: str) -> str | None:
    """The kind of device, by what the user agent says of it; None for programs that name none."""
    if is_bot(text):
        return "bot"
    kinds = (("tv", _TV), ("console", _CONSOLE), ("tablet", _TABLET), ("mobile", _MOBILE))
    for device, pattern in kinds:
        if pattern.search(text):
            return device
    if _ANDROID.search(text):
        return "tablet"  # on telephones browsers add the word Mobile
    return "desktop" if _DESKTOP.search(text) else None
