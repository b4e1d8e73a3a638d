"""One person with very many events, every kind of funnel, in the worst shapes: how the time of a question grows.

python -m tests.bench.heavy_person [--plain] [--sizes 1000,10000] [--only totals] [--limit-s 30]
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

if "--plain" in sys.argv:
    sys.modules["numba"] = None  # type: ignore[assignment]  # as if it was not installed

from iafa.errors import IafaError
from tests.support.heavy import QUESTIONS, SHAPES, events_of
from tests.unit.query.rows import an_engine, snapshot_of


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--plain", action="store_true")
    options.add_argument("--sizes", default="1000,2000,5000,10000,50000,200000")
    options.add_argument("--only", default="")
    options.add_argument("--shape", default="")
    options.add_argument("--limit-s", type=float, default=30)
    options.add_argument("--properties", type=int, default=1_000_000)
    given = options.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        engine = an_engine(Path(folder), timeout_s=given.limit_s)
        shapes = {name: shape for name, shape in SHAPES.items() if given.shape in name}
        files = {
            (name, size): snapshot_of(
                Path(folder), [events_of(names, size, step_us, given.properties)], prefix=f"{name}{size}"
            )
            for name, (names, step_us) in shapes.items()
            for size in sizes
        }
        print(f"{'question':24}{'events':14}" + "".join(f"{size:>9}" for size in sizes), flush=True)
        for question, ask in QUESTIONS.items():
            if given.only not in question:
                continue
            for shape in shapes:
                print(f"{question:24}{shape:14}", end="", flush=True)
                for size in sizes:
                    began = time.monotonic()
                    try:
                        ask(engine, files[shape, size])
                    except IafaError as error:
                        print(f" {error.code}", end="")
                        break
                    took = time.monotonic() - began
                    print(f"{took:9.2f}", end="", flush=True)
                print(flush=True)
        engine.close()


if __name__ == "__main__":
    main()
