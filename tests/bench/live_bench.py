"""What watching costs those who send: the same load with no socket and with three that take nothing, in turns.

Run: python -m tests.bench.live_bench. Prints for each the least CPU of the serving process a request, the best rate and
the percentiles of that round, for single events and batches of 100. Compare within one run only.
"""

import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from websockets.sync.client import connect

from tests.bench.collect_bench import SIZES, Variant, pinned, rate
from tests.support.server import Account, ServerProcess

SOCKETS = 3
ROUNDS, SECONDS = 4, 3.0


def watch(account: Account, port: int) -> ExitStack:
    """Sockets that read their first message and then nothing."""
    sockets = ExitStack()
    for _ in range(SOCKETS):
        path = account.client.post(f"/projects/{account.project_id}/live/ticket").json()["path"]
        socket = sockets.enter_context(
            connect(f"ws://127.0.0.1:{port}{path}", proxy=None, max_queue=1, close_timeout=1)
        )
        assert json.loads(socket.recv(30)) == {"type": "ready"}
    return sockets


def main(rounds: int, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with pinned():
            server = ServerProcess(Path(folder) / "data").start()
        try:
            account = Account(server.url)
            variants = [Variant(name, server.port, server.pid, account.secret_key) for name in ("nobody", "3 slow")]
            for events in SIZES:
                for variant in variants:
                    variant.rounds.clear()
                for number in range(rounds):
                    variants[0].run(events, seconds, 2 * number)
                    with watch(account, server.port):
                        variants[1].run(events, seconds, 2 * number + 1)
                for one in variants:
                    best = one.best
                    print(
                        f"n={events:<5}{one.name:<10}{rate(best):>9.0f} req/s{one.least_cpu_us:>9.1f} us"
                        f"{best.p50_us / 1e3:>9.2f} p50{best.p99_us / 1e3:>9.2f} p99"
                    )
        finally:
            server.stop()


if __name__ == "__main__":
    main(2, 1.0) if "quick" in sys.argv else main(ROUNDS, SECONDS)
