"""Tickets of the live view: each lets one socket in once, whichever worker gave it and whichever takes it.

A ticket is a file in `run/`: whoever takes the file away was the first. A restart forgets all.
"""

import hashlib
import secrets
from pathlib import Path

import msgspec

from iafa.clock import Clock
from iafa.durable import make_dirs, replace_derived, take_away, unlink
from iafa.errors import RateLimited

LIFE_S = 30.0
TICKETS_MAX = 1_000  # that nobody has used yet
USER_TICKETS_MAX = 50  # of one user
TICKET_CHARS_MAX = 100


class Ticket(msgspec.Struct, frozen=True):
    """Who may watch what, and until when the ticket is good on the monotonic clock, which all workers share."""

    project_id: str
    user_id: str
    session_id: str
    until_s: float


class LiveTickets:
    """Blocking."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    def issue(self, project_id: str, user_id: str, session_id: str) -> str:
        """The ticket. Raises RateLimited while too many are out."""
        now_s = self._clock.monotonic_s()
        make_dirs(self._folder)
        out, of_user = self._outstanding(now_s, user_id)
        if out >= TICKETS_MAX:
            raise RateLimited("too many tickets are out", retry_after_s=int(LIFE_S), limit=TICKETS_MAX)
        if of_user >= USER_TICKETS_MAX:
            raise RateLimited("too many of your tickets are out", retry_after_s=int(LIFE_S), limit=USER_TICKETS_MAX)
        text = secrets.token_urlsafe(32)
        ticket = Ticket(project_id, user_id, session_id, now_s + LIFE_S)
        replace_derived(self._path(text), msgspec.json.encode(ticket))
        return text

    def redeem(self, text: str) -> Ticket | None:
        """What the ticket is for; None when it is none, was used, or is too old."""
        if not text or len(text) > TICKET_CHARS_MAX:
            return None
        data = take_away(self._path(text))
        if data is None:
            return None
        ticket = msgspec.json.decode(data, type=Ticket)
        return ticket if self._clock.monotonic_s() < ticket.until_s else None

    def _outstanding(self, now_s: float, user_id: str) -> tuple[int, int]:
        """How many are out, and how many of them are the user's. Sweeps what nobody used in time."""
        left = of_user = 0
        for path in self._folder.glob("*.ticket"):
            try:
                ticket = msgspec.json.decode(path.read_bytes(), type=Ticket)
            except (FileNotFoundError, msgspec.DecodeError):
                continue
            if ticket.until_s <= now_s:
                unlink(path)
            else:
                left += 1
                of_user += ticket.user_id == user_id
        return left, of_user

    def _path(self, text: str) -> Path:
        """The folder does not hold what lets anybody in."""
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()}.ticket"
