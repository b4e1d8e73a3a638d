"""`make mutants`: plants one bug at a time in a copy of the tree; its tests must turn red, or it survives."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("backend", "tests", "docs", "pyproject.toml", "README.md", "CHANGELOG.md")
RUN_S_MAX = 600
ORDER = "tests/crash/test_order.py"
FULL_DISK = "tests/crash/test_full_disk.py"
JOBS = "tests/unit/jobs/test_flush_and_compact.py"
SNAPSHOT = "tests/unit/lake/test_snapshot_order.py"
JOURNAL = "tests/unit/journal/test_writer.py"
RETRIES = "tests/crash/test_retries.py"
FAILPOINTS = "tests/crash/test_failpoints.py"


@dataclass(frozen=True)
class Mutant:
    """`old` occurs exactly once in the file below backend/iafa; any of `tests` must fail once it is `new`."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def planted_in(self, text: str) -> str:
        count = text.count(self.old)
        if count != 1:
            raise ValueError(f"{self.name}: its text is {count} times in {self.file}, not once")
        return text.replace(self.old, self.new)


MUTANTS = (
    Mutant(
        "the journal is not synced",
        "journal/segment.py",
        "            os.fdatasync(self._descriptor)\n",
        "",
        (ORDER,),
    ),
    Mutant(
        "the folder of a new segment is not synced",
        "journal/segment.py",
        "            sync_dir(directory)\n",
        "",
        (ORDER,),
    ),
    Mutant(
        "the folder of a part is not synced",
        "durable.py",
        '    hit(f"{area}.renamed")\n    sync_dir(final.parent)\n',
        '    hit(f"{area}.renamed")\n',
        (ORDER,),
    ),
    Mutant(
        "the parents of new folders are not synced",
        "durable.py",
        "        sync_dir(directory.parent)\n",
        "",
        (ORDER,),
    ),
    Mutant(
        "a file gets its name before its content is synced",
        "durable.py",
        '    sync_file(temporary)\n    hit(f"{area}.tmp_synced")\n    os.rename(temporary, final)\n',
        '    os.rename(temporary, final)\n    hit(f"{area}.tmp_synced")\n    sync_file(final)\n',
        (ORDER,),
    ),
    Mutant(
        "a manifest is linked before its content is synced",
        "durable.py",
        '    write_synced(temporary, data)\n    hit("manifest.tmp_written")\n',
        '    temporary.write_bytes(data)\n    hit("manifest.tmp_written")\n',
        (ORDER,),
    ),
    Mutant(
        "the folder of the manifest is not synced",
        "durable.py",
        '    hit("manifest.linked")\n    sync_dir(path.parent)\n',
        '    hit("manifest.linked")\n',
        (ORDER,),
    ),
    Mutant(
        "the journal is retired before the manifest",
        "jobs/flush.py",
        "        for project_id in list(group.rows):\n",
        "        for segment in segments:\n            unlink(segment.path)\n"
        "        for project_id in list(group.rows):\n",
        (ORDER, FAILPOINTS),
    ),
    Mutant(
        "questions read what lies in the folder, not what the manifest lists",
        "lake/snapshot.py",
        "files=tuple(directory / file.path for file in manifest.files)",
        'files=tuple(sorted(directory.glob("*/*/events_*.parquet")))',
        (JOBS,),
    ),
    Mutant(
        "the checksum of a record is not compared",
        "journal/format.py",
        """    if trailer != b',"c":"%08x"}\\n' % google_crc32c.value(body):\n""",
        """    if not trailer.startswith(b',"c":"'):\n""",
        (JOBS,),
    ),
    Mutant(
        "each worker knows only its own repeats",
        "jobs/flush.py",
        "distinct = self.appender.distinct(project_id, table)",
        "distinct = table",
        (JOBS, RETRIES),
    ),
    Mutant(
        "the locks do not lock",
        "locks.py",
        "        lock.acquire(timeout=wait_s)\n",
        "        pass\n",
        (JOBS,),
    ),
    Mutant(
        "refused bytes are not cut off",
        "journal/segment.py",
        "        os.ftruncate(self._descriptor, self.size)\n        os.lseek",
        "        os.lseek",
        (FULL_DISK, ORDER),
    ),
    Mutant(
        "a descriptor is synced again after its sync has failed",
        "journal/segment.py",
        "            self.is_spent = True\n            raise\n        self.synced = self._end\n",
        "            raise\n        self.synced = self._end\n",
        (ORDER, JOURNAL),
    ),
    Mutant(
        "merged parts are removed under running questions",
        "jobs/compact.py",
        "until_us = self.clock.now_us() + self.manifests.grace_us",
        "until_us = 0",
        (JOBS,),
    ),
    Mutant(
        "a merge loses rows",
        "jobs/merge.py",
        "            if waiting:\n",
        "            if waiting[1:]:\n",
        (JOBS, FAILPOINTS),
    ),
    Mutant(
        "a snapshot reads the manifest before the tail",
        "lake/snapshot.py",
        """            self._read_tail()
            was_held = is_held(self._layout, project_id)
            # Only now the manifest: what has vanished from the tail meanwhile is certain to be in it.
            manifest = self._manifests.latest(project_id)
""",
        """            manifest = self._manifests.latest(project_id)
            self._read_tail()
            was_held = is_held(self._layout, project_id)
""",
        (SNAPSHOT,),
    ),
    Mutant(
        "questions read behind the acknowledged position",
        "journal/reader.py",
        "limit = acked.offset if segment.number == acked.segment else None",
        "limit = None",
        (SNAPSHOT,),
    ),
    Mutant(
        "the epoch of a journal is used again",
        "journal/epoch.py",
        "    epoch = max(known, highest_journal(root)) + 1\n",
        "    epoch = max(1, highest_journal(root) + 1)\n",
        (JOURNAL,),
    ),
    Mutant(
        "requests are answered before they are synced",
        "journal/writer.py",
        "            if self._durability.interval_s == 0:\n",
        "            self._answer(group, None)\n            if self._durability.interval_s == 0:\n",
        (FULL_DISK, JOURNAL),
    ),
)


