"""The upload job: what becomes of rows, and the promises of a receipt."""

import hashlib
import random
import tracemalloc
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial, partialmethod
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from iafa.clock import US_PER_DAY, to_datetime
from iafa.errors import IafaError, NotFound, PayloadTooLarge, StorageUnavailable, ValidationFailed
from iafa.failpoints import Failpoints
from iafa.jobs import upload as upload_job
from iafa.jobs import upload_runs
from iafa.jobs.upload import UploadRequest
from iafa.jobs.upload_columns import check_columns, parse_columns
from iafa.jobs.upload_runs import DayRuns
from iafa.lake.dropped import drop
from iafa.locks import held
from tests.support.events import NOON_US, PROJECT, make_events
from tests.unit.upload.files import Upload, ndjson, numbered, zipped

CSV = b"customer,action,at,plan\nu1,signup,2025-11-20 09:15:02,pro\nu2,login,2025-11-20T09:15:03.5+01:00,\n"
BYTES_A_ROW_MAX = 32
CSV_COLUMNS = {"user_id": "customer", "event_type": "action", "created_at": "at"}


def test_a_csv_with_a_column_map_becomes_events(upload: Upload) -> None:
    receipt = upload.load(CSV, "csv", columns=CSV_COLUMNS)

    assert msgspec.to_builtins(receipt) == {
        "accepted": 2,
        "duplicates": 0,
        "rejected": 0,
        "first_event": "2025-11-20T08:15:03.500000Z",
        "last_event": "2025-11-20T09:15:02.000000Z",
        "warnings": [],
        "errors": [],
        "rejected_by_code": {},
    }
    assert upload.events("event_type, user_id, created_at::text, properties, source") == [
        ("login", "u2", "2025-11-20 08:15:03.5+00", "{}", None),
        ("signup", "u1", "2025-11-20 09:15:02+00", '{"plan":"pro"}', None),
    ]


def test_an_upload_is_one_generation_and_leaves_no_temporary_file(upload: Upload) -> None:
    days = [{"id": f"e{day}", "timestamp": f"2025-{month:02d}-{day:02d}"} for month in (1, 2) for day in range(1, 29)]

    upload.load(ndjson(*days))

    assert upload.generations() == 1
    assert upload.left_over() == []


def test_rows_over_many_days_make_one_part_a_day(upload: Upload) -> None:
    upload.use(run_bytes_max=20_000)
    lines = [
        {"id": f"e{number}", "timestamp": to_datetime(NOON_US - number * 7 % 90 * US_PER_DAY).isoformat()}
        for number in range(12_000)
    ]

    receipt = upload.load(ndjson(*lines))

    files = upload.lake.manifests.latest(PROJECT).files
    assert receipt.accepted == 12_000
    assert len(upload.events()) == 12_000
    assert len(files) == len({file.date for file in files}) == 90


def test_a_large_day_is_cut_into_pieces(upload: Upload) -> None:
    runs = upload_runs.DayRuns(upload.root / "runs", run_bytes_max=10_000)
    times = pa.array([NOON_US + number for number in range(1000)], pa.timestamp("us", tz="UTC"))
    for start in range(0, 1000, 100):
        runs.add(pa.table({"id": [str(start + n) for n in range(100)], "created_at": times.slice(start, 100)}))

    pieces = list(runs.pieces(rows_max=300, bytes_max=10**9))

    assert max(piece.num_rows for piece in pieces) <= 300
    assert [one for piece in pieces for one in piece.column("id").to_pylist()] == [str(n) for n in range(1000)]


@pytest.mark.parametrize(
    ("content", "format"),
    [
        pytest.param(ndjson({}, {"event_type": "buy"}), "ndjson", id="ndjson"),
        pytest.param(CSV.replace(b"customer", b"user_id").replace(b"action", b"event").replace(b"at,", b"timestamp,"),
                     "csv", id="csv"),
    ],
)  # fmt: skip
def test_sending_a_file_again_changes_nothing(upload: Upload, content: bytes, format: Any) -> None:
    first = upload.load(content, format)
    before = upload.events("*")
    upload.lake.clock.advance(400 * 86_400)  # long after the window in which collected events are made distinct

    again = upload.load(content, format)
    compressed = upload.load(zipped(content), format)

    assert first.accepted == 2
    for receipt in (again, compressed):
        assert (receipt.accepted, receipt.duplicates, receipt.first_event) == (0, 2, None)
    assert upload.events("*") == before
    assert upload.generations() == 1


