"""Makes the data directory kept in `tests/fixtures`: one of each format, by the product itself, at a fixed time.

Run it once for a new set of formats, with a new folder: `python -m tests.support.frozen tests/fixtures/data_vN`.
"""

import asyncio
import shutil
import sys
from pathlib import Path

from iafa.cli.options import read_settings
from iafa.clock import US_PER_DAY, FakeClock
from iafa.intake import open_intake
from iafa.wiring import House, open_house
from tests.support.events import NOON_US, encode, make_events

PASSWORD = "not a secret: a placeholder"  # of the user owner@example.com
SECRET = "not-a-secret-but-a-placeholder-of-the-frozen-directory"


def stage(name: str) -> dict[str, object]:
    return {"name": name, "event": name}


FUNNEL = {"name": "Visit to purchase", "stages": [stage("visit"), stage("purchase")], "window_seconds": 86_400}


async def _metadata(house: House) -> str:
    user = await house.accounts.register(email="owner@example.com", password=PASSWORD, full_name="Test Owner")
    project, _write, _secret = await house.projects.add(
        user.organization_id, name="Frozen shop", settings={"retention_days": None}
    )
    await house.funnels.add(project.id, name="Visit to purchase", definition=FUNNEL)
    return project.id


def _write(house: House, project_id: str, prefix: str, visits: int, purchases: int, at_us: int) -> None:
    """`visits` people come and the first `purchases` of them buy, one process start each."""
    intake = open_intake(house)
    for name, count, after_us in (("visit", visits, 0), ("purchase", purchases, 60_000_000)):
        events = make_events(count, prefix=f"{prefix}-{name}", event_type=name, created_at=at_us + after_us)
        for number, event in enumerate(events):
            event.user_id = f"{prefix}-{number}"
        intake.journal.append_blocking(project_id, house.clock.now_us(), encode(events), count)
    intake.journal.close()


def make(root: Path) -> None:
    """A merged day, a part of another day, unflushed records, a user, a project, a funnel."""
    (root / "config").mkdir(parents=True)
    (root / "config" / "secret_key").write_text(SECRET)
    house = open_house(read_settings(data_dir=root), FakeClock(NOON_US))
    project_id = asyncio.run(_metadata(house))
    _write(house, project_id, "day", 7, 3, NOON_US - US_PER_DAY)
    house.flusher().run()
    house.compactor().run(everything=True)
    _write(house, project_id, "part", 5, 2, NOON_US)
    house.flusher().run()
    _write(house, project_id, "waiting", 4, 1, NOON_US)
    for folder in ("locks", "tmp", "trash", "index"):
        shutil.rmtree(root / folder, ignore_errors=True)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
