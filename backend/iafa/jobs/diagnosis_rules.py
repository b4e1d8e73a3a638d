"""What may be wrong with a project's incoming requests: one rule a cause, over what was counted and the samples."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import msgspec

from iafa.clock import US_PER_S
from iafa.event import DropReason
from iafa.ingest import attempts as seen
from iafa.ingest.attempts import Sample, Tally
from iafa.ingest.gate import is_allowed_origin
from iafa.meta.projects import Project

Severity = Literal["error", "warning", "info", "ok"]
LATELY_US = 15 * 60 * US_PER_S
SAMPLES_MAX = 5
INVALID = frozenset(DropReason) - {
    *(DropReason.SAMPLED_OUT, DropReason.DUPLICATE, DropReason.RATE_LIMITED, DropReason.QUOTA_EXCEEDED),
}
STORAGE = ("storage_unavailable", "not_ready", "internal_error")


class Finding(msgspec.Struct, kw_only=True):
    """`count` and `samples` are of the last 24 hours."""

    code: str
    severity: Severity
    title: str
    advice: str
    count: int = 0
    lately: int = 0
    last_us: int | None = None
    samples: list[Sample] = []


class Case(NamedTuple):
    """All that a rule looks at."""

    project: Project
    tally: Tally
    lately: Counter[str]
    day: Counter[str]
    strays: Sequence[Sample]
    now_us: int
    has_events: bool  # stored ones, though no request is known

    def counted(self, *whats: str) -> "_Found":
        samples = [one for one in self.tally.samples if one.what in whats] + [
            one for one in self.strays if one.what in whats
        ]
        samples.sort(key=lambda one: -one.last_us)
        astray = [one for one in self.strays if one.what in whats]
        last = [self.tally.last_us[what] for what in whats if what in self.tally.last_us]
        return _Found(
            sum(self.day[what] for what in whats) + sum(one.count for one in astray),
            sum(self.lately[what] for what in whats)
            + sum(one.count for one in astray if one.last_us >= self.now_us - LATELY_US),
            max([*last, *(one.last_us for one in astray)], default=None),
            samples[:SAMPLES_MAX],
        )


@dataclass(frozen=True)
class _Found:
    count: int
    lately: int
    last_us: int | None
    samples: list[Sample]

    def finding(self, code: str, severity: Severity, title: str, advice: str) -> Finding:
        return Finding(
            code=code,
            severity=severity,
            title=title,
            advice=advice,
            count=self.count,
            lately=self.lately,
            last_us=self.last_us,
            samples=self.samples,
        )

    def only(self, samples: list[Sample], now_us: int) -> "_Found":
        """As many as the samples tell of."""
        lately = sum(one.count for one in samples if one.last_us >= now_us - LATELY_US)
        last_us = max((one.last_us for one in samples), default=None)
        count = min(self.count, sum(one.count for one in samples))
        return _Found(count, min(self.lately, lately), last_us, [one for one in self.samples if one in samples])

    def without(self, other: "_Found") -> "_Found":
        samples = [one for one in self.samples if one not in other.samples]
        last_us = max((one.last_us for one in samples), default=self.last_us)
        return _Found(max(0, self.count - other.count), max(0, self.lately - other.lately), last_us, samples)

    def names(self, choose: Callable[[Sample], str | None]) -> str:
        named = list(dict.fromkeys(name for one in self.samples if (name := choose(one))))
        return ", ".join(named[:3]) + (" and others" if len(named) > 3 else "")


def _receiving(case: Case) -> Iterator[Finding]:
    found = case.counted(seen.ACCEPTED)
    if found.lately:
        yield found.finding(
            "receiving", "ok", "Events are arriving", f"{found.lately} were stored in the last 15 minutes."
        )


def _blocked_origin(case: Case) -> Iterator[Finding]:
    """The origins of today decide: what was refused before one was allowed needs no remedy."""
    every = case.counted(seen.BLOCKED_ORIGIN)
    alike = [one for one in (*case.tally.samples, *case.strays) if one.what == seen.BLOCKED_ORIGIN]
    over = [one for one in alike if is_allowed_origin(one.origin or "", case.project.allowed_origins)]
    settled = every.only(over, case.now_us)
    found = every.without(settled)
    if settled.count:
        origins = settled.names(lambda one: one.origin) or "other origins"
        yield settled.finding(
            "origin_allowed",
            "info",
            f"Requests from {origins} were refused before the origin was allowed",
            "Its pages may send now. What was refused until then is not stored.",
        )
    if found.count:
        origins = found.names(lambda one: one.origin) or "other origins"
        yield found.finding(
            "blocked_origin",
            "error",
            f"Requests from {origins} are refused: the origin is not allowed",
            f"Add {origins} to the project's allowed origins, or leave the list empty to allow every page.",
        )


def _wrong_keys(case: Case) -> Iterator[Finding]:
    of_whom = {
        seen.REVOKED_KEY: "was revoked",
        seen.EXPIRED_KEY: "has expired after its rotation",
        seen.UNKNOWN_KEY: "is not known here",
    }
    for what, why in of_whom.items():
        found = case.counted(what)
        if found.count:
            keys = found.names(lambda one: f"...{one.key_last4}" if one.key_last4 else None) or "of another shape"
            yield found.finding(
                what,
                "error",
                f"Requests come with the key {keys}, which {why}",
                "Put the project's present write key into the snippet, and publish the page again.",
            )
    found = case.counted(seen.NO_KEY)
    if found.count:
        yield found.finding(
            seen.NO_KEY,
            "error",
            "Requests from your pages come without a key",
            "Pages name the write key in data-key; servers send a key as X-API-Key.",
        )


def _secret_key(case: Case) -> Iterator[Finding]:
    found = case.counted(seen.SECRET_KEY)
    if found.count:
        yield found.finding(
            seen.SECRET_KEY,
            "error",
            "A page uses the secret key",
            "Put the write key (iafa_w_...) into the page, and rotate the secret key: every visitor could read it.",
        )


def _quota(case: Case) -> Iterator[Finding]:
    found = case.counted(DropReason.QUOTA_EXCEEDED)
    if found.count:
        yield found.finding(
            "quota_exceeded",
            "error",
            "The project has had its events of this month",
            f"Raise the monthly quota ({case.project.monthly_quota}), or wait for the next month (UTC).",
        )


def _storage(case: Case) -> Iterator[Finding]:
    found = case.counted(*(seen.REQUEST + code for code in STORAGE))
    if found.count:
        yield found.finding(
            "storage_unavailable",
            "error",
            "The server could not store events",
            "See the system page and the server's log: the disk is full, the journal has no room, or the server is "
            "starting. Clients send again what was answered with 503.",
        )


def _invalid(case: Case) -> Iterator[Finding]:
    found = case.counted(*INVALID)
    if found.count:
        reasons = found.names(lambda one: f"{one.code} at {one.pointer or '/'}" if one.code else None)
        yield found.finding(
            "invalid_events",
            "warning" if case.lately[seen.ACCEPTED] else "error",
            f"Events are refused: {reasons}" if reasons else "Events are refused",
            "The quarantine shows each of them with its text; it can be mended and replayed there.",
        )


def _unreadable(case: Case) -> Iterator[Finding]:
    codes = {what for what in case.day if what.startswith(seen.REQUEST)}
    found = case.counted(*sorted(codes - {seen.REQUEST + code for code in STORAGE}))
    if found.count:
        reasons = found.names(lambda one: one.code)
        yield found.finding(
            "unreadable_requests",
            "warning" if case.lately[seen.ACCEPTED] else "error",
            f"Requests cannot be read: {reasons}",
            "Send JSON in UTF-8 with Content-Type: application/json, at most 2,500 events and 1 MiB a request.",
        )


def _rate_limited(case: Case) -> Iterator[Finding]:
    found = case.counted(DropReason.RATE_LIMITED)
    if found.count:
        project = case.project
        limits = f"{project.rate_limit_per_minute or 'no'} events a minute and key, "
        limits += f"{project.rate_limit_per_ip_per_minute or 'no'} requests a minute and address"
        yield found.finding(
            "rate_limited",
            "warning",
            "Events are refused because more come than the project's limits let pass",
            f"Send batches, or raise the limits ({limits}).",
        )


def _sampled_out(case: Case) -> Iterator[Finding]:
    found = case.counted(DropReason.SAMPLED_OUT)
    if found.count:
        yield found.finding(
            "sampled_out",
            "info" if case.lately[seen.ACCEPTED] else "warning",
            "Events are left out by the project's sampling rules",
            "Raise the rates of the rules, or remove them while you test.",
        )


def _duplicates(case: Case) -> Iterator[Finding]:
    found = case.counted(DropReason.DUPLICATE)
    if found.count:
        yield found.finding(
            "duplicates",
            "info" if case.lately[seen.ACCEPTED] or not found.lately else "warning",
            "Events came with ids that are stored already",
            "Repeats of one request are harmless. Different events need different ids.",
        )


def _bots(case: Case) -> Iterator[Finding]:
    found = case.counted(seen.BOT)
    if found.count:
        is_all = found.lately > 0 and found.lately >= case.lately[seen.ACCEPTED]
        yield found.finding(
            "bots",
            "warning" if is_all else "info",
            "Events come from user agents that say they are bots",
            "They are stored and left out of reports unless a report asks for bots. A test by a script or a crawler "
            "shows in no report.",
        )


def _removed(case: Case) -> Iterator[Finding]:
    found = case.counted(seen.REMOVED)
    if found.count:
        yield found.finding(
            "properties_removed",
            "info",
            "Properties on the project's deny-list were removed from events",
            "The events are stored without them. The deny-list is part of the privacy settings.",
        )


def _fetched_only(case: Case) -> Iterator[Finding]:
    found = case.counted(seen.FETCHED)
    last_us = found.last_us or 0
    others = [at_us for what, at_us in case.tally.last_us.items() if what not in (seen.FETCHED, seen.REMOVED)]
    # A visitor who sends something does so within seconds of fetching the file.
    if not found.count or any(at_us >= last_us - LATELY_US for at_us in others):
        return
    yield found.finding(
        "tracker_silent",
        "error",
        "The tracker's file is fetched, but no events follow",
        " ".join(_silencers(case.project)),
    )


def _silencers(project: Project) -> Iterator[str]:
    """What of the tracker's settings, or of a page, makes it send nothing."""
    tracker = project.tracker
    if tracker.domains:
        yield f"It sends only on {', '.join(tracker.domains[:3])} (the setting `domains`)."
    if tracker.consent == "required":
        yield "It waits until the page calls iafa.consent(true)."
    if not tracker.local:
        yield "It is silent on localhost (the setting `local`)."
    if tracker.dnt:
        yield "It is silent where the browser sends Do Not Track (the setting `dnt`)."
    if tracker.sample < 1:
        yield f"It keeps {tracker.sample:.0%} of the visitors (the setting `sample`)."
    yield "Or the page's content policy (connect-src) or an ad blocker stops it: open the page with ?iafa_debug=1."


