"""The mark of bots: which user agents get it, and that it reaches the rows of the lake."""

import pytest

from iafa.lake.bots import is_bot
from iafa.lake.parts import Arrival, to_table
from tests.support.events import PROJECT, make_event

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        (GOOGLE, True),
        ("Mozilla/5.0 (compatible; YandexBot/3.0)", True),
        ("Baiduspider+(+http://www.baidu.com/search/spider.htm)", True),
        ("facebookexternalhit/1.1", True),
        ("my-crawler 1.0", True),
        (CHROME, False),
        (CHROME.replace("Chrome", "HeadlessChrome"), False),
        (CHROME.replace("X11", "Android 13; CUBOT X70"), False),
        ("Robotics browser", False),
        ("", False),
        (None, False),
    ],
)
def test_a_bot_names_itself(user_agent: str | None, expected: bool) -> None:
    assert is_bot(user_agent) is expected


def test_rows_carry_the_mark() -> None:
    agents = [CHROME, GOOGLE, None, GOOGLE]
    events = [make_event(id=f"e{number}", user_agent=agent) for number, agent in enumerate(agents)]
    table = to_table(Arrival(PROJECT, 0, event) for event in events)
    assert table.column("is_bot").to_pylist() == [False, True, False, True]