def test_a_parquet_file_without_ids_is_recognised_too(upload: Upload) -> None:
    table = pa.table({"user_id": ["a", "b"], "event": ["x", "y"], "timestamp": [datetime(2020, 1, 1)] * 2})

    assert upload.load_table(table).accepted == 2
    assert upload.load_table(table).duplicates == 2
    path = upload.root / "file.parquet"
    expected = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    assert upload.events() == [(f"{expected}-1",), (f"{expected}-2",)]


def test_an_id_counts_once_also_on_another_day_and_in_another_block(upload: Upload) -> None:
    lines = numbered(6_000) + ndjson({"id": "e-0", "timestamp": "2024-01-01", "n": "late"}, {"id": "e-5999"})

    receipt = upload.load(lines)

    assert (receipt.accepted, receipt.duplicates) == (6_000, 2)
    assert len(set(upload.events())) == len(upload.events()) == 6_000
    assert upload.lake.manifests.latest(PROJECT).files[0].date == "2025-11-20"


def test_events_that_were_collected_are_not_loaded_again(upload: Upload) -> None:
    upload.lake.write(make_events(3, prefix="e"))
    upload.lake.flusher.run()

    receipt = upload.load(numbered(5))

    assert (receipt.accepted, receipt.duplicates) == (2, 3)
    assert len(upload.events()) == 5


def test_an_upload_is_seen_beside_the_tail_and_both_count_once(upload: Upload) -> None:
    upload.lake.write(make_events(3, prefix="e"))

    upload.load(numbered(5))

    assert len(upload.events()) == 5
    upload.lake.flusher.run()
    assert len(upload.events()) == 5


BAD_ROWS: list[tuple[bytes, str, str]] = [
    (ndjson({"event_type": None}), "validation_error", "/event_type"),
    (ndjson({"event_type": 5}), "validation_error", "/event_type"),
    (ndjson({"user_id": "undefined"}), "missing_identity", "/user_id"),
    (ndjson({"timestamp": "yesterday"}), "invalid_timestamp", "/created_at"),
    (ndjson({"timestamp": "1950-01-01"}), "timestamp_out_of_window", "/created_at"),
    (ndjson({"properties": "no object"}), "validation_error", "/properties"),
    (ndjson({"id": "a\x00"}), "invalid_character", "/id"),
    (ndjson({"n": 2**60}), "number_out_of_range", "/properties/n"),
    (ndjson({"a": "x" * 9000}), "too_long", "/properties/a"),
    (ndjson({f"p{n}": "x" * 4000 for n in range(12)}), "event_too_large", ""),
    (b'{"user_id": "u1", "event_type": "view"\n', "invalid_json", ""),
    (b'{"user_id": NaN}\n', "invalid_json", ""),
    (b'"text"\n', "validation_error", ""),
    (b'{"user_id": "\xff"}\n', "invalid_json", ""),
    (b'{"a": "' + b"x" * 600_000 + b'"}\n', "event_too_large", ""),
]


@pytest.mark.parametrize(("line", "code", "pointer"), BAD_ROWS, ids=[f"{row[1]}{row[2]}" for row in BAD_ROWS])
def test_a_bad_row_costs_only_itself_and_is_explained(upload: Upload, line: bytes, code: str, pointer: str) -> None:
    receipt = upload.load(ndjson({"id": "good 1"}) + b"\n" + line + ndjson({"id": "good 2"}))

    assert (receipt.accepted, receipt.rejected) == (2, 1)
    (error,) = receipt.errors
    assert (error.row, error.code, error.pointer) == (3, code, pointer)
    assert error.message
    assert receipt.rejected_by_code == {code: 1}
    assert upload.events() == [("good 1",), ("good 2",)]


