"""What `iafa verify` finds: the kinds, what each means, and what to do about it in plain words."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from iafa.lake.manifest import LakeFile


class Kind(StrEnum):
    """The closed set of findings."""

    MANIFEST_DAMAGED = "manifest_damaged"
    MANIFEST_OLD_DAMAGED = "manifest_old_damaged"
    FILE_MISSING = "file_missing"
    FILE_DAMAGED = "file_damaged"
    IDS_REPEATED = "ids_repeated"
    FILE_UNLISTED = "file_unlisted"
    FILE_LEFT_OVER = "file_left_over"
    UNLISTED_UNKNOWN = "unlisted_unknown"
    TRASH_OVERDUE = "trash_overdue"
    ROLLUP_MISSING = "rollup_missing"
    ROLLUP_DAMAGED = "rollup_damaged"
    ROLLUP_LEFT_OVER = "rollup_left_over"
    IDENTITY_DAMAGED = "identity_damaged"
    JOURNAL_DAMAGED = "journal_damaged"
    JOURNAL_CUT = "journal_cut"
    JOURNAL_POSITION = "journal_position"
    JOURNAL_TORN = "journal_torn"
    JOURNAL_KEPT = "journal_kept"
    EPOCH_DAMAGED = "epoch_damaged"
    METADATA_DAMAGED = "metadata_damaged"
    METADATA_PREVIOUS = "metadata_previous"
    RECORDS_DAMAGED = "records_damaged"
    AUDIT_BROKEN = "audit_broken"
    AUDIT_UNFINISHED = "audit_unfinished"
    PROJECT_UNKNOWN = "project_unknown"
    TAKEN_OUT = "taken_out"


@dataclass(frozen=True)
class Meaning:
    """`is_problem`: something is lost, wrong or in the way. Otherwise it is said, and nothing needs to be done."""

    is_problem: bool
    advice: str


_FROM_BACKUP = "`iafa verify --repair --from BACKUP` puts it back from a backup"
MEANINGS: dict[Kind, Meaning] = {
    Kind.MANIFEST_DAMAGED: Meaning(
        True,
        "`iafa verify --repair` goes back to the generation before it and takes in the newer files; nothing of the"
        " project is answered, flushed or merged until then",
    ),
    Kind.MANIFEST_OLD_DAMAGED: Meaning(True, "nothing depends on it; `iafa verify --repair` moves it aside"),
    Kind.FILE_MISSING: Meaning(
        True, f"{_FROM_BACKUP}; without one it takes the file off the list: its events are lost"
    ),
    Kind.FILE_DAMAGED: Meaning(
        True, f"{_FROM_BACKUP}; without one it moves the file to damaged/: its events are in no answer then"
    ),
    Kind.IDS_REPEATED: Meaning(True, "these events are counted more than once; please report it as a bug"),
    Kind.FILE_UNLISTED: Meaning(
        True, "`iafa verify --repair` takes its events in; otherwise the file is removed by and by"
    ),
    Kind.FILE_LEFT_OVER: Meaning(False, "a killed writer left it, all its events are elsewhere; it goes by itself"),
    Kind.UNLISTED_UNKNOWN: Meaning(False, "run it again later to look for unlisted files as well"),
    Kind.TRASH_OVERDUE: Meaning(False, "it goes with the next compaction: run `iafa compact` or start the server"),
    Kind.ROLLUP_MISSING: Meaning(
        True, f"{_FROM_BACKUP}; without one it takes the file off the list: the daily counts of its month are lost"
    ),
    Kind.ROLLUP_DAMAGED: Meaning(
        True, f"{_FROM_BACKUP}; without one it moves the file to damaged/: its daily counts are in no answer then"
    ),
    Kind.ROLLUP_LEFT_OVER: Meaning(False, "a killed run of retention left it; a later run removes it"),
    Kind.IDENTITY_DAMAGED: Meaning(
        True,
        f"{_FROM_BACKUP}; without one the edges of the identify events that are still there are made again; questions"
        " of the project fail until then",
    ),
    Kind.JOURNAL_DAMAGED: Meaning(
        True, "acknowledged requests are lost; their bytes are kept in journal/damaged/ when the segment is flushed"
    ),
    Kind.JOURNAL_CUT: Meaning(
        True, "acknowledged requests are lost; restore a backup into another directory to look for them"
    ),
    Kind.JOURNAL_POSITION: Meaning(True, "restart the server: what is acknowledged is then found by its checksums"),
    Kind.JOURNAL_TORN: Meaning(False, "normal after a crash: it was never acknowledged"),
    Kind.JOURNAL_KEPT: Meaning(False, "bytes of a damaged record; look at them, then remove the file by hand"),
    Kind.EPOCH_DAMAGED: Meaning(
        True, "the next start takes a number far above all that are known; `iafa verify --repair` writes it now"
    ),
    Kind.METADATA_DAMAGED: Meaning(
        True, "`iafa verify --repair` puts back the copy before the last change, or the backup's with --from"
    ),
    Kind.METADATA_PREVIOUS: Meaning(True, "`iafa verify --repair` moves it aside; the next change makes a new one"),
    Kind.RECORDS_DAMAGED: Meaning(
        True, f"{_FROM_BACKUP}; without one it moves the file to damaged/: no event depends on it"
    ),
    Kind.AUDIT_BROKEN: Meaning(
        True,
        "somebody or a disk changed the log of removals and repairs; `iafa verify --repair` moves it to damaged/ and"
        " begins a new one that says so",
    ),
    Kind.AUDIT_UNFINISHED: Meaning(False, "normal after a crash: the next entry cuts it off"),
    Kind.PROJECT_UNKNOWN: Meaning(
        False, "events of a project that projects.json does not name; was metadata/ restored from an older copy?"
    ),
    Kind.TAKEN_OUT: Meaning(False, "an earlier repair took it out of use; remove it by hand when you are done with it"),
}


@dataclass(frozen=True)
class Finding:
    """One thing that was found. `path` is relative to the data directory."""

    kind: Kind
    path: str
    what: str
    project_id: str | None = None
    file: LakeFile | None = None
    generation: int | None = None

    @property
    def is_problem(self) -> bool:
        return MEANINGS[self.kind].is_problem

    @property
    def advice(self) -> str:
        return MEANINGS[self.kind].advice


@dataclass
class Report:
    """Everything that one run looked at and found."""

    root: Path
    findings: list[Finding] = field(default_factory=list)
    looked_at: dict[str, int] = field(default_factory=dict)

    @property
    def problems(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.is_problem]

    def count(self, what: str, amount: int = 1) -> None:
        self.looked_at[what] = self.looked_at.get(what, 0) + amount

    def add(
        self,
        kind: Kind,
        path: Path,
        what: str,
        *,
        project_id: str | None = None,
        file: LakeFile | None = None,
        generation: int | None = None,
    ) -> None:
        relative = path.relative_to(self.root).as_posix()
        self.findings.append(Finding(kind, relative, what, project_id, file, generation))

    def of(self, *kinds: Kind) -> Iterator[Finding]:
        return (finding for finding in self.findings if finding.kind in kinds)
