"""Bytes that are torn, flipped, cut or zeroed at random places: the answer is right, or right without exactly the
damaged journal records, or an error that names the file. Never a silent wrong answer, never a reused number."""

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from iafa.cli.options import read_settings
from iafa.clock import US_PER_DAY, SystemClock
from iafa.errors import DataDamaged
from iafa.intake import open_intake
from iafa.journal.format import decode_lines
from iafa.journal.reader import journals, segments
from iafa.journal.writer import JournalLimits
from iafa.lake.layout import Layout
from iafa.lake.manifest import Manifests
from iafa.meta.json_file import JsonFile
from iafa.meta.projects import Project
from iafa.query.event_names import event_names
from iafa.wiring import House, open_house
from tests.support.events import NOON_US, PROJECT, encode, make_events
from tests.support.lake import TestLake, ids

SEED = int(os.environ.get("IAFA_TEST_SEED", "20261121"))
CASES = 40 * int(os.environ.get("IAFA_TEST_TIMES", "1"))
RECORDS, EVENTS_OF_RECORD = 24, 3


class Damaged(NamedTuple):
    """What was done to which file, to find it again; bytes from `first` to `last` (excluded) differ from before."""

    path: Path
    how: str
    first: int
    last: int


Cases = Callable[..., Iterator[tuple[Path, Damaged]]]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two stored days, and two journals of dead processes that are not flushed."""
    lake = TestLake(tmp_path_factory.mktemp("corruption") / "data", limits=JournalLimits(segment_events_max=30))
    lake.write(make_events(200, prefix="day"))
    lake.flusher.run()
    lake.compactor.run(everything=True)
    lake.clock.advance(601)
    lake.compactor.run()
    lake.write(make_events(60, prefix="old", created_at=NOON_US - US_PER_DAY))
    lake.flusher.run()
    for process in range(2):
        journal = lake.open_journal()
        for record in range(RECORDS // 2):
            events = make_events(EVENTS_OF_RECORD, prefix=f"waiting-{process}-{record}")
            journal.append_blocking(PROJECT, lake.clock.now_us(), encode(events), len(events))
        journal.close()
    projects: JsonFile[Project] = JsonFile(lake.root, "projects", Project, clock=lake.clock)
    for name in ("first", "second"):
        project = Project(
            id=PROJECT, organization_id="org", name=name, salt="s", created_us=NOON_US, updated_us=NOON_US
        )
        projects.change_now(lambda records, project=project: records.update({PROJECT: project}))  # type: ignore[misc]
    return lake.root


@pytest.fixture
def cases(template: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Cases:
    """Copies of the template, each with one damage to a file of the pattern."""

    def copies(*patterns: str) -> Iterator[tuple[Path, Damaged]]:
        chance = random.Random(f"{SEED} {request.node.name}")
        for number in range(CASES):
            root = tmp_path / f"{number}" / "data"
            shutil.copytree(template, root)
            paths = sorted(path for pattern in patterns for path in root.glob(pattern) if path.is_file())
            yield root, damage(chance.choice(paths), chance)
            shutil.rmtree(root.parent)

    return copies


def damage(path: Path, chance: random.Random) -> Damaged:
    data = bytearray(path.read_bytes())
    size, how = len(data), chance.choice(("torn", "flipped", "truncated", "zeroed"))
    first = chance.randrange(size)
    last = first + 1
    if how == "flipped":
        data[first] ^= 1 << chance.randrange(8)
    elif how == "zeroed":
        last = min(size, first + chance.choice((1, 16, 512, 4096)))
        data[first:last] = bytes(last - first)
    elif how == "truncated":
        del data[first:]
        last = size
    else:  # the end was never written: the old length, with nothing in it
        data[first:] = bytes(size - first)
        last = size
    path.write_bytes(data)
    return Damaged(path, how, first, last)


def house_at(root: Path) -> House:
    return open_house(read_settings(data_dir=root))


def counted(house: House) -> int:
    """What the engine answers, and what the snapshot holds: two ways that must agree."""
    snapshot = house.snapshots.take(PROJECT)
    try:
        counts = [row["count"] for row in event_names(house.engine, snapshot)]
    finally:
        house.engine.close()
    total = sum(count for count in counts if isinstance(count, int))
    assert total == len(ids(snapshot)) == len(set(ids(snapshot)))
    return total


def answer_of(ask: Callable[[], object]) -> tuple[object, str]:
    """(the answer, "") or (None, what the error says)."""
    try:
        return ask(), ""
    except DataDamaged as error:
        return None, error.detail


ALL = 200 + 60 + RECORDS * EVENTS_OF_RECORD


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [("part", "events/*/*/*/*.parquet"), ("manifest", "events/*/manifest/*4.json")],
)
def test_damaged_files_of_the_lake(cases: Cases, say: Callable[[str], None], kind: str, pattern: str) -> None:
    outcomes: Counter[str] = Counter()
    for root, done in cases(pattern):
        found, said = answer_of(lambda root=root: counted(house_at(root)))  # type: ignore[misc]
        assert found == ALL or (done.path.name in said and "`iafa verify`" in said), (found, said, done)
        outcomes["named" if said else "right"] += 1
    assert outcomes["named"] > CASES / 2
    say(f"{kind}: {dict(outcomes)} of {CASES}, seed {SEED}, 0 wrong answers")


def test_damaged_metadata(cases: Cases, say: Callable[[str], None]) -> None:
    outcomes: Counter[str] = Counter()
    for root, done in cases("metadata/*.json"):
        projects: JsonFile[Project] = JsonFile(root, "projects", Project, clock=SystemClock())
        found, said = answer_of(lambda file=projects: [one.name for one in file.read().records.values()])  # type: ignore[misc]
        assert found == ["second"] or (done.path.name in said and "projects.previous.json" in said), (found, said, done)
        outcomes["named" if said else "right"] += 1
    assert outcomes["named"] > CASES / 3
    say(f"metadata: {dict(outcomes)} of {CASES}, seed {SEED}, 0 wrong answers")


def touched_events(template: Path, root: Path, done: Damaged) -> set[str]:
    """The events of the records of which a byte was hit, by a reader of the sound file that shares nothing."""
    if done.path.suffix != ".ndjson":
        return set()
    hit, start = set[str](), 0
    for line in (template / done.path.relative_to(root)).read_bytes().splitlines(keepends=True):
        end = start + len(line)
        if done.first < end and done.last > start:
            hit.update(event["id"] for event in msgspec.json.decode(line)["e"])
        start = end
    return hit


def test_damaged_journals(template: Path, cases: Cases, say: Callable[[str], None]) -> None:
    outcomes: Counter[str] = Counter()
    everything = set(ids(TestLake(template).take()))
    assert len(everything) == ALL
    epochs = {epoch for epoch, _directory in journals(template / "journal")} | {1, 2}
    for root, done in cases("journal/*/*.ndjson", "journal/*/*.ndjson", "journal/*/acked", "journal/epoch"):
        may_be_lost = touched_events(template, root, done)
        house = house_at(root)
        found = set(ids(house.snapshots.take(PROJECT)))
        assert everything - may_be_lost <= found <= everything, done
        intake = open_intake(house)
        assert intake.journal.epoch not in epochs, done
        intake.journal.close()
        flushed = house.flusher().run()
        assert set(ids(house_at(root).snapshots.take(PROJECT))) == found, done
        if found == everything:
            outcomes["right"] += 1
            continue
        outcomes["without the damaged records"] += 1
        assert flushed.damage.damaged or flushed.damage.torn_tails or ends_between_records(template, root, done), done
        assert flushed.damage.torn_tails or done.how == "truncated" or any((root / "journal" / "damaged").iterdir())
    assert outcomes["without the damaged records"] > CASES / 4
    say(f"journal: {dict(outcomes)} of {CASES}, seed {SEED}, 0 wrong answers")


def ends_between_records(template: Path, root: Path, done: Damaged) -> bool:
    """A cut exactly between two records leaves nothing that could be counted; `iafa verify` finds it."""
    sound = (template / done.path.relative_to(root)).read_bytes()
    return done.how == "truncated" and (done.first == 0 or sound[: done.first].endswith(b"\n"))


def test_the_template_is_what_the_cases_think(template: Path) -> None:
    layout = Layout(template)
    records = 0
    for epoch, directory in journals(layout.journal):
        for segment in segments(epoch, directory):
            records += sum(record is not None for record, _end in decode_lines(segment.path.read_bytes()))
    assert records == RECORDS
    assert len(Manifests(layout, SystemClock()).latest(PROJECT).files) == 2
