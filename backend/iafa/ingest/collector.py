"""Collecting: from a request's bytes to the durable acknowledgement. Knows nothing of HTTP."""

import hashlib
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
    Location,
    Rejected,
    SentBy,
    earliest_kept_us,
)
from iafa.ingest.deliveries import Delivery
from iafa.ingest.gate import Gate, Origin
from iafa.ingest.pipeline import Draft, Sender, run
from iafa.ingest.plain import Plain, encode, read_batch, read_beacon, read_event
from iafa.ingest.recent_ids import RecentIds
from iafa.ingest.rejections import Rejections
from iafa.ingest.wire import Parsed, WireEvent, decode_batch, decode_beacon, decode_event, event_texts
from iafa.journal.writer import JournalWriter
from iafa.meta.api_keys import KeyGrant
from iafa.metrics import Counters

TRACK, BATCH, BEACON = "track", "batch", "beacon"  # the shapes of refused events' texts


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


def nowhere(_address: str) -> None:
    """Without a database no address has a location."""


@dataclass(frozen=True)
class Collector:
    """The one implementation behind every collect route."""

    journal: JournalWriter
    gate: Gate
    recent: RecentIds
    rejections: Rejections
    counters: Counters
    clock: Clock
    locate: Callable[[str], Location | None] = nowhere

    async def one(self, grant: KeyGrant, origin: Origin, body: bytes) -> EventAnswer:
        """One event; raises ValidationFailed with every error, or PayloadTooLarge."""
        sender = self._sender(grant, origin, route=TRACK)
        plain = read_event(body, sender)
        parsed = decode_event(body) if plain is None else None
        await self.gate.spend(grant, origin, 1)
        if parsed is None:
            assert plain is not None
            id_, encoded = plain.ids[0], plain.encoded
        else:
            id_, encoded = self._judge_one(grant, sender, body, parsed)
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
        received_at = self.clock.now_us()
        sender = Sender(
            received_at=received_at,
            is_browser=False,  # whoever names nobody is refused, from wherever it comes
            ip_address=hash_address(origin.address, grant.salt) if origin.origin is not None else None,
            location=self.locate(origin.address) if origin.origin is not None else None,
            salt=grant.salt,
            sent_ms=delivery.sent_ms,
            is_upload=delivery.is_history,
            earliest_us=earliest_kept_us(received_at, grant.retention_days),
            request_key=origin.request_key,
            route=delivery.route,
        )
        await self.gate.spend(grant, origin, len(delivery.items))
        drafts = (_delivered(delivery, index, sender, origin, self.locate) for index in range(len(delivery.items)))
        judged = self._judge(grant, sender, drafts, delivery.text, verbose=False)
        del delivery, drafts
        return await self._store_judged(grant, sender, judged)

    async def _store_judged(self, grant: KeyGrant, sender: Sender, judged: Judged) -> BatchAnswer:
        repeats = judged.answer.duplicates
        if repeats:
            names = ((one.event_id, None) for one in judged.answer.results if one.result == "duplicate")
            self.rejections.drop(grant.project_id, sender.received_at, DropReason.DUPLICATE, repeats, names=names)
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
            return self._judge_plain(grant, plain, verbose=verbose)
        events = decode_batch(body)
        await self.gate.spend(grant, origin, len(events))
        return self._judge_events(grant, sender, body, events, verbose=verbose)

    async def _judge_beacon(self, grant: KeyGrant, origin: Origin, sender: Sender, body: bytes) -> Judged:
        plain = read_beacon(body, sender)
        if plain is not None:
            await self.gate.spend(grant, origin, len(plain.ids))
            return self._judge_plain(grant, plain, verbose=False)
        events, sent_ms = decode_beacon(body)
        await self.gate.spend(grant, origin, len(events))
        return self._judge_events(grant, sender._replace(sent_ms=sent_ms), body, events, verbose=False)

    def _judge_plain(self, grant: KeyGrant, plain: Plain, *, verbose: bool) -> Judged:
        ids, encoded = plain.ids, plain.encoded
        results: list[Result] = []
        seen = set(self.recent.known(grant.project_id, ids))
        if verbose or seen or len(set(ids)) < len(ids):
            ids, events = [], []
            for index, (id_, event) in enumerate(zip(plain.ids, plain.events, strict=True)):
                if id_ in seen:
                    results.append(Result(index, id_, "duplicate"))
                    continue
                seen.add(id_)
                ids.append(id_)
                events.append(event)
                if verbose:
                    results.append(Result(index, id_, "ok"))
            encoded = encode(events)
        return Judged(BatchAnswer(len(ids), len(plain.ids) - len(ids), 0, 0, 0, results), ids, encoded)

    def _judge_events(
        self, grant: KeyGrant, sender: Sender, body: bytes, events: Sequence[Parsed], *, verbose: bool
    ) -> Judged:
        drafts = (_draft(parsed, sender, f"/events/{index}", index) for index, parsed in enumerate(events))
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
        days: set[int] = set()
        for index, draft in enumerate(drafts):
            _bound_days(draft, days)
            if draft.errors:
                refused.append(draft)
                answer.results.append(_rejection(index, draft))
            elif draft.id in accepted or self.recent.known(grant.project_id, (draft.id,)):
                answer.duplicates += 1
                answer.results.append(Result(index, draft.id, "duplicate"))
            else:
                accepted[draft.id] = draft.encoded
                if verbose:
                    answer.results.append(Result(index, draft.id, "ok"))
        answer.accepted, answer.rejected = len(accepted), len(refused)
        if refused:
            self._refuse(grant, sender, refused, text_of)
        return Judged(answer, accepted, b"[%b]" % b",".join(accepted.values()))

    def _judge_one(self, grant: KeyGrant, sender: Sender, body: bytes, parsed: Parsed) -> tuple[str, bytes]:
        """The id and the canonical array of an event that is accepted."""
        draft = _draft(parsed, sender, "", 0)
        if draft.errors:
            self._refuse(grant, sender, [draft], lambda _position: body.decode("utf-8", "replace"))
            if draft.errors[0].code == DropReason.EVENT_TOO_LARGE:
                raise PayloadTooLarge(draft.errors[0].message, code="event_too_large", limit=EVENT_BYTES_MAX)
            raise ValidationFailed("the event was not stored", errors=draft.errors)
        return draft.id, b"[%b]" % draft.encoded

    def _refuse(self, grant: KeyGrant, sender: Sender, drafts: Sequence[Draft], text_of: Callable[[int], str]) -> None:
        """Count refused events and offer them for the quarantine."""
        sent_by = SentBy(
            is_browser=sender.is_browser,
            ip_address=sender.ip_address,
            user_agent=sender.user_agent,
            location=sender.location,
            skew_us=sender.skew_us,
        )
        rejected = [
            Rejected(
                code=draft.errors[0].code,
                pointer=draft.errors[0].pointer,
                message=draft.errors[0].message,
                event_id=draft.id or None,
                event_type=draft.event_type or None,
                body=text_of(draft.position)[:REJECTED_BODY_CHARS_MAX],
                source=sender.route,
                sender=sent_by,
            )
            for draft in drafts
        ]
        self.rejections.keep(grant.project_id, sender.received_at, rejected)

    async def _store(self, grant: KeyGrant, sender: Sender, ids: Collection[str], encoded: bytes) -> None:
        await self.journal.append(grant.project_id, sender.received_at, encoded, len(ids))
        self.recent.add(grant.project_id, ids)
        self.gate.usage.add(grant.project_id, len(ids))
        self.counters.add("events_accepted", amount=len(ids))

    def _sender(self, grant: KeyGrant, origin: Origin, *, is_browser: bool = False, route: str) -> Sender:
        # Pages use the public key; whoever holds the secret one is a server, and its own address is no visitor's.
        # A write key alone may also be a script's, whose address must not become the country of all its users.
        is_page = is_browser or (grant.kind == "write" and origin.origin is not None)
        is_browser = is_browser or grant.kind == "write"
        received_at = self.clock.now_us()
        return Sender(
            received_at=received_at,
            is_browser=is_browser,
            user_agent=origin.user_agent,
            ip_address=hash_address(origin.address, grant.salt) if grant.kind == "write" else None,
            location=self.locate(origin.address) if is_page else None,
            salt=grant.salt,
            earliest_us=earliest_kept_us(received_at, grant.retention_days),
            request_key=origin.request_key,
            route=route,
        )


