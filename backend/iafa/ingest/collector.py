"""Collecting: from a request's bytes to the durable acknowledgement. Knows nothing of HTTP."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple

import msgspec

from iafa.clock import US_PER_DAY, Clock
from iafa.errors import FieldError, PayloadTooLarge, ValidationFailed
from iafa.event import (
    BATCH_DATES_MAX,
    EVENT_BYTES_MAX,
    REJECTED_BODY_CHARS_MAX,
    DropReason,
    Event,
    Location,
    Rejected,
    earliest_kept_us,
)
from iafa.ingest.attempts import REMOVED, Attempts
from iafa.ingest.deliveries import Delivery
from iafa.ingest.drafts import BATCH, BEACON, TRACK, delivered, drafted, nowhere
from iafa.ingest.gate import Gate, Origin
from iafa.ingest.pipeline import Draft, Sender
from iafa.ingest.plain import Plain, PlainEvent, encode, read_batch, read_beacon, read_event
from iafa.ingest.privacy import Privacy, denial_of, hash_address, quarantine_text
from iafa.ingest.recent_ids import RecentIds
from iafa.ingest.rejections import Rejections
from iafa.ingest.salts import Salts
from iafa.ingest.sampling import Sampler, sampler_of
from iafa.ingest.wire import Parsed, decode_batch, decode_beacon, decode_event, event_texts
from iafa.journal.writer import JournalWriter
from iafa.meta.api_keys import KeyGrant
from iafa.meta.event_schemas import schemas_of
from iafa.metrics import Counters


class Result(msgspec.Struct, gc=False, omit_defaults=True):
    """What became of one event of a batch; `index` counts from 0."""

    index: int
    event_id: str | None
    result: str
    code: str | None = None
    pointer: str | None = None
    message: str | None = None


class BatchAnswer(msgspec.Struct, gc=False):
    """The five counts add up to the events that were sent."""

    accepted: int
    duplicates: int
    sampled_out: int
    rejected: int
    retry: int
    results: list[Result]


class EventAnswer(msgspec.Struct, gc=False):
    status: str
    id: str


class Judged(NamedTuple):
    """A batch's answer, and what has to be stored before it may be sent."""

    answer: BatchAnswer
    ids: Collection[str]
    encoded: bytes
    left_out: Sequence["LeftOut"] = ()


class LeftOut(NamedTuple):
    """An event that is all right and is not stored; the reason is called like its result."""

    reason: str
    event_id: str
    event_type: str | None


def nobody_is_a_bot(_user_agent: str | None) -> bool:
    """For tests that look at no user agents."""
    return False