def test_a_receipt_lists_twenty_errors_and_counts_all(upload: Upload) -> None:
    receipt = upload.load(ndjson(*({"timestamp": "x"} for _ in range(30)), {"user_id": None}, {}))

    assert (receipt.accepted, receipt.rejected) == (1, 31)
    assert [error.row for error in receipt.errors] == list(range(1, 21))
    assert receipt.rejected_by_code == {"invalid_timestamp": 30, "missing_identity": 1}


def test_rows_older_than_the_retention_are_refused_with_the_remedy(upload: Upload) -> None:
    edge_us = (upload.lake.clock.now_us() // US_PER_DAY - 90) * US_PER_DAY  # retention goes by whole UTC days
    lines = ndjson(*({"timestamp": to_datetime(time_us).isoformat()} for time_us in (edge_us, edge_us - 1)))

    receipt = upload.load(lines, retention_days=90)

    assert (receipt.accepted, receipt.rejected_by_code) == (1, {"older_than_retention": 1})
    (warning,) = receipt.warnings
    assert "set retention_days first" in warning
    assert upload.load(lines, retention_days=None).accepted == 1


def test_dates_ages_and_futures_of_history_are_free(upload: Upload) -> None:
    times = ["1970-01-01", "9999-12-31T23:59:59.999999Z", *(f"{year}-06-01" for year in range(1971, 2020))]

    assert upload.load(ndjson(*({"timestamp": time} for time in times))).accepted == 51


def test_ndjson_without_a_time_happened_now_and_says_so(upload: Upload) -> None:
    receipt = upload.load(b'{"user_id":"u","event":"x"}\n')

    assert receipt.first_event == "2025-11-21T12:00:00.000000Z"
    assert receipt.warnings == ["1 rows have no time; the time of the upload was taken"]


COLUMN_RULES: list[tuple[dict[str, Any], dict[str, str], dict[str, Any]]] = [
    ({"event": "x", "event_type": None}, {}, {"event_type": "x"}),
    ({"event_name": "x", "event": "y"}, {}, {"event_type": "view", "properties": {"event_name": "x", "event": "y"}}),
    ({"name": "Ann"}, {}, {"event_type": "view", "properties": {"name": "Ann"}}),
    ({"userId": "u9", "user_id": None}, {}, {"user_id": "u9"}),
    ({"platform": "ios"}, {}, {"source": "ios", "properties": {}}),
    ({"who": "u7"}, {"user_id": "who"}, {"user_id": "u7", "properties": {"user_id": "u1"}}),
    ({"id": "abc"}, {"user_id": "id"}, {"user_id": "abc", "id_is_made": True}),
    ({"at": "2020-01-01"}, {"created_at": "at"}, {"day": "2020-01-01"}),
    ({"at": "2020-01-01"}, {"timestamp": "at"}, {"day": "2020-01-01"}),
    ({"a": 1, "properties": {"b": 2}}, {}, {"properties": {"a": 1, "b": 2}}),
    ({"a": 1, "properties": {"a": 2}}, {}, {"properties": {"a": 2}}),
    ({"a": {"b": [1, None]}, "event_properties": {"c": True}}, {}, {"properties": {"a": {"b": [1, None]}, "c": True}}),
    ({"who": "u7"}, {"user_id": "who", "anonymous_id": "who"}, {"user_id": "u7", "anonymous_id": "u7"}),
]


@pytest.mark.parametrize(("over", "columns", "expected"), COLUMN_RULES)
def test_columns_become_fields_or_properties(
    upload: Upload, over: dict[str, Any], columns: dict[str, str], expected: dict[str, Any]
) -> None:
    assert upload.load(ndjson(over), columns=check_columns(columns.items())).accepted == 1

    names = ("id", "event_type", "user_id", "anonymous_id", "source", "created_at::date::text as day", "properties")
    (values,) = upload.events(", ".join(names))
    found = dict(
        zip(("id", "event_type", "user_id", "anonymous_id", "source", "day", "properties"), values, strict=True)
    )
    found["properties"] = msgspec.json.decode(str(found["properties"]))
    found["id_is_made"] = len(str(found["id"])) == 34
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("content", "format", "columns", "pointer", "code"),
    [
        (CSV, "csv", {**CSV_COLUMNS, "user_id": "nobody"}, "/columns/user_id", "unknown_column"),
        (CSV, "csv", {"user_id": "customer", "event_type": "action"}, "/columns/created_at", "missing"),
        (CSV, "csv", {"created_at": "at", "event_type": "action"}, "/columns/user_id", "missing"),
        (CSV, "csv", {"created_at": "at", "user_id": "customer"}, "/columns/event_type", "missing"),
        (ndjson({}), "ndjson", {"user_id": "nobody"}, "/columns/user_id", "unknown_column"),
    ],
)
def test_a_column_that_is_not_there_refuses_the_file(
    upload: Upload, content: bytes, format: Any, columns: dict[str, str], pointer: str, code: str
) -> None:
    with pytest.raises(ValidationFailed) as failure:
        upload.load(content, format, columns=columns)

    assert [(error.pointer, error.code) for error in failure.value.errors] == [(pointer, code)]
    assert upload.generations() == 0
    assert upload.left_over() == []