def hash_address(address: str, salt: bytes) -> str:
    """The stored form of an address: a keyed hash, never the address."""
    return hashlib.blake2b(address.encode(), key=salt[:64], digest_size=16).hexdigest()


def _texts(body: bytes, count: int) -> Callable[[int], str]:
    """The text of an event of this body. It is parsed again only when something was refused."""
    texts = cache(partial(event_texts, body, count))
    return lambda index: texts()[index]


def _delivered(
    delivery: Delivery, index: int, sender: Sender, origin: Origin, locate: Callable[[str], Location | None]
) -> Draft:
    """A message of another tool, with what is its own and not the request's."""
    pointer = delivery.pointer_of(index)
    parsed, address, campaign, is_located = delivery.read(delivery.items[index], pointer, sender.skew_us)
    if isinstance(parsed, WireEvent):
        if origin.origin is not None:
            parsed.user_agent = parsed.user_agent or origin.user_agent
            parsed.source = parsed.source or "web"
        elif address is not None:
            location = locate(address) if is_located else None
            sender = sender._replace(ip_address=hash_address(address, sender.salt), location=location)
        if not is_located:
            sender = sender._replace(location=None)
        parsed.source = parsed.source or "server"
        if sender.request_key is None and parsed.id is None and parsed.messageId is None:
            sender = sender._replace(request_key=delivery.id_seed(index, parsed))
        sender = sender._replace(campaign=campaign)
    return _draft(parsed, sender, pointer, index)


def _draft(parsed: Parsed, sender: Sender, pointer: str, position: int) -> Draft:
    if isinstance(parsed, WireEvent):
        return run(parsed, sender, pointer, position)
    return Draft(WireEvent(), sender, pointer, list(parsed), position)


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
