"""`iafa import` and `iafa funnel` from a file to a drawn answer."""

import asyncio
import gzip
import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import uvicorn

from iafa.api.server import running
from iafa.cli.bars import BAR_CHARS, bar, window_text
from iafa.cli.options import house_at, read_settings, run
from tests.unit.cli.conftest import CSV, MAP, Command

DATA = Path(os.environ.get("IAFA_TEST_DATA") or Path(__file__).resolve().parents[4] / "shared" / "data")


def users(iafa: Command, *words: str) -> list[int]:
    outcome = iafa("funnel", "--project", "Shop", "--json", *words)
    assert outcome.code == 0, outcome.err
    return [stage["users"] for stage in outcome.json["stages"]]


def test_a_file_is_loaded_and_its_funnel_drawn(iafa: Command, project_id: str, csv: str) -> None:
    loaded = iafa("import", csv, "--project", project_id, *MAP)
    assert (loaded.code, loaded.err) == (0, "")
    assert "shop.csv: 4 events loaded, 0 known already, 0 refused" in loaded.out

    drawn = iafa("funnel", "--project", "Shop", "--stage", "visit", "--stage", "cart", "--window", "1d")
    assert drawn.code == 0
    assert drawn.out.splitlines() == [
        "visit > cart  2025-11-20 to 2025-11-22, within 1 day",
        "",
        "  #  stage  people  of first  lost here",
        "  1  visit       2  100.00 %             " + "█" * BAR_CHARS,
        "  2  cart        1   50.00 %    50.00 %  " + "█" * (BAR_CHARS // 2),
        "",
        "50.00 % of 2 people went all the way",
    ]


def test_window_and_range_of_a_funnel(iafa: Command, project_id: str, csv: str) -> None:
    iafa("import", csv, "--project", project_id, *MAP)
    stages = ("--stage", "visit", "--stage", "cart")

    assert users(iafa, *stages) == [2, 2]
    assert users(iafa, *stages, "--window", "30m") == [2, 1]
    assert users(iafa, *stages, "--window", "1799") == [2, 0]
    assert users(iafa, *stages, "--window", "none") == [2, 2]
    assert users(iafa, *stages, "--from", "2025-11-21") == [0, 0]
    assert users(iafa, *stages, "--to", "2025-11-20T09:30:00Z") == [1, 1]


def test_saved_funnels_and_definitions_in_files(iafa: Command, project_id: str, csv: str, tmp_path: Path) -> None:
    iafa("import", csv, "--project", project_id, *MAP)
    definition = {"stages": [{"name": "Visit", "event": "visit"}, {"name": "Cart", "event": "cart"}]}
    path = tmp_path / "shop-funnel.json"
    path.write_text(json.dumps({**definition, "window_seconds": 3600}))
    house = house_at(tmp_path / "data")
    saved = run(lambda: house.funnels.add(project_id, name="Main", definition={"name": "Main", **definition}))

    assert users(iafa, "--file", str(path)) == [2, 1]
    assert users(iafa, "--funnel", "main") == [2, 2]
    assert users(iafa, "--funnel", saved.id, "--window", "1h") == [2, 1]
    unknown = iafa("funnel", "--project", "Shop", "--funnel", "Nope")
    assert unknown.code == 2
    assert "saved are: Main" in unknown.err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("funnel", "--project", "Shop"), 2, "--stage"),
        (("funnel", "--project", "Shop", "--stage", "a", "--funnel", "b"), 2, "one of"),
        (("funnel", "--project", "Shop", "--stage", "a", "--window", "soon"), 2, "7d"),
        (("funnel", "--project", "Shop", "--stage", "a", "--from", "monday"), 1, "/start_date"),
        (("funnel", "--project", "Shop", "--file", "empty.json"), 1, "/stages"),
        (("funnel", "--project", "Shop", "--file", "shop.csv"), 2, "not a definition"),
        (("funnel", "--project", "Nope", "--stage", "a"), 2, "no project"),
        (("import", "shop.csv"), 2, "--project"),
        (("import", "nothing.csv", "--project", "Shop"), 2, "does not exist"),
        (("import", "shop.csv", "--project", "Shop", "--map", "user_id"), 1, "/columns/user_id"),
        (("import", "shop.csv", "--project", "Shop"), 1, "/columns/event_type"),
        (("import", "shop.csv", "--url", "http://127.0.0.1:9"), 2, "--api-key"),
        (("import", "shop.csv", "--url", "http://127.0.0.1:9", "--api-key", "k"), 1, "did not take"),
        (("import", "empty.json", "--project", "Shop", "--format", "xml"), 2, "xml"),
    ],
)
def test_refusals(
    iafa: Command, project_id: str, csv: str, tmp_path: Path, words: tuple[str, ...], code: int, message: str
) -> None:
    (tmp_path / "empty.json").write_text("{}")

    refused = iafa(*words)

    assert refused.code == code
    assert message in refused.err
    assert "Traceback" not in refused.err


