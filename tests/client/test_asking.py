"""Files to receipts and questions to DataFrames, through the real client and a real server."""

import gzip
import json
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from iafa.client import ApiError, Client, InvalidEvent, Receipt, Unreachable
from iafa.client.frames import EVENTS, trends_frame
from tests.client.conftest import Made, Shop

STAGES = [{"name": "Visit", "event": "visit"}, {"name": "Buy", "event": "buy"}]
FIRST = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)
LAST = datetime(2026, 11, 3, 11, 0, tzinfo=UTC)
ROWS: list[dict[str, Any]] = [
    {"user_id": "a", "event_type": "visit", "created_at": FIRST, "plan": "pro", "n": 1},
    {"user_id": "a", "event_type": "buy", "created_at": FIRST.replace(hour=11), "plan": "pro"},
    {"user_id": "b", "event_type": "visit", "created_at": FIRST.replace(hour=23, minute=30), "plan": "free"},
    {"user_id": "c", "event_type": "visit", "created_at": LAST.replace(hour=10)},
    {"user_id": "c", "event_type": "buy", "created_at": LAST, "price": Decimal("9.90")},
]
WHOLE = Receipt(5, 0, 0, FIRST, LAST, (), (), {})


def as_text(row: dict[str, Any]) -> dict[str, Any]:
    found = row | {"created_at": row["created_at"].isoformat()}
    return found | ({"price": float(row["price"])} if "price" in row else {})


def csv_text() -> str:
    names = ["user_id", "event_type", "created_at", "plan", "n", "price"]
    lines = [",".join(str(as_text(row).get(name, "")) for name in names) for row in ROWS]
    return "\n".join([",".join(names), *lines]) + "\n"


def written(folder: Path, name: str) -> Path:
    path = folder / name
    ndjson = "".join(json.dumps(as_text(row)) + "\n" for row in ROWS)
    if name == "e.parquet":
        pq.write_table(pa.Table.from_pylist([as_text(row) for row in ROWS]), path)
    elif name.endswith(".gz"):
        path.write_bytes(gzip.compress((csv_text() if ".csv" in name else ndjson).encode()))
    else:
        path.write_text(csv_text() if ".csv" in name else ndjson)
    return path


@pytest.mark.parametrize("name", ["e.csv", "e.csv.gz", "e.ndjson", "e.jsonl", "e.json.gz", "e.parquet", "e.txt"])
def test_file_is_loaded_once(shop: Shop, make: Made, tmp_path: Path, name: str) -> None:
    client, path = make(shop.secret_key, shop.recorder.url), written(tmp_path, name)
    format = "ndjson" if name == "e.txt" else None
    assert client.upload(path, format=format) == WHOLE
    again = client.upload(str(path), format=format)
    assert (again.accepted, again.duplicates, again.rejected) == (0, 5, 0)
    assert shop.event_counts() == {"visit": 3, "buy": 2}


SOURCES: dict[str, Callable[[], Any]] = {
    "list": lambda: ROWS,
    "generator": lambda: (row for row in ROWS),
    "DataFrame": lambda: pd.DataFrame(ROWS),
    "DataFrame with an index": lambda: pd.DataFrame(ROWS, index=[5, 5, 5, 5, 5]),
}


@pytest.mark.parametrize("name", SOURCES)
def test_rows_are_loaded_once(shop: Shop, make: Made, name: str) -> None:
    client = make(shop.secret_key, shop.recorder.url)
    # An answer is lost, the server is busy: the same rows are sent again.
    shop.recorder.faults.extend(["lose the answer", 503])
    first = client.upload(SOURCES[name]())
    assert (first.accepted, first.duplicates, first.rejected) == (0, 5, 0)
    assert client.upload(SOURCES[name]()).duplicates == 5
    rows = {(row["user_id"], row["event_type"]): row for row in shop.rows(5)}
    assert len(rows) == 5
    assert rows["a", "visit"]["properties"] == {"plan": "pro", "n": 1}
    assert rows["c", "visit"]["properties"] == {}
    assert rows["c", "buy"]["properties"] == {"price": 9.9}
    assert {row["created_at"] for row in rows.values()} == {row["created_at"] for row in ROWS}


