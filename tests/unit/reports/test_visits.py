"""Sessions found as arrays equal those that the statements count, whatever is asked and whatever there is room for."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iafa.errors import IafaError
from iafa.lake.snapshot import Snapshot
from iafa.query.array_memory import ArrayMemory
from iafa.query.binding import sql_text
from iafa.query.cancellation import Cancellation
from iafa.query.channels import CHANNEL_SQL, channel_address_sql, channel_sql, host_sql, origin_sql
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.pages import address_sql, path_sql
from iafa.query.paths import parted, visiting
from iafa.query.paths.compiled import IS_COMPILED
from iafa.query.paths.warming import WARMING
from iafa.query.reports import visit_counts, visit_reading, visit_words
from iafa.query.reports.frame import Setting
from iafa.query.reports.overview import parse_overview
from iafa.query.reports.report import report_answer
from iafa.query.reports.sessions import parse_sessions
from iafa.query.reports.visits import DIMENSIONS
from tests.support.chance import chance
from tests.support.report_lake import ReportLake, report_lake
from tests.unit.query.rows import an_engine

pytestmark = pytest.mark.skipif(not IS_COMPILED, reason="numba is not installed: nothing calls this")
ARRAY_BYTES = 64 << 20
FILTERS: tuple[list[dict[str, Any]], ...] = (
    [],
    [{"property": "plan", "op": "eq", "value": "pro"}],
    [{"property": "utm_source", "op": "eq", "value": "news"}, {"property": "amount", "op": "gte", "value": 2}],
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> ReportLake:
    """Few people, so that many do several things at one instant."""
    return report_lake(tmp_path_factory.mktemp("shop") / "data", people=8, events=1_200, salt="visits")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    engine = an_engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.close()


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of every question, whether arrays answered it."""
    real, answered = visit_counts.count_visits, list[bool]()

    def counted(*arguments: Any, **named: Any) -> Any:
        tables = real(*arguments, **named)
        answered.append(tables is not None)
        return tables

    monkeypatch.setattr("iafa.query.reports.sessions.count_visits", counted)
    return answered


def ask(engine: DuckEngine, shop: ReportLake, fields: dict[str, Any], gap_s: int = 3_600) -> dict[str, Any]:
    parse = parse_overview if "lists" in fields else parse_sessions
    report = parse(fields, Setting("Europe/Berlin", gap_s, shop.clock.now_us()))
    answer = report_answer(engine, shop.snapshot, report)
    answer.pop("elapsed_ms")
    return answer


def questions() -> Iterator[tuple[dict[str, Any], int]]:
    draw = chance("visits")
    first = date(2026, 3, 27)
    for number in range(16):
        fields: dict[str, Any] = {"limit": draw.choice((1, 3, 100)), "interval": draw.choice(("hour", "day", "week"))}
        if number % 4:
            start = first + timedelta(days=draw.randrange(4))
            fields["start_date"], fields["end_date"] = f"{start}", f"{start + timedelta(days=draw.randrange(3))}"
            fields["include"] = draw.choice(([], ["compare"]))
        fields["exclude_bots"] = draw.random() < 0.4
        fields["filters"] = draw.choice(FILTERS)
        if number % 2:
            fields["lists"] = draw.sample(DIMENSIONS, draw.choice((0, 2, len(DIMENSIONS))))
        else:
            fields["breakdown"] = draw.choice((None, *DIMENSIONS))
        yield fields, draw.choice((900, 3_600, 20 * 3_600))


def test_arrays_and_statements_count_the_same(engine: DuckEngine, shop: ReportLake, found: list[bool]) -> None:
    counted = 0
    for fields, gap_s in questions():
        ours = ask(engine, shop, fields, gap_s)
        assert all(found), fields
        with WARMING.plain():
            theirs = ask(engine, shop, fields, gap_s)
        assert not found[-1]
        found.clear()
        assert ours == theirs, fields
        counted += ours["total"]["sessions"]
    assert counted > 1_000


def test_a_receipt_shows_what_was_run(engine: DuckEngine, shop: ReportLake, found: list[bool]) -> None:
    with_receipt = ask(engine, shop, {"lists": ["channel"], "include": ["receipt"]})
    assert "visit" in with_receipt.pop("receipt")["sql"]
    assert ask(engine, shop, {"lists": ["channel"]}) == with_receipt
    assert found == [False, True]


