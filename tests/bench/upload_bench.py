"""Uploads of 250,000 and 1,000,000 rows into an empty project: rows a second, and the process's own memory.

Each file is loaded in a process of its own, by the parts that the server uses. `RssAnon` is what it holds besides
mapped files; its largest value is written down by phase. Then the same file is loaded again, which must add nothing.

Measured on 2 busy cores, 250,000 and a million rows: 227 and 232 MB while reading, 366 and 405 MB while storing; the
second time 350 and 439 MB, for it holds the hashes of the stored ids (8 bytes each, up to four million).
"""

import json
import multiprocessing
import random
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pyarrow as pa

from iafa.cli.options import read_settings
from iafa.jobs.upload import UploadRequest
from iafa.lake.schema import leave_pandas_out
from iafa.wiring import open_house

SIZES = (250_000, 1_000_000)
DAYS = 90
PROJECT = "p0upload0000"
GROWTH_MB_MAX = 64.0
ANSWER_S_MAX = 1800
EVERY_S = 0.02
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/{}.0 Safari/537.36"


def write_file(path: Path, rows: int) -> None:
    """NDJSON of a shop's history in no order, each row with its own id."""
    chance, first = random.Random(rows), datetime(2026, 8, 1, tzinfo=UTC)
    with path.open("w") as file:
        for number in range(rows):
            at = first + timedelta(seconds=chance.randrange(DAYS * 86_400))
            event = {
                "id": f"{rows}-{number:08x}-{chance.getrandbits(64):016x}",
                "event_type": chance.choice(("page_view", "add_to_cart", "checkout", "purchase", "search")),
                "user_id": f"user-{chance.randrange(50_000)}",
                "timestamp": at.isoformat(),
                "url": f"https://shop.example/product/{chance.randrange(500)}?ref=mail",
                "user_agent": _AGENT.format(chance.randrange(100, 150)),
                "properties": {"product": f"lamp-{number % 97}", "price": chance.randrange(10_000) / 100},
            }
            file.write(json.dumps(event) + "\n")


def anonymous_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("this system does not say RssAnon")


class Watched:
    """The largest RssAnon of each phase, seen from a thread."""

    def __init__(self) -> None:
        self.phase = "start"
        self.peak_mb: dict[str, float] = defaultdict(float)

    @contextmanager
    def watching(self) -> Iterator[None]:
        ended = threading.Event()
        thread = threading.Thread(target=self._watch, args=(ended,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _watch(self, ended: threading.Event) -> None:
        while not ended.wait(EVERY_S):
            self.look()

    def look(self) -> None:
        self.peak_mb[self.phase] = max(self.peak_mb[self.phase], anonymous_mb())


def load(data_dir: Path, path: Path, answers: Connection) -> None:
    """Runs in a child: loads the file twice, and says how long and how large."""
    leave_pandas_out()
    house = open_house(read_settings(data_dir=data_dir))
    uploader = house.uploader()
    request = UploadRequest(project_id=PROJECT, path=path, format="ndjson")
    for time_of_it in ("first", "second"):
        watched = Watched()
        watched.look()

        def progress(_rows: int, done: int, total: int, watched: Watched = watched) -> None:
            watched.phase = "store" if done == total else "read"

        began_s = time.monotonic()
        with watched.watching():
            receipt = uploader.run(request, progress)
        answers.send(
            {
                "run": time_of_it,
                "accepted": receipt.accepted,
                "duplicates": receipt.duplicates,
                "seconds": time.monotonic() - began_s,
                "arrow_mb": pa.default_memory_pool().max_memory() / 2**20,
                "peak_mb": dict(watched.peak_mb),
            }
        )
    answers.close()


def measured(rows: int) -> list[dict[str, object]]:
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.ndjson"
        write_file(path, rows)
        ours, theirs = context.Pipe()
        child = context.Process(target=load, args=(Path(folder) / "data", path, theirs))
        child.start()
        theirs.close()
        found = []
        for _ in range(2):
            assert ours.poll(ANSWER_S_MAX), "the child is silent"
            found.append(ours.recv())
        child.join()
    return found


def main() -> None:
    sizes = [int(text) for text in sys.argv[1:]] or list(SIZES)
    peaks = []
    for rows in sizes:
        first, second = measured(rows)
        for run in (first, second):
            print(json.dumps({"rows": rows} | run, default=float))
        assert (first["accepted"], second["accepted"], second["duplicates"]) == (rows, 0, rows)
        peaks.append(max(first["peak_mb"].values()))  # type: ignore[attr-defined]  # as `load` sends it
    growth_mb = peaks[-1] - peaks[0]
    print(f"RssAnon {', '.join(f'{peak:.0f} MB' for peak in peaks)}: {growth_mb:+.0f} MB (goal: {GROWTH_MB_MAX:.0f})")
    if growth_mb > GROWTH_MB_MAX:
        sys.exit("memory grows with the rows")


if __name__ == "__main__":
    main()