CSV_CELLS: list[tuple[str, dict[str, Any]]] = [
    ("plain", {"p": "plain"}),
    ('"with, comma"', {"p": "with, comma"}),
    ('"two ""quotes"""', {"p": 'two "quotes"'}),
    ('"two\nlines"', {"p": "two\nlines"}),
    ("007", {"p": "007"}),
    ("", {}),
    ("ünïcödé", {"p": "ünïcödé"}),
]


@pytest.mark.parametrize(("cell", "properties"), CSV_CELLS)
def test_csv_cells_stay_text_and_empty_ones_are_missing(upload: Upload, cell: str, properties: dict[str, Any]) -> None:
    text = f"\ufeffuser_id,event,timestamp,p\r\nu1,x,2020-01-01,{cell}\r\n"

    assert upload.load(text.encode(), "csv").accepted == 1
    assert upload.properties() == properties


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header(upload: Upload, delimiter: str) -> None:
    lines = [["user_id", "event", "timestamp", "p"], ["u1", "x", "2020-01-01", "v"]]

    upload.load("\n".join(delimiter.join(cells) for cells in lines).encode(), "csv")

    assert upload.properties() == {"p": "v"}


BAD_CSV_ROWS = [
    pytest.param(b"u1,x", "validation_error", id="too few cells"),
    pytest.param(b"u1,x,2020-01-01,v,w", "validation_error", id="too many cells"),
    pytest.param(b'u1,x,2020-01-01,"a"b', "validation_error", id="text after a quote"),
    pytest.param(b"u1,x,2020-01-01,\xff", "invalid_character", id="not UTF-8"),
    pytest.param(b"u1,x,,v", "invalid_timestamp", id="no time"),
    pytest.param(b"u1,x,2020-01-01," + b"v" * 300_000, "event_too_large", id="endless line"),
]


@pytest.mark.parametrize(("line", "code"), BAD_CSV_ROWS)
def test_a_bad_csv_row_costs_only_itself(upload: Upload, line: bytes, code: str) -> None:
    good = b"u1,x,2020-01-01,v\n"

    receipt = upload.load(b"user_id,event,timestamp,p\n" + good + line + b"\n" + good, "csv")

    assert (receipt.accepted, receipt.rejected) == (2, 1)
    assert (receipt.errors[0].row, receipt.errors[0].code) == (3, code)


def test_a_csv_column_without_a_name_is_left_out_and_named(upload: Upload) -> None:
    receipt = upload.load(b",user_id,event,timestamp\n0,u1,x,2020-01-01\n", "csv")

    assert receipt.warnings == ["column 1 has no name and is left out"]
    assert upload.properties() == {}


