"""`iafa verify`: reads everything in the data directory and says what is damaged, missing or unlisted.

Works beside a running server: it changes nothing and waits for nobody.
"""

from dataclasses import dataclass
from pathlib import Path

from iafa import audit
from iafa.clock import Clock
from iafa.jobs.findings import Kind, Report
from iafa.jobs.verify_files import why_record_unsound
from iafa.jobs.verify_journal import JournalVerifier
from iafa.jobs.verify_lake import LakeVerifier
from iafa.lake.dropped import is_dropped
from iafa.lake.layout import Layout
from iafa.lake.manifest import Manifests
from iafa.locks import held
from iafa.meta.json_file import NotSound, decode_document

PREVIOUS = ".previous"
AUDIT_WAIT_S = 5.0


@dataclass(frozen=True)
class Verifier:
    """One run over a data directory, or over one project of it."""

    layout: Layout
    manifests: Manifests
    clock: Clock
    dedup_window_us: int

    def run(self, project_id: str | None = None) -> Report:
        report = Report(self.layout.root)
        lake = LakeVerifier(self.layout, self.manifests, self.clock, self.dedup_window_us, report)
        for found in self.layout.project_ids() if project_id is None else [project_id]:
            if not is_dropped(self.layout, found):
                lake.verify(found)
        if project_id is None:
            JournalVerifier(self.layout, report).verify()
            self._metadata(report)
            self._quarantine(report)
            self._audit(report)
            self._taken_out(report)
        return report

    def _metadata(self, report: Report) -> None:
        names = {path.name.removesuffix(".json").removesuffix(PREVIOUS) for path in self.layout.metadata.glob("*.json")}
        for name in sorted(names):
            path, previous = metadata_paths(self.layout, name)
            report.count("metadata")
            if not path.exists():
                report.add(Kind.METADATA_DAMAGED, path, "is missing, but the copy before the last change is there")
            elif why := why_not_sound(path):
                report.add(Kind.METADATA_DAMAGED, path, why)
            if previous.exists() and (why := why_not_sound(previous)):
                report.add(Kind.METADATA_PREVIOUS, previous, why)
        self._unknown_projects(report)

    def _unknown_projects(self, report: Report) -> None:
        path, _previous = metadata_paths(self.layout, "projects")
        try:
            known = set(decode_document(path.read_bytes()).records) if path.exists() else set()
        except NotSound:
            return
        for project_id in self.layout.project_ids():
            if project_id not in known and not is_dropped(self.layout, project_id):
                what = "has no record in metadata/projects.json"
                report.add(Kind.PROJECT_UNKNOWN, self.layout.project(project_id), what, project_id=project_id)

    def _quarantine(self, report: Report) -> None:
        """No manifest lists these files, but their pages have checksums too, and the counts of a day a seal."""
        for path in sorted(
            (*self.layout.quarantines.rglob("*.parquet"), *self.layout.quarantines.rglob("dropped_*.json"))
        ):
            report.count("quarantine")
            try:
                if why := why_record_unsound(path):
                    report.add(Kind.RECORDS_DAMAGED, path, why)
            except FileNotFoundError:
                continue  # replaced meanwhile

    def _audit(self, report: Report) -> None:
        root = self.layout.audit
        if not root.is_dir():
            return
        report.count("audit_logs", len(audit.audit_files(root)))
        problems = audit.verify(root)
        if problems:  # or somebody is just writing: look again when nobody does
            with held(root / audit.LOCK_NAME, wait_s=AUDIT_WAIT_S):
                problems = audit.verify(root)
        for problem in problems:
            kind = Kind.AUDIT_UNFINISHED if problem.endswith(audit.UNFINISHED) else Kind.AUDIT_BROKEN
            report.add(kind, root, problem)

    def _taken_out(self, report: Report) -> None:
        for path in sorted(self.layout.damaged.rglob("*")) if self.layout.damaged.is_dir() else []:
            if path.is_file():
                report.add(Kind.TAKEN_OUT, path, f"{path.stat().st_size:,} bytes")


def metadata_paths(layout: Layout, name: str) -> tuple[Path, Path]:
    """(the file, the copy before its last change)"""
    return layout.metadata / f"{name}.json", layout.metadata / f"{name}{PREVIOUS}.json"


def why_not_sound(path: Path) -> str:
    """Why a metadata file must not be used; empty when it may."""
    try:
        decode_document(path.read_bytes())
    except NotSound as error:
        return str(error)
    except FileNotFoundError:
        return "is missing"
    return ""