@pytest.mark.parametrize(
    ("memory", "is_answered"), [(ARRAY_BYTES, True), (130_000, True), (60_000, True), (15_000, False), (0, False)]
)
def test_in_little_memory_rows_are_read_again_or_by_statements(
    engine: DuckEngine,
    shop: ReportLake,
    found: list[bool],
    monkeypatch: pytest.MonkeyPatch,
    memory: int,
    is_answered: bool,
) -> None:
    fields: dict[str, Any] = {"lists": ["entry_page", "exit_page", "utm_source", "browser"], "limit": 3}
    expected = ask(engine, shop, fields)
    monkeypatch.setattr(parted, "PART_ROWS", 50)
    arrays = ArrayMemory(memory)
    monkeypatch.setattr(engine, "_arrays", arrays)
    assert ask(engine, shop, fields) == expected
    assert found == [True, is_answered]
    assert arrays.take(memory)  # everything was given back


def test_when_nobody_waits_the_finding_ends(
    engine: DuckEngine, shop: ReportLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two chunks of people; the memory is given back."""
    left, real, chunks = Cancellation(), visiting.find_visits, []

    def find(*arguments: Any) -> None:
        chunks.append(arguments)
        left.cancel()
        real(*arguments)

    monkeypatch.setattr(parted, "PART_ROWS", 50)
    monkeypatch.setattr(visit_reading, "_CHUNK_ROWS", 1)
    monkeypatch.setattr(visit_reading, "find_visits", find)
    arrays = ArrayMemory(ARRAY_BYTES)
    monkeypatch.setattr(engine, "_arrays", arrays)
    report = parse_sessions({"breakdown": "channel"}, Setting())
    with pytest.raises(IafaError, match="left before the answer"):
        report_answer(engine, shop.snapshot, report, cancellation=left)
    assert len(chunks) == 1
    assert arrays.take(ARRAY_BYTES)


@pytest.mark.parametrize("fields", [{"lists": list(DIMENSIONS)}, {"breakdown": "channel"}, {}])
def test_where_nothing_is_nothing_is_found(
    engine: DuckEngine, shop: ReportLake, found: list[bool], fields: dict[str, Any]
) -> None:
    empty = replace(shop, snapshot=Snapshot.of_table(shop.snapshot.tail.slice(0, 0), shop.snapshot.directory))
    for lake, more in ((empty, {}), (shop, {"start_date": "2020-01-01", "end_date": "2020-01-02"})):
        ours = ask(engine, lake, {**fields, **more})
        with WARMING.plain():
            assert ask(engine, lake, {**fields, **more}) == ours
        assert ours["total"]["sessions"] == 0
    assert found == [True, False, True, False]


def too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visit_words, "WORDS_MAX", 2)


def alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """All hashes are 7."""

    def text(name: str, **parts: str) -> str:
        return sql_text(name, **parts).replace("select hash(", "select 7 + 0 * hash(")

    monkeypatch.setattr(visit_words, "sql_text", text)


@pytest.mark.parametrize("spoil", [too_many, alike])
def test_what_has_no_words_is_counted_by_statements(
    engine: DuckEngine,
    shop: ReportLake,
    found: list[bool],
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[pytest.MonkeyPatch], None],
) -> None:
    fields = {"lists": ["entry_page", "channel"]}
    expected = ask(engine, shop, fields)
    spoil(monkeypatch)
    assert ask(engine, shop, fields) == expected
    assert found == [True, False]


ADDRESSES = st.one_of(
    st.none(),
    st.text("ahtps:/?#@.w=&%2Fid", max_size=24),
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(("https://", "HTTP://", "//", "a/b//", "android-app://", "")),
        st.sampled_from(("www.a.io", "u:p@A.io:8080", "a.io", "@", "google.com", "")),
        st.sampled_from(("", "/", "/b%2Fc/", "/c//d?e=/f", "/#/g")),
        st.sampled_from(("", "?gclid=1", "?a=1&msclkid=", "?gclid", "?xid=1#&fbraid=", "#?li_fat_id=2&@www.b.io/")),
    ),
)


@given(url=ADDRESSES, referrer=ADDRESSES)
def test_what_is_cut_off_an_address_tells_nothing(
    engine: DuckEngine, shop: ReportLake, url: Any, referrer: Any
) -> None:
    cut = f"{channel_address_sql()} as url, {origin_sql('referrer')} as referrer, {address_sql()} as address"
    utm = "null::varchar as utm_source, null::varchar as utm_medium, null::varchar as utm_campaign"
    event = f"(select $url::varchar as url, $referrer::varchar as referrer, {utm})"
    told = f"{CHANNEL_SQL}, {host_sql('referrer')}, {path_sql()}"
    known = f"{channel_sql(host_sql('referrer'), host_sql('url'))}, {host_sql('referrer')}, {path_sql('address')}"
    values = {"url": url, "referrer": referrer}
    with engine.reading(shop.snapshot) as reading:
        whole = reading.rows(f"select {told} from {event}", values)
        utms = "utm_source, utm_medium, utm_campaign"
        assert reading.rows(f"select {known} from (select {cut}, {utms} from {event})", values) == whole