TIMES = [
    ("2020-01-02", "2020-01-02 00:00:00+00"),
    ("2020-01-02 03:04:05.000006", "2020-01-02 03:04:05.000006+00"),
    ("2020-01-02 03:04:05 UTC", "2020-01-02 03:04:05+00"),
    ("2020-01-02T03:04:05+02:00", "2020-01-02 01:04:05+00"),
    ("1577934245", "2020-01-02 03:04:05+00"),
    ("1577934245000", "2020-01-02 03:04:05+00"),
    ("1577934245.123457", "2020-01-02 03:04:05.123457+00"),
]


@pytest.mark.parametrize(("text", "expected"), TIMES)
def test_times_of_a_csv(upload: Upload, text: str, expected: str) -> None:
    receipt = upload.load(f"user_id,event,timestamp\nu1,x,{text}\n".encode(), "csv")

    assert receipt.errors == []
    assert upload.events("created_at::text") == [(expected,)]


MOMENT = datetime(2020, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
PARQUET_VALUES: list[tuple[Any, Any]] = [
    (pa.array([True]), True),
    (pa.array([2**53]), 2**53),
    (pa.array([2**53 + 1]), "9007199254740993"),
    (pa.array([1.5]), 1.5),
    (pa.array([Decimal("12.50")]), 12.5),
    (pa.array([Decimal("3.00")]), 3),
    (pa.array([Decimal("12345678901234567890.12")]), "12345678901234567890.12"),
    (pa.array([date(2020, 1, 2)]), "2020-01-02"),
    (pa.array([MOMENT]), "2020-01-02T03:04:05.678901Z"),
    (pa.array([MOMENT.replace(tzinfo=None)]), "2020-01-02T03:04:05.678901Z"),
    (pa.array([MOMENT], pa.timestamp("ns", tz="Europe/Berlin")), "2020-01-02T03:04:05.678901Z"),
    (pa.array(["a"]).dictionary_encode(), "a"),
    (pa.array([[1.0, float("nan"), None]]), [1.0, None, None]),
    (pa.array([{"a": MOMENT, "b": [{"c": 1}]}]), {"a": "2020-01-02T03:04:05.678901Z", "b": [{"c": 1}]}),
    (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())), {"k": 1}),
    (pa.array([b"text"]), "text"),
    (pa.array([b"\xff\xfe"]), "//4="),
]


@pytest.mark.parametrize(("column", "expected"), PARQUET_VALUES, ids=[str(column.type) for column, _ in PARQUET_VALUES])
def test_parquet_types_become_json(upload: Upload, column: pa.Array, expected: Any) -> None:
    table = pa.table({"user_id": ["u"], "event": ["x"], "timestamp": [MOMENT], "p": column})

    assert upload.load_table(table).accepted == 1
    assert upload.properties() == {"p": expected}


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_nulls_of_a_table_are_missing(upload: Upload, value: float | None) -> None:
    column = pa.array([value], pa.float64(), from_pandas=False)

    upload.load_table(pa.table({"user_id": ["u"], "event": ["x"], "timestamp": [MOMENT], "p": column}))

    assert upload.properties() == {}


@pytest.mark.parametrize(
    ("kind", "value"),
    [("s", 1577934245), ("ms", 1577934245678), ("us", 1577934245678901), ("ns", 1577934245678901234)],
)
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_parquet_times_are_exact(upload: Upload, kind: str, value: int, zone: str | None) -> None:
    times = pa.array([value]).cast(pa.timestamp(kind, tz=zone))
    exact_us = value * 10**6 // {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind]

    upload.load_table(pa.table({"user_id": ["u"], "event": ["x"], "timestamp": times}))

    assert upload.events("epoch_us(created_at)") == [(exact_us,)]


def test_a_parquet_time_that_no_file_can_hold_costs_its_row(upload: Upload) -> None:
    times = pa.array([2**50, 1577934245]).cast(pa.timestamp("s"))

    receipt = upload.load_table(pa.table({"user_id": ["u", "v"], "event": ["x", "x"], "timestamp": times}))

    assert (receipt.accepted, receipt.rejected_by_code) == (1, {"invalid_timestamp": 1})


def test_numbers_of_a_table_may_be_ids_and_names(upload: Upload) -> None:
    table = pa.table({"user_id": [12.0, None], "anonymous_id": [None, 7], "event": [1, 2], "timestamp": [MOMENT] * 2})

    assert upload.load_table(table).accepted == 2
    assert upload.events("event_type, user_id, anonymous_id") == [("1", "12", None), ("2", None, "7")]