def test_several_files_and_a_compressed_one(iafa: Command, project_id: str, csv: str, tmp_path: Path) -> None:
    zipped = tmp_path / "more.ndjson.gz"
    zipped.write_bytes(gzip.compress(b'{"customer":"u3","action":"visit","at":"2025-11-20"}\n'))

    loaded = iafa("import", csv, str(zipped), "--project", "shop", *MAP, "--json").json

    assert [(Path(one["file"]).name, one["accepted"]) for one in loaded["files"]] == [
        ("shop.csv", 4),
        ("more.ndjson.gz", 1),
    ]
    assert iafa("import", csv, "--project", "shop", *MAP, "--json").json["files"][0]["duplicates"] == 4


def test_a_project_that_keeps_90_days_refuses_old_rows_with_the_remedy(iafa: Command, tmp_path: Path) -> None:
    iafa("project", "add", "Young")
    old = tmp_path / "old.csv"
    old.write_text("user_id,event,timestamp\nu1,x,2001-01-01\n")

    refused = iafa("import", str(old), "--project", "Young")
    assert refused.code == 1
    assert "set retention_days first" in refused.out
    assert "row 2: /created_at" in refused.out

    iafa("project", "set", "Young", "--retention-days", "forever")
    assert iafa("import", str(old), "--project", "Young").code == 0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A real server of the test's data directory on a free port."""
    listener = socket.create_server(("127.0.0.1", 0))
    started = threading.Event()
    servers: list[uvicorn.Server] = []

    async def serve() -> None:
        async with running(read_settings(data_dir=tmp_path / "data")) as app:
            server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
            servers.append(server)
            asyncio.get_running_loop().call_soon(started.set)
            await server.serve(sockets=[listener])

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(30)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    servers[0].should_exit = True
    thread.join()
    listener.close()


def test_through_a_running_server(iafa: Command, csv: str, server: str, tmp_path: Path) -> None:
    made = iafa("project", "add", "Shop", "--retention-days", "forever", "--json").json
    zipped = tmp_path / "again.csv.gz"
    zipped.write_bytes(gzip.compress(CSV.encode()))
    address = ("--url", server, "--api-key", made["secret_key"])

    sent = iafa("import", csv, str(zipped), *MAP, *address, "--json")

    assert sent.code == 0, sent.err
    assert [(one["accepted"], one["duplicates"]) for one in sent.json["files"]] == [(4, 0), (0, 4)]
    assert users(iafa, "--stage", "visit", "--stage", "cart") == [2, 2]
    refused = iafa("import", csv, "--map", "user_id=nobody", *address)
    assert refused.code == 1
    assert "/columns/user_id: the file has no such column" in refused.err
    assert iafa("import", csv, *MAP, "--url", server, "--api-key", made["api_key"]).code == 1


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, ""), (0.0001, "▏"), (0.5, "████"), (0.55, "████▍"), (1.0, "████████"), (2.0, "████████")],
)
def test_bars(share: float, expected: str) -> None:
    assert bar(share, 8) == expected


@pytest.mark.parametrize(
    ("window_s", "expected"),
    [
        (None, "no limit of time"),
        (0, "at one instant"),
        (86_400, "within 1 day"),
        (604_800, "within 7 days"),
        (5_400, "within 90 minutes"),
        (61, "within 61 seconds"),
    ],
)
def test_window_texts(window_s: int | None, expected: str) -> None:
    assert window_text(window_s) == expected


needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"the real data sets are not in {DATA} (IAFA_TEST_DATA)")


@needs_data
@pytest.mark.slow
def test_the_loan_applications_of_2012(iafa: Command, project_id: str, tmp_path: Path) -> None:
    words = ("--map", "user_id=user_id", "--map", "event_type=event", "--map", "created_at=timestamp")

    loaded = iafa("import", str(DATA / "bpi2012_loan_applications.parquet"), "--project", project_id, *words, "--json")

    (receipt,) = loaded.json["files"]
    assert (receipt["accepted"], receipt["rejected"]) == (262_200, 0)
    assert (receipt["first_event"], receipt["last_event"][:19]) == (
        "2011-09-30T22:38:44.546000Z",
        "2012-03-14T15:04:54",
    )
    files = house_at(tmp_path / "data").snapshots.take(project_id).files
    with duckdb.connect() as connection:
        counted = "select count(*), count(distinct id), count(distinct user_id), count(distinct event_type)"
        found = connection.execute(
            f"{counted} from read_parquet($files)", {"files": [str(f) for f in files]}
        ).fetchone()
    assert found == (262_200, 262_200, 13_087, 24)


@needs_data
@pytest.mark.slow
def test_the_four_pages_of_the_web_shop(iafa: Command, project_id: str) -> None:
    file = str(DATA / "ecommerce_funnel_90400.parquet")

    loaded = iafa("import", file, "--project", project_id, "--map", "created_at=timestamp_assigned", "--json")

    assert loaded.json["files"][0]["accepted"] == 142_082
    pages = ("home_page", "search_page", "payment_page", "payment_confirmation_page")
    stages = [word for page in pages for word in ("--stage", page)]
    assert users(iafa, *stages) == [90_400, 45_200, 6_030, 452]