def main() -> int:
    """Print a table; 1 if a mutant survives or the tests are red without one."""
    with tempfile.TemporaryDirectory(prefix="iafa-mutants-") as folder:
        tree = Path(folder)
        _copy(tree)
        every = tuple(sorted({test for mutant in MUTANTS for test in mutant.tests}))
        if not _is_green(tree, every):
            print(f"red without a mutant: {' '.join(every)}")
            return 1
        survivors = 0
        for mutant in MUTANTS:
            is_killed = mutant_is_killed(tree, mutant)
            survivors += not is_killed
            print(f"{'killed' if is_killed else 'SURVIVES':<9} {mutant.file:<20} {mutant.name}", flush=True)
    print(f"{len(MUTANTS) - survivors} of {len(MUTANTS)} killed")
    return 1 if survivors else 0


def mutant_is_killed(tree: Path, mutant: Mutant) -> bool:
    path = tree / "backend" / "iafa" / mutant.file
    text = path.read_text()
    path.write_text(mutant.planted_in(text))
    try:
        return not _is_green(tree, mutant.tests)
    finally:
        path.write_text(text)


def _copy(tree: Path) -> None:
    ignored = shutil.ignore_patterns("static", "__pycache__")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=ignored)
        else:
            shutil.copy(source, tree / name)


def _is_green(tree: Path, tests: tuple[str, ...]) -> bool:
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not slow", *tests]
    environment = os.environ | {"PYTHONPATH": f"{tree / 'backend'}{os.pathsep}{tree}"}
    try:
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, timeout=RUN_S_MAX, check=False)
    except subprocess.TimeoutExpired:
        return False
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stdout.decode()[-2000:] + done.stderr.decode()[-2000:])
    return done.returncode == 0


def broken_texts() -> Iterator[str]:
    """Mutants whose text is not in the tree any more."""
    for mutant in MUTANTS:
        try:
            mutant.planted_in((ROOT / "backend" / "iafa" / mutant.file).read_text())
        except (OSError, ValueError) as error:
            yield f"{mutant.name}: {error}"


if __name__ == "__main__":
    sys.exit(main())