def test_table_with_types_of_its_own_and_a_column_map(shop: Shop, make: Made) -> None:
    client = make(shop.secret_key, shop.recorder.url)
    frame = pd.DataFrame(
        {
            "kunde": pd.Series([1, 2], dtype="Int64"),
            "aktion": pd.Categorical(["kauf", "kauf"]),
            "zeit": pd.to_datetime(["2026-11-01 10:00", "2026-11-02 10:00"]),
            "preis": pd.Series([1.5, None]),
            "zahl": np.array([7, 8], dtype="int32"),
            "wörter": [["a"], None],
            5: [True, False],
        }
    )
    columns = {"user_id": "kunde", "event_type": "aktion", "created_at": "zeit"}
    receipt = client.upload(frame, columns=columns)
    assert (receipt.accepted, receipt.rejected, receipt.first_event) == (2, 0, FIRST)
    rows = sorted(shop.rows(2), key=lambda row: str(row["user_id"]))
    assert [row["user_id"] for row in rows] == ["1", "2"]
    assert rows[0]["properties"] == {"preis": 1.5, "zahl": 7, "wörter": ["a"], "5": True}
    assert rows[1]["properties"] == {"zahl": 8, "5": False}
    with pytest.raises(ValueError, match="comma"):
        client.upload(frame, columns={"user_id": "a,b"})


def test_refused_rows_are_in_the_receipt(shop: Shop, make: Made) -> None:
    client = make(shop.secret_key, shop.recorder.url)
    receipt = client.upload([ROWS[0], {**ROWS[1], "created_at": "yesterday"}, {**ROWS[2], "user_id": None}])
    assert (receipt.accepted, receipt.duplicates, receipt.rejected) == (1, 0, 2)
    assert receipt.rejected_by_code == {"invalid_timestamp": 1, "missing_identity": 1}
    assert [(one.row, one.code) for one in receipt.errors] == [(2, "invalid_timestamp"), (3, "missing_identity")]


def test_upload_that_cannot_be_raises(shop: Shop, make: Made, tmp_path: Path) -> None:
    client = make(shop.secret_key, shop.recorder.url)
    with pytest.raises(FileNotFoundError):
        client.upload(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="say which format"):
        client.upload(written(tmp_path, "e.txt"))
    with pytest.raises(InvalidEvent, match="row 2"):
        client.upload([ROWS[0], "no row"])  # type: ignore[list-item]
    wrong: Any = 5
    with pytest.raises(TypeError, match="a path, a DataFrame or an iterable"):
        client.upload(wrong)
    with pytest.raises(ApiError) as refused:
        client.upload(ROWS, columns={"nobody": "x"})
    assert (refused.value.status, refused.value.code, refused.value.pointer) == (422, "validation_error", "/columns/0")
    with pytest.raises(ApiError) as refused:
        client.upload(ROWS, preset="nothing")
    assert (refused.value.status, refused.value.pointer) == (422, "/preset")
    assert shop.event_counts() == {}


def loaded(shop: Shop, make: Made) -> Client:
    client = make(shop.secret_key, shop.recorder.url)
    assert client.upload(ROWS) == WHOLE
    return client


def types(frame: pd.DataFrame) -> dict[str, str]:
    return {str(name): str(kind) for name, kind in frame.dtypes.items()}


FUNNEL_TYPES = {
    **{"order": "int64", "stage": "str", "users": "int64", "users_max": "Int64", "conversion_rate": "float64"},
    **dict.fromkeys(("drop_off_rate", "average_s", "median_s", "p90_s"), "float64"),
}
GROUP_TYPES = {"group": "str", "value": "str", **dict(list(FUNNEL_TYPES.items())[:6])}
VIENNA = "datetime64[us, Europe/Vienna]"
BUCKET_TYPES = {"bucket_start": VIENNA, "bucket_end": VIENNA, **dict(list(FUNNEL_TYPES.items())[:4])}


