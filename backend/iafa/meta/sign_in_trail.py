"""Sign-ins in the audit log: at most so many lines a minute and process; what is beyond is counted in one line."""

import threading
from collections import Counter

from iafa.audit import AuditLog
from iafa.clock import Clock

LINES_PER_MINUTE = 60
NOBODY = "anonymous"
SERVER = "server"  # the object of what concerns no organization


class SignInTrail:
    """Blocking."""

    def __init__(self, audit: AuditLog, clock: Clock) -> None:
        self._audit = audit
        self._clock = clock
        self._lock = threading.Lock()
        self._minute = -1
        self._lines = 0
        self._left_out: Counter[str] = Counter()

    def succeeded(self, user_id: str, organization_id: str, address: str) -> None:
        self._tell(f"user:{user_id}", "sign_in.succeed", f"organization:{organization_id}", {"address": address})

    def failed(self, address: str, user_id: str | None = None, organization_id: str | None = None) -> None:
        """Of an unknown account there is a line as well: what is asked for must not show in the time that it takes.
        The text that was given as its name is not kept: people type passwords there."""
        details = {"address": address} | ({} if user_id is None else {"user": user_id})
        self._tell(
            NOBODY,
            "sign_in.fail",
            SERVER if organization_id is None else f"organization:{organization_id}",
            details,
        )

    def _tell(self, actor: str, action: str, object: str, details: dict[str, str]) -> None:
        left_out: Counter[str] = Counter()
        with self._lock:
            minute = int(self._clock.monotonic_s() // 60)
            if minute != self._minute:
                self._minute, self._lines = minute, 0
                left_out, self._left_out = self._left_out, Counter()
            self._lines += 1
            if self._lines > LINES_PER_MINUTE:
                self._left_out[action] += 1
                return
        if left_out:
            self._audit.add(SERVER, "sign_in.left_out", SERVER, dict(left_out))
        self._audit.add(actor, action, object, details)