def test_our_own_files_can_be_loaded_into_another_project(upload: Upload) -> None:
    upload.load(ndjson({"id": "e1", "a": {"b": 1}}))
    file = upload.lake.take().files[0]
    (upload.root / "other").mkdir()
    other = Upload(upload.root / "other")

    assert other.load_file(file, "parquet").accepted == 1
    assert other.properties()["a"] == {"b": 1}
    assert other.events("id, created_at") == upload.events("id, created_at")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("user_id:a,event_type:b c, created_at : d:e", []),
        ("", []),
        ("who:a", [("/columns/0", "unknown_field")]),
        ("user_id:a,userId:b", [("/columns/user_id", "conflicting_fields")]),
        ("user_id", [("/columns/user_id", "missing")]),
        ("x:1,user_id:", [("/columns/0", "unknown_field"), ("/columns/user_id", "missing")]),
    ],
)
def test_a_column_map_is_checked_whole(text: str, codes: list[tuple[str, str]]) -> None:
    if not codes:
        names = {"user_id": "a", "event_type": "b c", "created_at": "d:e"} if text else {}
        assert parse_columns(text) == names
        return
    with pytest.raises(ValidationFailed) as failure:
        parse_columns(text)
    assert [(error.pointer, error.code) for error in failure.value.errors] == codes


UNREADABLE: list[Any] = [
    pytest.param(b"", "csv", {}, ValidationFailed, id="empty csv"),
    pytest.param(b"a,a\n1,2\n", "csv", {}, ValidationFailed, id="column twice"),
    pytest.param(b"[{}]", "ndjson", {}, ValidationFailed, id="json list"),
    pytest.param("user_id".encode("utf-16"), "csv", {}, ValidationFailed, id="utf-16"),
    pytest.param(b"not parquet", "parquet", {}, ValidationFailed, id="not parquet"),
    pytest.param(zipped(numbered(500))[:-20], "ndjson", {}, IafaError, id="cut gzip"),
    pytest.param(zipped(numbered(5)) + b"tail", "ndjson", {}, IafaError, id="gzip with a tail"),
    pytest.param(numbered(5), "ndjson", {"is_gzip": True}, IafaError, id="not gzip"),
    pytest.param(zipped(numbered(500)), "ndjson", {"inflated_bytes_max": 9_000}, PayloadTooLarge, id="bomb"),
]


