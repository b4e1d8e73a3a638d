"""What events say of their sessions, as words: numbers instead of texts, which are read and understood once for each
different one.

The engine gives the hash of what an event says. Which hashes there are, and what they mean, is asked before; should two
different things have one hash, there are no words for them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from iafa.lake.snapshot import Snapshot
from iafa.query.array_memory import NoRoom, Taken
from iafa.query.binding import Parameters, sql_text
from iafa.query.channels import CHANNEL_COLUMNS, channel_address_sql, channel_sql, host_sql, origin_sql
from iafa.query.engine_duckdb import Reading
from iafa.query.pages import PAGE_EVENT, address_sql, path_sql
from iafa.query.paths.parted import BATCH_ROWS, Statement, int64s
from iafa.query.paths.plan import Int32s
from iafa.query.paths.visiting import Told, Words
from iafa.query.reports.frame import Frame, frame_sql
from iafa.query.reports.visits import flag_sql, told_by

WORDS_MAX = 1 << 20
VIEW, PAGE = "view", "page"
_NOTHING = np.zeros(0, dtype=np.int64)
_COPIES = 2  # of what was read, while something is made of it


class NoWords(Exception):
    """There are too many, or two of them cannot be told apart."""


class _Telling(NamedTuple):
    """What a session tells: what its first event that says the thing, or its last, says of it."""

    flag: str
    is_last: bool


@dataclass(frozen=True)
class Saying:
    """One thing that events with the flag say, by some of their columns, each cut to what matters of it.

    A word means texts, which are made of the columns as they were cut.
    """

    flag: str
    said: Mapping[str, str]
    meant: Mapping[str, str]

    def hash_sql(self) -> str:
        """0 for an event that says nothing."""
        said = f"hash({', '.join(self.said.values())})" if self.said else "1::ubigint"
        return f"case when {flag_sql(self.flag)} then {said} else 0::ubigint end"


def _sayings(dimensions: Sequence[str], *, has_pages: bool) -> list[Saying]:
    """Page views come first."""
    flags = dict.fromkeys([VIEW, *[PAGE] * has_pages, *(_telling(one).flag for one in dimensions)])
    return [_saying(flag, [one for one in dimensions if _telling(one).flag == flag]) for flag in flags]


def _saying(flag: str, dimensions: Sequence[str]) -> Saying:
    if flag == PAGE:
        return Saying(flag, {"url": address_sql()}, {PAGE: path_sql()})
    columns = set(dimensions) - {"channel"} | (CHANNEL_COLUMNS if "channel" in dimensions else set())
    cut = {"referrer": origin_sql("referrer"), "url": channel_address_sql()}
    host = host_sql("referrer")
    meant = {"channel": channel_sql(host, host_sql("url")), "referrer": f"nullif({host}, '')"}
    said = {name: cut.get(name, name) for name in sorted(columns)}
    return Saying(flag, said, {name: meant.get(name, name) for name in dimensions})


def _telling(dimension: str) -> _Telling:
    told = told_by(dimension)[0]
    return _Telling(told.flag, told.is_last)


@dataclass(frozen=True)
class Meaning:
    """By word, or by session, the place of a text; -1 for none."""

    places: Int32s
    texts: pa.Array


@dataclass(frozen=True)
class Vocabulary:
    """What events say, the words of each thing, and what they mean; what sessions tell."""

    sayings: Sequence[Saying]
    words: Sequence[Words]
    meant: Mapping[str, Meaning]
    tellings: Sequence[_Telling]

    def told(self) -> Told:
        columns = {saying.flag: place for place, saying in enumerate(self.sayings)}
        flags = np.array([columns[one.flag] for one in self.tellings], np.int64)
        return Told(flags, np.array([one.is_last for one in self.tellings], np.bool_))

    def values(self, dimension: str, words: Int32s) -> Meaning:
        """By session what it is put under; `words` are what sessions tell."""
        telling = _telling(dimension)
        meant = self.meant[PAGE if telling.flag == PAGE else dimension]
        return Meaning(meant.places[words[:, self.tellings.index(telling)]], meant.texts)


def vocabulary_of(
    reading: Reading, snapshot: Snapshot, frame: Frame, dimensions: Sequence[str], taken: Taken, *, has_pages: bool
) -> Vocabulary:
    """Raises NoWords, or NoRoom."""
    sayings = _sayings(dimensions, has_pages=has_pages)
    tables = [_words(reading, snapshot, frame, saying, taken) for saying in sayings]
    meant = {name: meaning for _words, each in tables for name, meaning in each.items()}
    return Vocabulary(sayings, [words for words, _ in tables], meant, list(dict.fromkeys(map(_telling, dimensions))))


def _words(
    reading: Reading, snapshot: Snapshot, frame: Frame, saying: Saying, taken: Taken
) -> tuple[Words, Mapping[str, Meaning]]:
    """And what they mean, by name."""
    if not saying.said:
        return Words.of(np.ones(1, dtype=np.int64)), {}
    parameters = Parameters(most=WORDS_MAX, **({"page_event": PAGE_EVENT} if saying.flag in (VIEW, PAGE) else {}))
    text = sql_text(
        "visit_words",
        names=", ".join(saying.said),
        meant=", ".join(f"{meant} as meant_{place}" for place, meant in enumerate(saying.meant.values())),
        said=", ".join(f"{said} as said_{place}" for place, said in enumerate(saying.said.values())),
        events=events_said_sql(replace(frame, filters=()), replace(snapshot, identities=None), parameters, [saying]),
        flag=flag_sql(saying.flag),
    )
    batches = read_whole(reading, (text, parameters.values), taken)
    taken.take(sum(Words.bytes_of(batch.num_rows) for batch in batches))
    hashes = np.concatenate([_NOTHING, *(int64s(batch, "hash") for batch in batches)])
    if len(hashes) > WORDS_MAX or len(np.unique(hashes)) < len(hashes) or not hashes.all():
        raise NoWords
    columns = [[batch.column(f"meant_{place}") for batch in batches] for place in range(len(saying.meant))]
    return Words.of(hashes), {name: _meaning(texts) for name, texts in zip(saying.meant, columns, strict=True)}


def _meaning(texts: Sequence[pa.Array]) -> Meaning:
    """Of words, the first of which is 1. Several may mean the same."""
    encoded = pa.chunked_array(texts, pa.string()).combine_chunks().dictionary_encode()
    places = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return Meaning(np.concatenate((np.array([-1]), places)).astype(np.int32), encoded.dictionary)


def read_whole(reading: Reading, statement: Statement, taken: Taken) -> list[pa.RecordBatch]:
    """Raises NoRoom, but never before the end: nothing else can be asked until then."""
    batches: list[pa.RecordBatch] = []
    has_room = True
    for batch in reading.batches(*statement, BATCH_ROWS):
        has_room = has_room and taken.has_taken(_COPIES * batch.nbytes)
        batches = [*batches, batch] if has_room else []
    if not has_room:
        raise NoRoom
    return batches


def events_said_sql(
    frame: Frame, snapshot: Snapshot, parameters: Parameters, sayings: Sequence[Saying], columns: Iterable[str] = ()
) -> str:
    """All events that sessions of the frame may hold, with what the sayings and the frame's filters look at."""
    looked_at = set(columns)
    for saying in sayings:
        looked_at |= {"event_type"} if saying.flag in (VIEW, PAGE) else {saying.flag}
        looked_at |= {"url"} if saying.flag == PAGE else set(saying.said)
    return frame_sql(
        replace(frame, filters=()),
        snapshot,
        parameters,
        columns=looked_at,
        conditions=frame.filters,
        span=frame.sessions_span,
    )