@pytest.mark.parametrize("way", ["saved", "definition"])
def test_funnel_is_a_frame(shop: Shop, make: Made, way: str) -> None:
    client = loaded(shop, make)
    funnel: Any = {"stages": STAGES}
    if way == "saved":
        body = {"project_id": shop.id, "name": "Checkout", "stages": STAGES}
        funnel = shop.owner.client.post("/funnels", json=body).json()["id"]
    frame = client.funnel(funnel)
    assert types(frame) == FUNNEL_TYPES
    assert frame["stage"].tolist() == ["Visit", "Buy"]
    assert frame["order"].tolist() == [1, 2]
    assert frame["users"].tolist() == [3, 2]
    assert frame["conversion_rate"].tolist() == [100.0, 66.67]
    assert frame["drop_off_rate"].tolist() == [0.0, 33.33]
    assert frame["median_s"].isna().tolist() == [True, False]
    assert frame["average_s"].tolist()[1] == 3600.0
    assert frame.attrs["overall_conversion_rate"] == 66.67
    assert frame.attrs["timezone"] == "Europe/Vienna"
    assert frame.attrs["people_total"] == 3
    assert "stages" not in frame.attrs

    # In Vienna it is the second of November when b visits.
    day = client.funnel(funnel, start=date(2026, 11, 2), end="2026-11-02")
    assert day["users"].tolist() == [1, 0]
    moment = client.funnel(funnel, start=FIRST, end=FIRST.replace(minute=1))
    assert moment["users"].tolist() == [1, 1]
    assert client.funnel(funnel, window_seconds=60)["users"].tolist() == [3, 0]

    groups = client.funnel(funnel, breakdown="plan")
    assert types(groups) == GROUP_TYPES
    found: dict[Any, Any] = {
        (row.group, row.value if isinstance(row.value, str) else None, row.order): row.users
        for row in groups.itertuples()
    }
    expected: dict[Any, Any] = {("none", None, 1): 1, ("none", None, 2): 1}
    expected |= {("value", "pro", 1): 1, ("value", "pro", 2): 1, ("value", "free", 1): 1, ("value", "free", 2): 0}
    assert found == expected
    assert groups.attrs["property"] == "plan"

    trend = client.funnel(funnel, trend="day", start="2026-11-01", end="2026-11-03")
    assert types(trend) == BUCKET_TYPES
    begins = pd.to_datetime(["2026-11-01", "2026-11-02", "2026-11-03"]).tz_localize("Europe/Vienna")
    assert trend["bucket_start"].unique().tolist() == begins.tolist()
    assert trend.pivot(index="bucket_start", columns="order", values="users").to_numpy().tolist() == [
        [1, 1],
        [1, 0],
        [1, 1],
    ]
    with pytest.raises(ValueError, match="not for both"):
        client.funnel(funnel, trend="day", breakdown="plan")


def test_trends_are_a_frame(shop: Shop, make: Made) -> None:
    client = loaded(shop, make)
    frame = client.trends(["visit", "*"])
    assert types(frame) == {
        **{
            "line": "int64",
            "date": "datetime64[us, Europe/Vienna]",
            "event_type": "str",
            "name": "str",
            "measure": "str",
        },
        **{"value": "float64", "events": "Int64", "events_scaled": "Int64", "people": "Int64", "skipped": "Int64"},
        **{"source": "str", "is_exact": "bool", "is_incomplete": "bool"},
    }
    counts = frame.pivot(index="date", columns="event_type", values="events")
    assert counts["visit"].tolist() == [1, 1, 1], "an hour before midnight of UTC the next day has begun in Vienna"
    assert counts["*"].tolist() == [2, 1, 2]
    assert counts.index.tolist() == [pd.Timestamp(f"2026-11-0{n}", tz="Europe/Vienna") for n in (1, 2, 3)]
    assert client.trends(start=date(2026, 11, 3), end=date(2026, 11, 3))["people"].tolist() == [1]


def test_trends_have_measures_formulas_and_groups(shop: Shop, make: Made) -> None:
    client = loaded(shop, make)
    series: list[str | dict[str, str]] = ["visit", {"event": "*", "measure": "people", "name": "all"}]
    formula = {"name": "share", "expression": "A / B"}
    frame = client.trends(series, formulas=[formula], interval="month", exclude_bots=True)
    assert frame["name"].tolist() == ["visit", "all", "share"]
    assert frame["measure"].tolist() == ["events", "people", "formula"]
    assert frame["value"].tolist() == [3, 3, 1]
    assert [total["value"] for total in frame.attrs["totals"]] == [3, 3, 1]
    alike = client.trends([{"event": "visit"}, {"event": "visit", "measure": "people"}, "buy"], interval="month")
    assert alike.attrs["totals"] == [
        {"line": 0, "name": "visit", "measure": "events", "value": 3},
        {"line": 1, "name": "visit", "measure": "people", "value": 3},
        {"line": 2, "name": "buy", "measure": "events", "value": 2},
    ]
    assert alike["line"].tolist() == [0, 1, 2]
    groups = client.trends("visit", interval="week", breakdown={"property": "plan", "limit": 1})
    assert types(groups) == {"group": "str", "group_value": "str", **types(frame)}
    assert groups["events"].sum() == 3
    assert set(groups["group"]) <= {"value", "other", "none"}


