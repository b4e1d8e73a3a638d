"""Why nothing arrives: what all workers counted of a project, and the findings that explain it, likeliest first."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from iafa.clock import Clock
from iafa.event import DropReason
from iafa.ingest import attempts as seen
from iafa.ingest.attempts import ALL, STRAYS, Attempts, Tally
from iafa.ingest.gate import is_allowed_origin
from iafa.jobs.diagnosis_rules import INVALID, LATELY_US, RULES, Case, Finding
from iafa.lake.manifest import Manifests
from iafa.meta.projects import Project, Projects

_RANK = {"error": 0, "warning": 1, "info": 2, "ok": 3}
_KEYS = (seen.REVOKED_KEY, seen.EXPIRED_KEY, seen.UNKNOWN_KEY, seen.NO_KEY, seen.SECRET_KEY)


class Counted(NamedTuple):
    """Of one span of time."""

    reasons: Counter[str]

    @property
    def accepted(self) -> int:
        return self.reasons[seen.ACCEPTED]

    @property
    def invalid(self) -> int:
        return sum(self.reasons[reason] for reason in INVALID)

    @property
    def refused_requests(self) -> int:
        whats = (seen.BLOCKED_ORIGIN, *_KEYS)
        by_what = sum(self.reasons[what] for what in whats)
        return by_what + sum(count for what, count in self.reasons.items() if what.startswith(seen.REQUEST))


class Minute(NamedTuple):
    at_us: int
    accepted: int
    not_stored: int
    refused: int


class Diagnosis(NamedTuple):
    since_us: int
    now_us: int
    last_request_us: int | None
    last_accepted_us: int | None
    last_fetched_us: int | None
    lately: Counted
    day: Counted
    minutes: Sequence[Minute]
    findings: Sequence[Finding]


@dataclass(frozen=True)
class DiagnosisDesk:
    """Blocking."""

    attempts: Attempts
    projects: Projects
    manifests: Manifests
    clock: Clock

    def of(self, project: Project) -> Diagnosis:
        """What all workers know of the project, and of requests from its pages that no key brought to any project."""
        now_us = self.clock.now_us()
        tally = self.attempts.tally(project.id)
        strays = [one for one in self.attempts.tally(STRAYS).samples if is_from(project, one.origin)]
        whole = self.attempts.tally(ALL)
        since_us = min(whole.since_us, tally.since_us)
        # The lake is looked into only where silence is to be explained: one that is damaged must not hide the rest.
        is_silent = not tally.last_us and not strays
        has_events = is_silent and bool(self.manifests.latest(project.id).files)
        lately, day = tally.between(now_us - LATELY_US), tally.day(now_us)
        return diagnosed(Case(project, tally, lately, day, strays, now_us, has_events), since_us=since_us)


def diagnosed(case: Case, *, since_us: int) -> Diagnosis:
    tally, lately, day, now_us = case.tally, case.lately, case.day, case.now_us
    found = [finding for rule in RULES for finding in rule(case)]
    is_arriving = lately[seen.ACCEPTED] > 0
    # What happens now explains more than what happened today; what stops everything more than what stops a part.
    found.sort(key=lambda one: (_RANK[one.severity], one.lately == 0, -one.lately, -one.count))
    if is_arriving:
        found.sort(key=lambda one: one.code != "receiving")
    requests = [at_us for what, at_us in tally.last_us.items() if what not in (seen.FETCHED, seen.REMOVED)]
    return Diagnosis(
        since_us=since_us,
        now_us=now_us,
        last_request_us=max(requests, default=None),
        last_accepted_us=tally.last_us.get(seen.ACCEPTED),
        last_fetched_us=tally.last_us.get(seen.FETCHED),
        lately=Counted(lately),
        day=Counted(day),
        minutes=minutes_of(tally, now_us),
        findings=found,
    )


def is_from(project: Project, origin: str | None) -> bool:
    """Whether a page is one of the project's, by its domain or its allowed origins."""
    if origin is None:
        return False
    try:
        host = (urlsplit(origin).hostname or "").lower()
    except ValueError:  # whatever a stranger wrote there
        return False
    domain = (project.domain or "").lower().removeprefix("www.")
    if domain and (host == domain or host.endswith(f".{domain}")):
        return True
    return bool(project.allowed_origins) and is_allowed_origin(origin, project.allowed_origins)


def minutes_of(tally: Tally, now_us: int) -> list[Minute]:
    """The last 60; the present one is not over."""
    last = now_us // seen.US_PER_MINUTE
    found = []
    for minute in range(last - seen.MINUTES_KEPT + 1, last + 1):
        counted = Counted(Counter(tally.minutes.get(minute, {})))
        events = [*INVALID, DropReason.SAMPLED_OUT, DropReason.DUPLICATE]
        events += [DropReason.RATE_LIMITED, DropReason.QUOTA_EXCEEDED]
        not_stored = sum(counted.reasons[reason] for reason in events)
        found.append(Minute(minute * seen.US_PER_MINUTE, counted.accepted, not_stored, counted.refused_requests))
    return found