def _nothing(case: Case) -> Iterator[Finding]:
    tally = case.tally
    if case.has_events:
        yield Finding(
            code="nothing_seen",
            severity="info",
            title="No request has come yet: the events here were imported or uploaded",
            advice="For events from pages put the snippet in. `iafa doctor URL` looks at a page that has it.",
        )
    elif not tally.last_us and not case.strays:
        yield Finding(
            code="nothing_seen",
            severity="error",
            title="No request has come from your pages or with a key of this project",
            advice="The snippet is not on the page, or names another server. `iafa doctor URL` looks at the page.",
        )
    elif not any(count for what, count in case.lately.items() if what != seen.REMOVED):
        last_us = max((*tally.last_us.values(), *(one.last_us for one in case.strays)))
        yield Finding(
            code="quiet",
            severity="warning",
            title="No event was stored in the last 15 minutes",
            advice="Open a page that has the snippet, and look again. `iafa doctor URL` looks at the page.",
            last_us=last_us,
        )


RULES: Sequence[Callable[[Case], Iterator[Finding]]] = (
    _receiving,
    _blocked_origin,
    _wrong_keys,
    _secret_key,
    _quota,
    _storage,
    _invalid,
    _unreadable,
    _fetched_only,
    _rate_limited,
    _sampled_out,
    _duplicates,
    _bots,
    _removed,
    _nothing,
)
