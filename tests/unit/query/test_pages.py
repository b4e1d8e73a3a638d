"""Page stages over real rows: patterns, decoding, slashes, hosts."""

from pathlib import Path
from typing import Any

import pytest

from iafa.errors import ValidationFailed
from iafa.lake.snapshot import Snapshot
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.funnel import funnel
from iafa.query.stages import are_disjoint
from iafa.query.time_range import resolve_time_range
from tests.unit.query.rows import an_event, table_of

URL = "https://Shop.example:8443"

ROWS: list[tuple[dict[str, Any], str, bool]] = [
    ({"page": "/"}, f"{URL}", True),
    ({"page": "/"}, f"{URL}/", True),
    ({"page": "/"}, f"{URL}/?a=/b#c", True),
    ({"page": "/"}, f"{URL}/a", False),
    ({"page": "/docs"}, f"{URL}/docs/", True),
    ({"page": "/docs/"}, f"{URL}/docs", True),
    ({"page": "/docs"}, "/docs?x=1", True),
    ({"page": "/docs"}, f"{URL}/Docs", False),
    ({"page": "/docs"}, f"{URL}/docs2", False),
    ({"page": "/docs/**"}, f"{URL}/docs", True),
    ({"page": "/docs/**"}, f"{URL}/docs/a/b", True),
    ({"page": "/docs/**"}, f"{URL}/docsx", False),
    ({"page": "/docs/*"}, f"{URL}/docs/a", True),
    ({"page": "/docs/*"}, f"{URL}/docs/a/b", False),
    ({"page": "/docs/*"}, f"{URL}/docs", False),
    ({"page": "/*/edit"}, f"{URL}/7/edit", True),
    ({"page": "/**/edit"}, f"{URL}/7/8/edit", True),
    ({"page": "**"}, f"{URL}/any/where", True),
    ({"page": "/**"}, f"{URL}", True),
    ({"page": "/p-*.html"}, f"{URL}/p-1.html", True),
    ({"page": "/p-*.html"}, f"{URL}/p-1xhtml", False),
    ({"page": "/a+b(c)"}, f"{URL}/a+b(c)", True),
    ({"page": "/caf\u00e9 au lait"}, f"{URL}/caf%C3%A9%20au%20lait", True),
    ({"page": "/100%25"}, f"{URL}/100%2525", True),
    ({"page": "/\ufffd"}, f"{URL}/%C3%28", False),
    ({"page": "/%C3%28"}, f"{URL}/%C3%28", True),
    ({"page": "/a", "host": "shop.example"}, f"{URL}/a", True),
    ({"page": "/a", "host": "SHOP.example:8443"}, f"{URL}/a", True),
    ({"page": "/a", "host": "shop.example:80"}, f"{URL}/a", False),
    ({"page": "/a", "host": "example"}, f"{URL}/a", False),
    ({"page": "/a", "host": "shop.example"}, "https://user:pw@shop.example/a", True),
    ({"page": "/a", "host": "shop.example"}, "https://evil.example/shop.example/a", False),
    ({"page": "/a", "host": "shop.example"}, "/a", False),
    ({"page": "https://*.example:8443/a/**", "match": "url"}, f"{URL}/a/b?q#f", True),
    ({"page": "https://shop.example:8443", "match": "url"}, f"{URL}/", True),
    ({"page": "http://*/a/**", "match": "url"}, f"{URL}/a/b", False),
]


@pytest.mark.parametrize(("stage", "url", "matches"), ROWS, ids=[f"{row[0]['page']} {row[1]}" for row in ROWS])
def test_page(engine: DuckEngine, tmp_path: Path, stage: dict[str, Any], url: str, matches: bool) -> None:
    events = [
        an_event("page_view", user="visitor") | {"url": url},
        an_event("page_view", user="nowhere"),
        an_event("click", user="clicker") | {"url": url},
    ]
    assert users(engine, Snapshot.of_table(table_of(events), tmp_path), [stage]) == [int(matches)]


def test_pages_make_a_funnel(engine: DuckEngine, tmp_path: Path) -> None:
    paths = ("/", "/search", "/pay")
    events = [
        an_event("page_view", place, user=f"u{person}") | {"url": URL + path}
        for person in range(3)
        for place, path in enumerate(paths[: person + 1])
    ]
    snapshot = Snapshot.of_table(table_of(events), tmp_path)
    assert users(engine, snapshot, [{"page": path} for path in paths]) == [3, 2, 1]
    assert users(engine, snapshot, [{"page": "/"}, {"page": "/**"}, {"event": "*"}]) == [3, 2, 1]


def test_literal_paths_are_known_to_be_disjoint() -> None:
    def disjoint(*stages: dict[str, Any]) -> bool:
        named = [{"name": "s"} | stage for stage in stages]
        return are_disjoint(parse_definition({"name": "f", "stages": named}).stages)

    assert disjoint({"page": "/a"}, {"page": "/b"}, {"event": "click"})
    assert not disjoint({"page": "/a"}, {"page": "/a/"})
    assert not disjoint({"page": "/a"}, {"page": "/*"})
    assert not disjoint({"page": "/a"}, {"event": "page_view"})
    assert not disjoint({"event": "click"}, {"event": "*"})
    assert not disjoint({"event": "click"}, {"events": ["view", "click"]})


@pytest.mark.parametrize(
    "stage",
    [{"page": "docs"}, {"page": "/a?b"}, {"page": "/a#b"}, {"page": "/a", "match": "url"}, {"page": "/", "match": "x"}],
)
def test_pattern_that_can_never_match_is_refused(stage: dict[str, Any]) -> None:
    with pytest.raises(ValidationFailed):
        parse_definition({"name": "f", "stages": [{"name": "s"} | stage]})


def users(engine: DuckEngine, snapshot: Snapshot, stages: list[dict[str, Any]]) -> list[int]:
    definition = parse_definition({"name": "f", "stages": [{"name": "s"} | stage for stage in stages]})
    answer = funnel(engine, snapshot, definition, resolve_time_range())
    found = answer["stages"]
    assert isinstance(found, list)
    return [stage["users"] for stage in found]
