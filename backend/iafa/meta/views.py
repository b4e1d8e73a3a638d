"""Saved views, boards of them, and notes on dates. What a question means is the read path's business."""

from typing import Any

from iafa.clock import Clock
from iafa.meta.json_file import JsonFile
from iafa.meta.project_records import ProjectRecord, ProjectRecords

VIEWS_MAX = 200  # a project's, as the others
BOARDS_MAX = 50
NOTES_MAX = 1_000


class StoredView(ProjectRecord, frozen=True, kw_only=True):
    """`card` is kept as it was accepted: kind, title, question, range, view."""

    name: str
    card: dict[str, Any]


class StoredBoard(ProjectRecord, frozen=True, kw_only=True):
    """`cards` are kept as they were accepted, each with its place on the grid."""

    name: str
    range: dict[str, Any] | None
    cards: tuple[dict[str, Any], ...]


class StoredNote(ProjectRecord, frozen=True, kw_only=True):
    """`start` is a day or an instant as it was given, `end` a later day."""

    start: str
    end: str | None
    text: str


class Views(ProjectRecords[StoredView]):
    def __init__(self, file: JsonFile[StoredView], clock: Clock) -> None:
        super().__init__(file, StoredView, clock, what="saved view", most=VIEWS_MAX)


class Boards(ProjectRecords[StoredBoard]):
    def __init__(self, file: JsonFile[StoredBoard], clock: Clock) -> None:
        super().__init__(file, StoredBoard, clock, what="board", most=BOARDS_MAX)


class Notes(ProjectRecords[StoredNote]):
    def __init__(self, file: JsonFile[StoredNote], clock: Clock) -> None:
        super().__init__(file, StoredNote, clock, what="note", most=NOTES_MAX)
