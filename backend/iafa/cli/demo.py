"""`iafa demo`: the server with a generated web shop and a small stream of live visitors. A second run loads nothing."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from iafa.cli.demo_events import SEED, History
from iafa.cli.demo_furnishing import Furnishing
from iafa.cli.demo_history import PROJECT, Demo, keep_furnished, prepare
from iafa.cli.demo_live import LiveStream
from iafa.cli.options import data_dir_option, read_settings
from iafa.cli.serve import reserved_port, run_server, sole_server
from iafa.clock import US_PER_S, to_datetime
from iafa.demo.rhythm import HOME_ZONE
from iafa.demo.shop import incident_of
from iafa.settings import Settings
from iafa.wiring import open_house

MINUTE_US = 60 * US_PER_S


@click.command("demo")
@click.option("--host", default=None, help="Address to listen on (API_HOST, default 127.0.0.1).")
@click.option("--port", type=int, default=None, help="Port to listen on (API_PORT, default 8000; 0 = a free one).")
@data_dir_option
@click.option("--days", type=click.IntRange(1, 730), default=90, show_default=True, help="Length of the history.")
@click.option("--people", type=click.IntRange(10, 400_000), default=40_000, show_default=True, help="Visitors in it.")
@click.option("--no-live", is_flag=True, help="No live visitors.")
def demo_command(
    host: str | None, port: int | None, data_dir: Path | None, days: int, people: int, no_live: bool
) -> None:
    """Run the server with a generated web shop."""
    settings = read_settings(api_host=host, api_port=port, data_dir=data_dir)
    with sole_server(settings):
        with reserved_port(settings):
            pass  # a port that is taken is worth knowing before the history is made
        demo = _prepared(settings, days=days, people=people)
        _serve(settings, demo, None if no_live else LiveStream(demo.write_key, seed=SEED))


def _prepared(settings: Settings, *, days: int, people: int) -> Demo:
    house = open_house(settings)
    began_s = house.clock.monotonic_s()
    try:
        full_minute = to_datetime(house.clock.now_us() // MINUTE_US * MINUTE_US)
        demo = prepare(house, History(days, people, full_minute))
    finally:
        house.engine.close()
    if demo.loaded is not None:
        click.echo(
            f"made {demo.loaded.accepted:,} events of a web shop in {house.clock.monotonic_s() - began_s:.0f} s\n"
        )
    return demo


def _serve(settings: Settings, demo: Demo, live: LiveStream | None) -> None:
    data_dir = settings.data_dir.resolve()

    def announce(url: str) -> None:
        click.echo("\n".join(greeting(url, demo, data_dir)))
        if not demo.login.is_furnished:
            Furnishing(demo, done=lambda: keep_furnished(data_dir, demo.login)).start(url)
        if live is not None:
            live.start(url)

    try:
        run_server(settings, announce=announce)
    finally:
        if live is not None:
            live.stop()


def greeting(url: str, demo: Demo, data_dir: Path) -> Iterator[str]:
    yield f"IAFA serves {url}  (data: {data_dir}, stop with Ctrl+C)"
    yield ""
    yield f"  sign in as  {demo.login.email}"
    yield f"  password    {demo.login.password}"
    yield ""
    yield "What to try next"
    yield f"  1. Open the funnel Checkout of the project {PROJECT}."
    yield f"  2. {_incident(demo)}"
    yield "  3. Look at the boards, then at Alerts and Anomalies: was there an unusual day?"
    yield "  4. Make a project of your own, paste its snippet into a page and watch the events arrive."
    yield f"  5. Read the API's documentation: {url}/docs"
    yield ""


def _incident(demo: Demo) -> str:
    history = demo.login.history
    span = incident_of(end=history.end, days=history.days)
    if span is None:
        return "Compare the days and the browsers: the shop has a weekly rhythm and several devices."
    home = ZoneInfo(HOME_ZONE)
    first, last = span[0].astimezone(home).date(), (span[1] - timedelta(seconds=1)).astimezone(home).date()
    return f"Choose {first} to {last}: fewer finish. Checkout on Mobile Safari shows why: its card form failed."