@pytest.mark.parametrize(("content", "format", "request_", "error"), UNREADABLE)
def test_a_file_that_cannot_be_read_stores_nothing(
    upload: Upload, content: bytes, format: Any, request_: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        upload.load(content, format, **request_)

    assert upload.generations() == 0
    assert upload.left_over() == []


def test_a_damaged_page_of_parquet_stores_nothing(upload: Upload) -> None:
    path = upload.root / "file.parquet"
    count = 20_000
    upload_table = pa.table({"user_id": [str(n) for n in range(count)], "event": ["x"] * count,
                             "timestamp": [MOMENT] * count})  # fmt: skip
    pq.write_table(upload_table, path, row_group_size=5_000, compression="none", use_dictionary=False,
                   write_page_checksum=True)  # fmt: skip
    content = bytearray(path.read_bytes())
    place = content.rindex(b"19990")
    content[place] ^= 0xFF
    path.write_bytes(content)

    with pytest.raises(ValidationFailed, match="damaged"):
        upload.load_file(path, "parquet")
    assert upload.generations() == 0


def test_an_empty_file_says_so(upload: Upload) -> None:
    assert upload.load(b"\n\n").warnings == ["the file holds no rows"]
    assert upload.generations() == 0


def test_a_deleted_project_takes_nothing(upload: Upload) -> None:
    drop(upload.lake.layout, PROJECT)

    with pytest.raises(NotFound):
        upload.load(ndjson({}))


@pytest.mark.parametrize("point", ["flush.tmp_written:2:enospc", "flush.before_manifest:1:eio"])
def test_a_failing_disk_stores_nothing_and_the_next_try_works(upload: Upload, point: str) -> None:
    lines = ndjson({"id": "a"}, {"id": "b", "timestamp": "2025-11-19"})
    upload.lake.appender.hit = Failpoints(point).hit

    with pytest.raises(StorageUnavailable):
        upload.load(lines)
    assert upload.events() == []

    upload.lake.appender.hit = Failpoints().hit
    assert upload.load(lines).accepted == 2
    assert upload.events() == [("a",), ("b",)]


def test_progress_ends_with_the_whole_file(upload: Upload) -> None:
    path = upload.root / "file"
    path.write_bytes(numbered(12_000))
    seen: list[tuple[int, int, int]] = []

    upload.uploader.run(UploadRequest(PROJECT, path, "ndjson"), lambda *step: seen.append(step))

    size = path.stat().st_size
    assert [rows for rows, _done, _total in seen] == [5_000, 10_000, 12_000, 12_000]
    assert seen[-1] == (12_000, size, size)
    assert 0 < seen[0][1] < seen[1][1] < size


def test_memory_does_not_grow_with_the_file(upload: Upload) -> None:
    """Arrow's own memory, which is where the rows are: a file three times as long needs no more."""
    upload.use(run_bytes_max=1_000_000)
    peaks = []
    for count in (8_000, 24_000):
        path = upload.root / "file"
        path.write_bytes(numbered(count, text="x" * 200, run=count))
        peak = 0

        def watch(_rows: int, _done: int, _total: int) -> None:
            nonlocal peak
            peak = max(peak, pa.total_allocated_bytes())

        upload.uploader.run(UploadRequest(PROJECT, path, "ndjson"), watch)
        peaks.append(peak)
    assert peaks[1] < peaks[0] * 1.5


def test_memory_beside_arrows_does_not_grow_with_the_rows(upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Python and numpy hold: with every bound made small, a set of the ids of all rows would be seen."""
    upload.use(run_bytes_max=100_000)
    monkeypatch.setattr(upload_job, "BLOCK_ROWS", 500)
    monkeypatch.setattr(upload_job, "Digests", partial(upload_runs.Digests, at_once=500))
    monkeypatch.setattr(DayRuns, "pieces", partialmethod(DayRuns.pieces, rows_max=500))
    upload.load(numbered(1_000))  # what is made once
    peaks = {}
    for count in (2_000, 8_000):
        content = b"".join(
            ndjson({"id": f"{count}-{number}", "user_id": f"u{number}", "timestamp": f"2025-11-{1 + number % 3:02d}"})
            for number in range(count)
        )
        tracemalloc.start()
        try:
            (upload.root / "file").write_bytes(content)
            del content
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            assert upload.load_file(upload.root / "file", "ndjson").accepted == count
            peaks[count] = tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()
    assert peaks[8_000] - peaks[2_000] < 6_000 * BYTES_A_ROW_MAX, peaks


@pytest.mark.parametrize("at_once", [1, 7, 100, 10_000])
def test_repeats_in_a_file_are_found_whatever_is_held_in_memory(tmp_path: Path, at_once: int) -> None:
    chance = random.Random(at_once)
    ids = [f"e-{chance.randrange(600)}" for _ in range(1_000)]
    digests = upload_runs.Digests(tmp_path / "digests", at_once)
    for start in range(0, 1_000, 90):
        digests.add(ids[start : start + 90])
    expected = [one in ids[:place] for place, one in enumerate(ids)]
    assert digests.repeats().tolist() == expected
    assert (tmp_path / "digests").exists() == (at_once < 1_000)
    assert upload_runs.Digests(tmp_path / "none", at_once).repeats().tolist() == []


def test_the_lock_is_waited_for_and_then_the_upload_may_be_sent_again(upload: Upload) -> None:
    assert upload.uploader.lock_wait_s > 60
    upload.use(lock_wait_s=0.05)
    with held(upload.lake.layout.writer_lock), pytest.raises(StorageUnavailable):
        upload.load(ndjson({}))
    assert upload.generations() == 0
