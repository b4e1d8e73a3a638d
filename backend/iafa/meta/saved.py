"""All that a project's members save beside funnels: views, boards, notes on dates, share links. Each a file."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from iafa.clock import Clock
from iafa.failpoints import Hit, no_failpoints
from iafa.meta.json_file import JsonFile
from iafa.meta.shares import Shares, StoredShare
from iafa.meta.views import Boards, Notes, StoredBoard, StoredNote, StoredView, Views


@dataclass(frozen=True)
class Saved:
    views: Views
    boards: Boards
    notes: Notes
    shares: Shares

    async def remove_of_project(self, project_id: str) -> None:
        """The links first: they are the only door that strangers have."""
        await self.shares.remove_of_project(project_id)
        await self.boards.remove_of_project(project_id)
        await self.views.remove_of_project(project_id)
        await self.notes.remove_of_project(project_id)


def open_saved(data_dir: Path, clock: Clock, hit: Hit = no_failpoints) -> Saved:
    file = partial(JsonFile, data_dir, clock=clock, hit=hit)
    return Saved(
        views=Views(file("views", StoredView), clock),
        boards=Boards(file("boards", StoredBoard), clock),
        notes=Notes(file("notes", StoredNote), clock),
        shares=Shares(file("shares", StoredShare), clock),
    )
