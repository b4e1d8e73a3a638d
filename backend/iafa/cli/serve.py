"""`iafa serve`: the server of one data directory, with its background process and, if asked for, several workers."""

import logging
import os
import resource
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

from iafa.cli.children import Children, pid_path
from iafa.cli.options import data_dir_option, read_settings
from iafa.clock import SystemClock
from iafa.durable import make_dirs, write_private
from iafa.errors import WrongUsage
from iafa.ingest.attempts import sweep
from iafa.ingest.locations import check_database
from iafa.journal.epoch import highest_journal, read_epoch
from iafa.lake.layout import Layout
from iafa.locks import take
from iafa.metrics import Counters
from iafa.published import Publisher, clear, read_all
from iafa.settings import Settings
from iafa.slots import create_shared

log = logging.getLogger("iafa.serve")
DESCRIPTORS_MIN = 4096
TEND_EVERY_S = 0.5
LOOK_EVERY_S = 0.05


@click.command("serve")
@click.option("--host", default=None, help="Address to listen on (API_HOST, default 127.0.0.1).")
@click.option("--port", type=int, default=None, help="Port to listen on (API_PORT, default 8000; 0 = a free one).")
@data_dir_option
@click.option("--workers", type=int, default=None, help="Worker processes (IAFA_WORKERS, default 1).")
def serve_command(host: str | None, port: int | None, data_dir: Path | None, workers: int | None) -> None:
    """Run the server until it is interrupted."""
    settings = read_settings(api_host=host, api_port=port, data_dir=data_dir, workers=workers)
    with sole_server(settings):
        run_server(
            settings, announce=lambda url: click.echo(f"IAFA serves {url}  (data: {settings.data_dir.resolve()})")
        )


@contextmanager
def sole_server(settings: Settings) -> Iterator[None]:
    """Refuse to serve a directory that another process serves."""
    layout = Layout(settings.data_dir.resolve())
    make_dirs(layout.root)
    lock = take(layout.server_lock)
    if lock is None:
        path = pid_path(layout.root)
        pid = path.read_text() if path.exists() else "unknown"
        raise WrongUsage(f"{layout.root} is being served by another process (pid {pid})", code="conflict")
    write_private(pid_path(layout.root), str(os.getpid()).encode())
    try:
        yield
    finally:
        lock.release()


def run_server(settings: Settings, *, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT. `announce` gets the URL once requests are answered."""
    raise_descriptor_limit()
    settings.secret()  # made once, before several processes want it
    if settings.geoip_database:
        check_database(Path(settings.geoip_database), Layout(settings.data_dir.resolve()).tmp)
    replayed_from = next_epoch_of(settings)
    layout = Layout(settings.data_dir.resolve())
    run_folder = layout.run
    clear(run_folder, kept=[layout.attempts])
    sweep(layout.attempts, SystemClock().now_us())
    counters = Counters()
    publisher = Publisher(
        run_folder, "supervisor", counters, SystemClock(), dict, is_whole_process=settings.workers > 1
    ).start()
    with reserved_port(settings) as port:
        settings = settings.model_copy(update={"api_port": port})
        shared_fd = shared_tables() if settings.workers > 1 else None
        children = Children(settings, counters=counters, shared_fd=shared_fd)
        try:
            children.start("background", "background")
            say = partial(announce, f"http://{settings.api_host}:{port}")
            if settings.workers == 1:
                _serve_here(settings, children, replayed_from, say)
            else:
                _serve_with_workers(settings, children, replayed_from, shared_fd, say)
        finally:
            children.stop()
            publisher.close()


def _serve_here(settings: Settings, children: Children, replayed_from: int, announce: Callable[[], None]) -> None:
    from iafa.api.server import run, serve

    stopped = threading.Event()

    def tend() -> None:
        while not stopped.wait(TEND_EVERY_S):
            children.tend()

    tending = threading.Thread(target=tend, name="children", daemon=True)
    tending.start()
    try:
        run(serve(settings, replayed_from=replayed_from, announce=announce))
    finally:
        stopped.set()
        tending.join()


def _serve_with_workers(
    settings: Settings,
    children: Children,
    replayed_from: int,
    shared_fd: int | None,
    announce: Callable[[], None],
) -> None:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    names = {f"worker-{index}" for index in range(settings.workers)}
    for name in sorted(names):
        arguments = ["--name", name, "--port", str(settings.api_port), "--replayed-from", str(replayed_from)]
        if shared_fd is not None:
            arguments += ["--shared-fd", str(shared_fd)]
        children.start(name, "worker", *arguments)
    run_folder = Layout(settings.data_dir.resolve()).run
    is_announced = False
    while not stop.wait(TEND_EVERY_S if is_announced else LOOK_EVERY_S):
        children.tend()
        # A worker publishes as soon as it answers; one that does is enough for the URL to be true.
        if not is_announced and names & read_all(run_folder).keys():
            is_announced = True
            announce()


def shared_tables() -> int | None:
    """Where workers count limits together. A system that gives none still serves: each worker then counts alone."""
    try:
        return create_shared()
    except OSError as error:
        log.error("no memory can be shared (%s): rate limits and sign-in delays hold per worker", error.strerror)
        return None


@contextmanager
def reserved_port(settings: Settings) -> Iterator[int]:
    """Hold the port without listening, so that a taken one is refused now and port 0 becomes one number for all."""
    family = socket.AF_INET6 if ":" in settings.api_host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # old connections in TIME_WAIT do not count
        try:
            probe.bind((settings.api_host, settings.api_port))
        except OSError as error:
            raise WrongUsage(f"cannot listen on {settings.api_host}:{settings.api_port}: {error.strerror}") from None
    with socket.socket(family, socket.SOCK_STREAM) as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind((settings.api_host, settings.api_port))
        yield holder.getsockname()[1]


def next_epoch_of(settings: Settings) -> int:
    """Journals below this number were left by earlier runs; the server is ready when they are absorbed."""
    root = Layout(settings.data_dir.resolve()).journal
    return max(read_epoch(root) or 0, highest_journal(root)) + 1


def raise_descriptor_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else max(soft, DESCRIPTORS_MIN)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if wanted < DESCRIPTORS_MIN:
        log.warning("descriptors=%d, at least %d are advised (ulimit -n)", wanted, DESCRIPTORS_MIN)