RETENTION_TYPES = {
    **{"cohort_start": "datetime64[us, Europe/Vienna]", "size": "int64", "period": "int64", "people": "int64"},
    **{"percent": "float64", "is_open": "bool"},
}


def test_retention_is_a_frame(shop: Shop, make: Made) -> None:
    client = loaded(shop, make)
    frame = client.retention("visit", "buy", periods=1)
    assert types(frame) == RETENTION_TYPES
    assert frame["people"].tolist()[:2] == [1, 0]
    assert frame["size"].tolist()[:2] == [1, 1]
    assert frame.attrs["people"] == 3
    groups = client.retention("visit", {"event": "buy"}, periods=0, breakdown="plan", start_date=date(2026, 11, 1))
    assert types(groups) == {"group": "str", "value": "str", **RETENTION_TYPES}
    assert set(groups["value"].dropna()) == {"pro", "free"}


PATHS_TYPES = {
    **{"depth": "int64", "source": "str", "source_kind": "str", "target": "str", "target_kind": "str"},
    "value": "int64",
}


def test_paths_are_a_frame(shop: Shop, make: Made) -> None:
    client = loaded(shop, make)
    frame = client.paths("visit", depth=2)
    assert types(frame) == PATHS_TYPES
    links = zip(frame["source"], frame["target"], frame["value"], strict=True)
    assert sorted(links) == [("buy", "(exit)", 2), ("visit", "(exit)", 1), ("visit", "buy", 2)]
    assert frame.attrs["entities"] == 3
    back = client.paths(end="buy", start_date=date(2026, 11, 3), end_date=date(2026, 11, 3))
    assert back["source"].tolist() == ["visit", "(entry)"]


FIGURE_TYPES = {
    **{"sessions": "int64", "people": "int64", "events": "int64", "page_views": "int64", "bounces": "int64"},
    **{"bounce_rate": "float64", "average_seconds": "float64", "median_seconds": "float64"},
    **{"events_per_session": "float64", "views_per_session": "float64"},
}
SESSIONS_TYPES = {"bucket": "datetime64[us, Europe/Vienna]", "is_incomplete": "bool", **FIGURE_TYPES}
LISTS_TYPES = {"property": "str", "group": "str", "value": "str", **FIGURE_TYPES}


def test_sessions_are_a_frame(shop: Shop, make: Made) -> None:
    client = loaded(shop, make)
    frame = client.sessions(start=date(2026, 11, 1), end="2026-11-03")
    assert types(frame) == SESSIONS_TYPES
    assert frame["bucket"].tolist() == [pd.Timestamp(f"2026-11-0{n}", tz="Europe/Vienna") for n in (1, 2, 3)]
    assert frame["sessions"].tolist() == [1, 1, 1]
    assert frame["average_seconds"].tolist() == [3600, 0, 3600]
    assert frame.attrs["total"]["bounces"] == 1
    hours = client.sessions(interval="hour", start="2026-11-01", end="2026-11-01")
    assert hours.loc[hours["sessions"] == 1, "bucket"].tolist() == [pd.Timestamp(FIRST).tz_convert("Europe/Vienna")]
    assert hours["average_seconds"].isna().sum() == 23
    groups = client.sessions(breakdown="channel", limit=1)
    assert types(groups) == {"group": "str", "value": "str", **FIGURE_TYPES}
    assert groups[["group", "sessions"]].to_numpy().tolist() == [["none", 3]]


def test_the_overview_has_a_frame_for_each_table(shop: Shop, make: Made) -> None:
    client = make(shop.secret_key, shop.recorder.url)
    pages = [("a", 10, "/"), ("a", 11, "/x"), ("b", 10, "/")]
    client.upload(
        [
            {
                "user_id": user,
                "event_type": "page_view",
                "created_at": FIRST.replace(hour=hour),
                "url": f"https://s.at{path}",
            }
            for user, hour, path in pages
        ]
    )
    told = client.overview(lists=["entry_page", "exit_page"], limit=1)
    assert (told.total["sessions"], told.total["page_views"], told.present["people"]) == (2, 3, 0)
    assert types(told.buckets) == SESSIONS_TYPES
    assert types(told.pages) == {"page": "str", "views": "int64", "people": "int64"}
    assert told.pages.to_numpy().tolist() == [["/", 2, 2]]
    assert types(told.lists) == LISTS_TYPES
    assert told.lists["property"].tolist() == ["entry_page", "exit_page", "exit_page"]
    assert told.lists["group"].tolist() == ["value", "value", "other"]
    assert told.lists["value"].tolist()[:2] == ["/", "/"]
    assert told.lists["sessions"].tolist() == [2, 1, 1]
    with pytest.raises(ApiError) as refused:
        client.overview(lists=["shoe size"])
    assert (refused.value.status, refused.value.pointer) == (422, "/lists/0")