@dataclass(frozen=True)
class Collector:
    """The one implementation behind every collect route."""

    journal: JournalWriter
    gate: Gate
    salts: Salts
    recent: RecentIds
    rejections: Rejections
    counters: Counters
    clock: Clock
    locate: Callable[[str], Location | None] = nowhere
    attempts: Attempts | None = None
    is_bot: Callable[[str | None], bool] = nobody_is_a_bot

    async def one(self, grant: KeyGrant, origin: Origin, body: bytes) -> EventAnswer:
        """One event; raises ValidationFailed with every error, or PayloadTooLarge."""
        sender = self._sender(grant, origin, route=TRACK)
        plain = read_event(body, sender)
        parsed = decode_event(body) if plain is None else None
        await self.gate.spend(grant, origin, 1)
        if parsed is None:
            assert plain is not None
            self._count_removed(grant, sender, plain.removed)
            event: Event | PlainEvent = plain.events[0]
            id_, encoded = plain.ids[0], plain.encoded
        else:
            draft = self._judge_one(grant, sender, body, parsed)
            assert draft.event is not None
            event, id_, encoded = draft.event, draft.id, b"[%b]" % draft.encoded
        if grant.sampling:
            if not sampler_of(grant.sampling, grant.salt).keeps(event):
                names = [(id_, event.event_type)]
                self.rejections.drop(grant.project_id, sender.received_at, DropReason.SAMPLED_OUT, names=names)
                return EventAnswer("sampled_out", id_)
            encoded = msgspec.json.encode([event])
        if self.recent.known(grant.project_id, (id_,)):
            self.rejections.drop(grant.project_id, sender.received_at, DropReason.DUPLICATE, names=[(id_, None)])
            return EventAnswer("duplicate", id_)
        await self._store(grant, sender, (id_,), encoded)
        return EventAnswer("ok", id_)

    async def batch(self, grant: KeyGrant, origin: Origin, body: bytes, *, verbose: bool = False) -> BatchAnswer:
        """Many events, each judged alone."""
        sender = self._sender(grant, origin, route=BATCH)
        judged = await self._judge_batch(grant, origin, sender, body, verbose=verbose)
        return await self._store_judged(grant, sender, judged)

    async def beacon(self, grant: KeyGrant, origin: Origin, body: bytes) -> BatchAnswer:
        """What tracker.js sends; a client's wrong clock is corrected by the time it sent the body."""
        sender = self._sender(grant, origin, is_browser=True, route=BEACON)
        judged = await self._judge_beacon(grant, origin, sender, body)
        return await self._store_judged(grant, sender, judged)

    async def deliver(self, grant: KeyGrant, origin: Origin, delivery: Delivery) -> BatchAnswer:
        """What another tool's client sends. Only a page, which names its origin, speaks from a visitor's address."""
        received_at, privacy = self.clock.now_us(), self._privacy(grant)
        is_page = origin.origin is not None or delivery.is_page
        sender = Sender(
            received_at=received_at,
            is_browser=False,  # whoever names nobody is refused, from wherever it comes
            user_agent=origin.user_agent,
            ip_address=privacy.stored(origin.address) if is_page else None,
            location=self.locate(origin.address) if is_page else None,
            is_page=is_page,
            salt=grant.salt,
            sent_ms=delivery.sent_ms,
            is_upload=delivery.is_history,
            earliest_us=earliest_kept_us(received_at, grant.retention_days),
            request_key=origin.request_key,
            route=delivery.route,
            privacy=privacy,
            schemas=schemas_of(grant.schemas) if grant.schemas else None,
        )
        await self.gate.spend(grant, origin, len(delivery.items))
        drafts = (delivered(delivery, index, sender, origin, self.locate) for index in range(len(delivery.items)))
        judged = self._judge(grant, sender, drafts, delivery.text, verbose=False)
        del delivery, drafts
        return await self._store_judged(grant, sender, judged)

    async def _store_judged(self, grant: KeyGrant, sender: Sender, judged: Judged) -> BatchAnswer:
        answer = judged.answer
        for reason, count in (
            (DropReason.DUPLICATE, answer.duplicates),
            (DropReason.SAMPLED_OUT, answer.sampled_out),
        ):
            if count:
                names = ((one.event_id, one.event_type) for one in judged.left_out if one.reason == reason)
                self.rejections.drop(grant.project_id, sender.received_at, reason, count, names=names)
        if judged.ids:
            await self._store(grant, sender, judged.ids, judged.encoded)
        return judged.answer

    # No frame that waits for the disk holds the events: thirty requests' worth of them would not fit the caches.
    async def _judge_batch(
        self, grant: KeyGrant, origin: Origin, sender: Sender, body: bytes, *, verbose: bool
    ) -> Judged:
        plain = read_batch(body, sender)
        if plain is not None:
            await self.gate.spend(grant, origin, len(plain.ids))
            return self._judge_plain(grant, sender, plain, verbose=verbose)
        events = decode_batch(body)
        await self.gate.spend(grant, origin, len(events))
        return self._judge_events(grant, sender, body, events, verbose=verbose)

    async def _judge_beacon(self, grant: KeyGrant, origin: Origin, sender: Sender, body: bytes) -> Judged:
        plain = read_beacon(body, sender)
        if plain is not None:
            await self.gate.spend(grant, origin, len(plain.ids))
            return self._judge_plain(grant, sender, plain, verbose=False)
        events, sent_ms = decode_beacon(body)
        await self.gate.spend(grant, origin, len(events))
        return self._judge_events(grant, sender._replace(sent_ms=sent_ms), body, events, verbose=False)

    def _judge_plain(self, grant: KeyGrant, sender: Sender, plain: Plain, *, verbose: bool) -> Judged:
        self._count_removed(grant, sender, plain.removed)
        sampler = sampler_of(grant.sampling, grant.salt) if grant.sampling else None
        ids, encoded = plain.ids, plain.encoded
        results: list[Result] = []
        seen = set(self.recent.known(grant.project_id, ids))
        left_out: list[LeftOut] = []
        if verbose or seen or sampler is not None or len(set(ids)) < len(ids):
            ids, events = [], []
            for index, (id_, event) in enumerate(zip(plain.ids, plain.events, strict=True)):
                if sampler is not None and not sampler.keeps(event):
                    results.append(Result(index, id_, "sampled_out"))
                    left_out.append(LeftOut(DropReason.SAMPLED_OUT, id_, event.event_type))
                    continue
                if id_ in seen:
                    results.append(Result(index, id_, "duplicate"))
                    left_out.append(LeftOut(DropReason.DUPLICATE, id_, event.event_type))
                    continue
                seen.add(id_)
                ids.append(id_)
                events.append(event)
                if verbose:
                    results.append(Result(index, id_, "ok"))
            encoded = encode(events)
        sampled_out = sum(one.reason == DropReason.SAMPLED_OUT for one in left_out)
        answer = BatchAnswer(len(ids), len(left_out) - sampled_out, sampled_out, 0, 0, results)
        return Judged(answer, ids, encoded, left_out)

    def _judge_events(
        self, grant: KeyGrant, sender: Sender, body: bytes, events: Sequence[Parsed], *, verbose: bool
    ) -> Judged:
        drafts = (drafted(parsed, sender, f"/events/{index}", index) for index, parsed in enumerate(events))
        return self._judge(grant, sender, drafts, _texts(body, len(events)), verbose=verbose)

    def _judge(
        self,
        grant: KeyGrant,
        sender: Sender,
        drafts: Iterable[Draft],
        text_of: Callable[[int], str],
        *,
        verbose: bool,
    ) -> Judged:
        answer = BatchAnswer(0, 0, 0, 0, 0, [])
        accepted: dict[str, bytes] = {}
        refused: list[Draft] = []
        left_out: list[LeftOut] = []
        days: set[int] = set()
        removed = 0
        sampler = sampler_of(grant.sampling, grant.salt) if grant.sampling else None
        for index, draft in enumerate(drafts):
            _bound_days(draft, days)
            removed += draft.removed
            if draft.errors:
                refused.append(draft)
                answer.results.append(_rejection(index, draft))
            elif sampler is not None and not _is_kept(draft, sampler):
                answer.sampled_out += 1
                answer.results.append(Result(index, draft.id, "sampled_out"))
                left_out.append(LeftOut(DropReason.SAMPLED_OUT, draft.id, draft.event_type))
            elif draft.id in accepted or self.recent.known(grant.project_id, (draft.id,)):
                answer.duplicates += 1
                answer.results.append(Result(index, draft.id, "duplicate"))
                left_out.append(LeftOut(DropReason.DUPLICATE, draft.id, draft.event_type))
            else:
                accepted[draft.id] = draft.encoded
                if verbose:
                    answer.results.append(Result(index, draft.id, "ok"))
        self._count_removed(grant, sender, removed)
        answer.accepted, answer.rejected = len(accepted), len(refused)
        if refused:
            self._refuse(grant, sender, refused, text_of)
        return Judged(answer, accepted, b"[%b]" % b",".join(accepted.values()), left_out)

    def _judge_one(self, grant: KeyGrant, sender: Sender, body: bytes, parsed: Parsed) -> Draft:
        """An event that is accepted."""
        draft = drafted(parsed, sender, "", 0)
        self._count_removed(grant, sender, draft.removed)
        if draft.errors:
            self._refuse(grant, sender, [draft], lambda _position: body.decode("utf-8", "replace"))
            if draft.errors[0].code == DropReason.EVENT_TOO_LARGE:
                raise PayloadTooLarge(draft.errors[0].message, code="event_too_large", limit=EVENT_BYTES_MAX)
            raise ValidationFailed("the event was not stored", errors=draft.errors)
        return draft

    def _refuse(self, grant: KeyGrant, sender: Sender, drafts: Sequence[Draft], text_of: Callable[[int], str]) -> None:
        """Count refused events and offer them for the quarantine."""
        sent_by = sender.sent_by()
        rejected = [
            Rejected(
                code=draft.errors[0].code,
                pointer=draft.errors[0].pointer,
                message=draft.errors[0].message,
                event_id=draft.id or None,
                event_type=draft.event_type or None,
                body=quarantine_text(text_of(draft.position), sender.privacy.denial)[:REJECTED_BODY_CHARS_MAX],
                source=sender.route,
                sender=sent_by,
            )
            for draft in drafts
        ]
        self.rejections.keep(grant.project_id, sender.received_at, rejected)

    def _count_removed(self, grant: KeyGrant, sender: Sender, count: int) -> None:
        if not count:
            return
        self.counters.add("properties_removed", amount=count)
        if self.attempts is not None:
            self.attempts.add(grant.project_id, ((REMOVED, count),), sender.received_at)

    async def _store(self, grant: KeyGrant, sender: Sender, ids: Collection[str], encoded: bytes) -> None:
        await self.journal.append(grant.project_id, sender.received_at, encoded, len(ids))
        self.recent.add(grant.project_id, ids)
        self.gate.usage.add(grant.project_id, len(ids))
        self.counters.add("events_accepted", amount=len(ids))
        if self.attempts is not None:
            is_bot = self.is_bot(sender.user_agent)
            self.attempts.accept(grant.project_id, len(ids), sender.received_at, is_bot=is_bot)

    def _sender(self, grant: KeyGrant, origin: Origin, *, is_browser: bool = False, route: str) -> Sender:
        # Pages use the public key; whoever holds the secret one is a server, and its own address is no visitor's.
        # A write key alone may also be a script's, whose address must not become the country of all its users.
        is_page = is_browser or (grant.kind == "write" and origin.origin is not None)
        is_browser = is_browser or grant.kind == "write"
        received_at, privacy = self.clock.now_us(), self._privacy(grant)
        is_visitor = grant.kind == "write"
        stored = privacy.stored(origin.address) if is_visitor else None
        return Sender(
            received_at=received_at,
            is_browser=is_browser,
            user_agent=origin.user_agent,
            ip_address=stored,
            location=self.locate(origin.address) if is_page else None,
            is_page=is_page,
            salt=grant.salt,
            earliest_us=earliest_kept_us(received_at, grant.retention_days),
            request_key=origin.request_key,
            route=route,
            privacy=privacy,
            schemas=schemas_of(grant.schemas) if grant.schemas else None,
            # Whoever has no id is told apart by the address, also where it is not stored.
            visitor=None if privacy.form == "hash" or not is_visitor else hash_address(origin.address, privacy.salt),
        )

    def _privacy(self, grant: KeyGrant) -> Privacy:
        wanted = grant.privacy
        return Privacy(wanted.ip, self.salts.of(wanted.salt, grant.salt), denial_of(wanted.deny_properties))


def _is_kept(draft: Draft, sampler: Sampler) -> bool:
    """Whether an event stays that was accepted; one that does is encoded anew, with its rate."""
    assert draft.event is not None
    if not sampler.keeps(draft.event):
        return False
    draft.encoded = msgspec.json.encode(draft.event)
    return True


def _texts(body: bytes, count: int) -> Callable[[int], str]:
    """The text of an event of this body. It is parsed again only when something was refused."""
    texts = cache(partial(event_texts, body, count))
    return lambda index: texts()[index]


def _bound_days(draft: Draft, days: set[int]) -> None:
    """Refuse an event on a day that would be one too many for its batch."""
    day = draft.created_at // US_PER_DAY
    if draft.errors or day in days:
        return
    if len(days) < BATCH_DATES_MAX:
        days.add(day)
    else:
        draft.wrong("timestamp", DropReason.TOO_MANY_DATES, f"a batch spans at most {BATCH_DATES_MAX} days")


def _rejection(index: int, draft: Draft) -> Result:
    first: FieldError = draft.errors[0]
    return Result(index, draft.id or None, "rejected", first.code, first.pointer, first.message)