def test_anomalies_are_a_frame(shop: Shop, make: Made) -> None:
    client = make(shop.secret_key, shop.recorder.url)
    first = datetime(2026, 9, 1, 12, tzinfo=UTC)
    client.upload(
        [
            {"user_id": f"u{place}", "event_type": "buy", "created_at": first + timedelta(days=day, minutes=place)}
            for day in range(40)
            for place in range(2 if day == 35 else 20 + day % 3)
        ]
    )
    frame = client.anomalies("buy", start="2026-09-29", end=date(2026, 10, 10), sensitivity="high")
    assert types(frame) == {
        **{"event_type": "str", "bucket": "datetime64[us, Europe/Vienna]", "value": "int64", "expected": "float64"},
        **{"low": "int64", "high": "int64", "score": "float64", "direction": "str", "text": "str"},
    }
    assert frame[["bucket", "value", "direction"]].to_numpy().tolist() == [
        [pd.Timestamp("2026-10-06", tz="Europe/Vienna"), 2, "down"]
    ]
    assert frame.attrs["findings_total"] == 1
    assert len(frame.attrs["series"][0]["buckets"]) == 12
    assert types(client.anomalies("nothing", measure="people", start="2026-09-29")) == types(frame)


def test_a_journey_is_a_frame_of_all_pages(shop: Shop, make: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iafa.client.reports.JOURNEY_PAGE", 1)
    client = loaded(shop, make)
    frame = client.journey("a", limit=None)
    assert types(frame) == {
        **{"session_start": "datetime64[us, Europe/Vienna]", "time": "datetime64[us, Europe/Vienna]", "id": "str"},
        **{"event": "str", "page": "str", "gap_s": "float64"},
    }
    assert frame["event"].tolist() == ["visit", "buy"]
    assert frame["session_start"].tolist() == [pd.Timestamp(FIRST).tz_convert("Europe/Vienna")] * 2
    assert frame["gap_s"].isna().tolist() == [True, False]
    assert client.journey("a", limit=1)["event"].tolist() == ["visit"]
    assert client.journey("a", start=date(2026, 11, 2))["event"].tolist() == []
    with pytest.raises(ApiError) as refused:
        client.journey("nobody")
    assert refused.value.code == "not_found"
    with pytest.raises(ValueError, match="at least 1"):
        client.journey("a", limit=0)


def test_project_without_events_has_frames_of_the_same_types(shop: Shop, make: Made) -> None:
    client = make(shop.secret_key, shop.recorder.url)
    assert types(client.funnel({"stages": STAGES})) == FUNNEL_TYPES
    assert types(client.funnel({"stages": STAGES}, breakdown="plan")) == GROUP_TYPES
    trend = client.funnel({"stages": STAGES}, trend="day")
    assert types(trend) == BUCKET_TYPES
    assert len(trend) == 0
    assert client.trends()["date"].dtype == "datetime64[us, Europe/Vienna]"
    assert types(client.retention("visit")) == RETENTION_TYPES
    assert types(client.sessions()) == SESSIONS_TYPES
    assert types(client.overview().lists) == LISTS_TYPES
    assert types(client.paths()) == PATHS_TYPES
    assert client.project_id == shop.id


def test_question_that_is_wrong_raises_what_the_server_says(shop: Shop, make: Made) -> None:
    client = make(shop.secret_key, shop.recorder.url)
    with pytest.raises(ApiError, match="stages") as refused:
        client.funnel({"stages": [{"name": "No event"}]})
    error = refused.value
    assert (error.status, error.code, error.is_retryable) == (422, "validation_error", False)
    assert error.pointer == "/stages/0"
    assert error.errors[0].message
    assert error.request_id
    with pytest.raises(ApiError) as refused:
        client.funnel("f" * 20)
    assert (refused.value.status, refused.value.code) == (404, "not_found")
    with pytest.raises(ApiError) as refused:
        client.trends(start="yesterday")
    assert (refused.value.code, refused.value.pointer) == ("invalid_query", "/start_date")
    with pytest.raises(ApiError) as refused:
        make(str(shop.project["api_key"]), shop.recorder.url).trends()
    assert (refused.value.status, refused.value.code) == (403, "insufficient_scope")
    shop.recorder.faults.extend([418])
    with pytest.raises(ApiError, match="the server answered 418") as refused:
        client.funnel({"project_id": shop.id, "stages": STAGES})
    assert refused.value.code == "http_418"


def test_nobody_answers() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        client = Client("iafa_s_x", f"http://127.0.0.1:{busy.getsockname()[1]}")
        with pytest.raises(Unreachable, match="no answer"):
            client.trends()
        client.close()


def test_client_needs_nothing_of_the_server_and_pandas_only_for_frames() -> None:
    program = """
import sys
import iafa.client
ours = [name for name in sys.modules if name.startswith("iafa.") and not name.startswith("iafa.client")]
theirs = {"pandas", "numpy", "pyarrow", "msgspec", "pydantic", "fastapi", "duckdb"} & set(sys.modules)
assert not ours and not theirs, (ours, theirs)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_raw_events_page_by_page(shop: Shop, make: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("iafa.client.event_log.PAGE_ROWS", 2)
    client = make(shop.secret_key, shop.recorder.url)
    client.upload(ROWS)
    every = client.events(limit=None)
    assert list(every.columns) == list(EVENTS)
    assert list(every["user_id"]) == ["c", "c", "b", "a", "a"]
    assert str(every["created_at"].dtype) == "datetime64[us, UTC]"
    assert list(every["created_at"]) == sorted((row["created_at"] for row in ROWS), reverse=True)
    assert every["properties"][4] == {"plan": "pro", "n": 1}
    assert [str(every[name].dtype) for name in ("is_bot", "sample_rate")] == ["bool", "float64"]
    assert every.attrs["data_version"]
    fields = ["user_id", "properties.plan", "created_at"]
    # In Vienna, where it is the second already when it is half past eleven in London.
    part = client.events(event_type=["visit"], start="2026-11-01", end=date(2026, 11, 2), order="asc", fields=fields)
    assert list(part.columns) == fields
    assert part[["user_id", "properties.plan"]].to_numpy().tolist() == [["a", "pro"], ["b", "free"]]
    filters = [{"property": "n", "op": "gte", "value": 1}]
    assert list(client.events(filters=filters, user_id="a", exclude_bots=True)["event_type"]) == ["visit"]
    assert list(client.events(limit=3)["user_id"]) == ["c", "c", "b"]
    none = client.events(event_type="gone", fields=["id,created_at"])
    assert (list(none.columns), len(none), str(none["created_at"].dtype)) == (
        ["id", "created_at"],
        0,
        "datetime64[us, UTC]",
    )
    with pytest.raises(ApiError) as refused:
        client.events(fields=["nothing"])
    assert (refused.value.status, refused.value.pointer) == (422, "/fields")
    assert client.export(tmp_path / "all.parquet") == (tmp_path / "all.parquet").stat().st_size
    assert sorted(pq.read_table(tmp_path / "all.parquet").column("id").to_pylist()) == sorted(every["id"])
    client.export(tmp_path / "buys.csv", event_type="buy", fields=["user_id"])
    assert sorted((tmp_path / "buys.csv").read_text().split()) == ["a", "c", "user_id"]
    with pytest.raises(ApiError):
        client.export(tmp_path / "all.xlsx")
    assert not (tmp_path / "all.xlsx").exists()


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("America/Santiago", "2025-09-07", "2025-09-07T04:00:00Z"),
        ("America/Havana", "2025-11-02", "2025-11-02T04:00:00Z"),
        ("Europe/Berlin", "2025-10-26", "2025-10-25T22:00:00Z"),
    ],
    ids=["no midnight", "midnight twice", "an hour later"],
)
def test_a_day_begins_with_its_first_instant(zone: str, day: str, begins: str) -> None:
    """The days of trends are the project's: some zones change their clocks at midnight."""
    bucket = {"date": day, "is_exact": True, "is_incomplete": False}
    line = {"name": "a", "total": {"value": 0}, "buckets": [bucket, {**bucket, "date": "2025-12-01"}], "groups": None}
    frame = trends_frame({"series": [line], "formulas": [], "timezone": zone})
    assert frame["date"][0] == pd.Timestamp(begins)
    assert str(frame["date"].dtype) == f"datetime64[us, {zone}]"
