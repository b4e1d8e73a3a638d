"""The class that programs use: one for each project and process, from any number of threads."""

import logging
import weakref
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Unpack
from urllib.parse import quote

from iafa.client import frames
from iafa.client.asking import Day, Questions, day_text, present
from iafa.client.connection import Connection
from iafa.client.delivery import BATCH_EVENTS_MAX, Delivery
from iafa.client.errors import InvalidEvent
from iafa.client.event_log import EventsAsked, parameters_of, read_log, write_export
from iafa.client.events import EventFields, Id, prepare
from iafa.client.loading import Receipt, column_map, load
from iafa.client.outbox import Counts, Dropped, Limits, Outbox
from iafa.client.reports import ReportQuestions

if TYPE_CHECKING:
    from pandas import DataFrame

QUESTION_S = 120.0
log = logging.getLogger("iafa.client")


class Client(ReportQuestions):
    """Sends events to one project of an IAFA server, and asks it questions.

    `track`, `identify`, `group`, `alias` and `page` return at once and never raise: events wait in memory and one
    thread sends them, at the latest when the program ends. `upload`, `export` and the questions (`funnel`, `trends`,
    `retention`, `paths`, `sessions`, `overview`, `anomalies`, `journey`, `events`) need the secret key, return when
    they are done and raise `ApiError` or `Unreachable`.
    """

    def __init__(
        self,
        key: str,
        host: str = "http://127.0.0.1:8000",
        *,
        batch_size: int = 500,
        flush_interval_s: float = 1.0,
        queue_size: int = 10_000,
        exit_timeout_s: float = 15.0,
        gzip: bool = True,
        on_error: Callable[[Dropped], None] | None = None,
    ) -> None:
        """Nothing is sent yet. Raises ValueError for options that cannot work.

        `key`: the project's secret key; with a write key the server takes every event for a page's.
        `host`: the server's address, such as `https://iafa.example.org`.
        `batch_size`: so many waiting events are sent at once, 1 to 2,500 events a request.
        `flush_interval_s`: an event waits so many seconds at most before it is sent.
        `queue_size`: so many events may wait (and 64 MiB); the next one is dropped, reason `queue_full`.
        `exit_timeout_s`: so many seconds the end of the program waits for what is not sent yet.
        `on_error`: told of everything that is dropped, in the thread that drops it.
        """
        for name, number, least in (("queue_size", queue_size, 1), ("flush_interval_s", flush_interval_s, 0)):
            if not number >= least:
                raise ValueError(f"{name} must be at least {least}")
        if not 1 <= batch_size <= BATCH_EVENTS_MAX:
            raise ValueError(f"batch_size must be from 1 to {BATCH_EVENTS_MAX}")
        if not exit_timeout_s >= 0:
            raise ValueError("exit_timeout_s must be at least 0")
        self._connection = connection = Connection(key, host)
        self._questions = Questions(connection, QUESTION_S)
        self._owner: dict[str, Any] = {}
        self._outbox = Outbox(
            Delivery(connection, is_gzip=gzip),
            Limits(batch_size, flush_interval_s, queue_size, exit_timeout_s),
            on_error or _say_nothing,
            connection,
        )
        # Who forgets the client has not forgotten its events.
        weakref.finalize(self, self._outbox.abandon).atexit = False

    def track(
        self,
        event: str,
        user_id: Id | None = None,
        properties: Mapping[str, Any] | None = None,
        **fields: Unpack[EventFields],
    ) -> str | None:
        """Take an event that somebody did; returns its id, or None for one that was dropped (see `on_error`).

        Needs `user_id` or `anonymous_id`. `properties` may hold what JSON has, and dates, Decimal, UUID, Enum, numpy's
        numbers and arrays, sets, bytes: see docs/python-client.md for what becomes of them. Other fields:
        `anonymous_id`, `session_id`, `timestamp`, `id`, `source`, `url`, `referrer`, `user_agent`, `timezone`.
        """
        return self._put(event, user_id, properties, fields)

    def identify(
        self, user_id: Id, traits: Mapping[str, Any] | None = None, **fields: Unpack[EventFields]
    ) -> str | None:
        """Say who somebody is: event `identify` with the traits as properties. With `anonymous_id` the events of that
        id belong to the user from now on."""
        return self._put("identify", user_id, traits, fields)

    def group(
        self, user_id: Id, group_id: Id, traits: Mapping[str, Any] | None = None, **fields: Unpack[EventFields]
    ) -> str | None:
        """Say that somebody belongs to a group: event `group` with the group's traits and `group_id` as properties."""
        return self._put("group", user_id, _with(traits, group_id=group_id), fields)

    def alias(self, previous_id: Id, user_id: Id, **fields: Unpack[EventFields]) -> str | None:
        """Say that two ids are one person: event `alias` with the property `previous_id`."""
        return self._put("alias", user_id, {"previous_id": previous_id}, fields)

    def page(
        self,
        user_id: Id | None = None,
        properties: Mapping[str, Any] | None = None,
        **fields: Unpack[EventFields],
    ) -> str | None:
        """Take a page that somebody saw: event `page_view`; give its `url`."""
        return self._put("page_view", user_id, properties, fields)

    def flush(self, timeout_s: float | None = None) -> bool:
        """Wait until every event tracked before is stored or dropped. False: the time (in seconds; None: no limit)
        was not enough, and sending goes on."""
        return self._outbox.flush(timeout_s)

    def close(self, timeout_s: float | None = None) -> None:
        """Send what waits, for `timeout_s` seconds at most (None: `exit_timeout_s`), and end. What is left is dropped
        with the reason `shutdown`. The end of a program does this by itself."""
        self._outbox.close(self._outbox.exit_timeout_s if timeout_s is None else timeout_s)
        self._connection.close()

    @property
    def counts(self) -> Counts:
        """What became of all events so far."""
        return self._outbox.counts()

    def upload(
        self,
        source: "str | Path | DataFrame | Iterable[Mapping[str, Any]]",
        *,
        columns: Mapping[str, str] | None = None,
        preset: str | None = None,
        format: str | None = None,
    ) -> Receipt:
        """Load history: a file (NDJSON, CSV, Parquet; the text ones also with `.gz`), a DataFrame, or an iterable of
        dicts. All of it becomes visible at once. Needs the secret key.

        `columns` maps fields of an event to columns, such as `{"user_id": "customer"}`; columns named like a field are
        that field, the others become properties. `preset` names the tool whose export it is instead (`segment`,
        `mixpanel`, ...: see docs/import.md). `format` is `ndjson`, `csv` or `parquet`, by default by the file's
        name. The same source again adds nothing: its rows get the same ids. Returns the receipt; raises ApiError,
        Unreachable, OSError for a file that cannot be read, InvalidEvent for a row that is no mapping.
        """
        return load(self._connection, source, {"columns": column_map(columns), "preset": preset, "format": format})

    def funnel(
        self,
        funnel: str | Mapping[str, Any],
        *,
        start: Day | None = None,
        end: Day | None = None,
        window_seconds: int | None = None,
        breakdown: str | None = None,
        trend: str | None = None,
    ) -> "DataFrame":
        """Ask a funnel: the id of a saved one, or a definition such as `{"stages": [{"event": "visit"}, ...]}`.

        `start` and `end` are days of the project's zone, both included, or instants; absent: all data. Returns one row
        a stage with `order`, `stage`, `users`, `users_max`, `conversion_rate` and `drop_off_rate` (percent),
        `average_s`, `median_s` and `p90_s` (seconds from the stage before; NaN for the first).

        With `breakdown` (a property) one row a group and stage, without the times, after `group` (`value`, `other`,
        `none`) and `value`; with `trend` (`hour`, `day`, `week`, `month`) one row a bucket and stage: `bucket_start`,
        `bucket_end`, `order`, `stage`, `users`, `users_max`. `DataFrame.attrs` has what belongs to the whole answer.
        """
        if breakdown is not None and trend is not None:
            raise ValueError("ask for breakdown or for trend, not for both")
        include = "breakdown" if breakdown is not None else "trend" if trend is not None else "times"
        asked = present(
            {"start_date": day_text(start), "end_date": day_text(end), "window_seconds": window_seconds, "trend": trend}
        )
        if isinstance(funnel, str):
            parameters = {**asked, "include": include, **present({"breakdown": breakdown})}
            answer = self._questions.get(f"/analytics/funnel/{quote(funnel, safe='')}", parameters)
        else:
            body = {"project_id": funnel.get("project_id") or self.project_id, **funnel, **asked, "include": [include]}
            if breakdown is not None:
                body["breakdown"] = {"property": breakdown}
            answer = self._questions.post("/analytics/funnel", body)
        make = {"breakdown": frames.group_frame, "trend": frames.trend_frame, "times": frames.funnel_frame}[include]
        return make(answer)

    def events(
        self,
        *,
        start: Day | None = None,
        end: Day | None = None,
        order: str = "desc",
        limit: int | None = 1_000,
        **asked: Unpack[EventsAsked],
    ) -> "DataFrame":
        """Read raw events, newest first (`order="asc"`: oldest first), at most `limit` of them (None: all).

        `event_type` is a name or several; `user_id` means all events of that person, those before a sign-in included;
        `filters` is a list such as `[{"property": "plan", "op": "eq", "value": "pro"}]`; `exclude_bots`; `start` and
        `end` are days of the project's zone, both included, or instants. Returns one row an event with the chosen
        `fields`, by default all: `id`, `event_type`, `user_id`, `person` and other texts as str, `created_at` and
        `received_at` as datetime64[us, UTC], `properties` as dicts, `is_bot` as bool, `sample_rate` (0 to 1) as
        float64; a field `properties.NAME` has the values of one property. Pages are read one after the other: each
        event that was there at the beginning is in it once. Raises ApiError for a wrong question, Unreachable.
        Source: `GET /api/v1/events`.
        """
        if limit is not None and limit < 1:
            raise ValueError("limit must be at least 1, or None")
        more = {"project_id": self.project_id, "start": day_text(start), "end": day_text(end), "order": order}
        parameters = parameters_of(asked, more)
        rows, version = read_log(self._questions, parameters, limit)
        return frames.events_frame(rows, parameters.get("fields"), version)

    def export(
        self,
        path: str | Path,
        *,
        format: str | None = None,
        start: Day | None = None,
        end: Day | None = None,
        **asked: Unpack[EventsAsked],
    ) -> int:
        """Write raw events into a file, however many; returns its size in bytes.

        `format` is `csv`, `ndjson` or `parquet`, by default by the file's name; the other parameters are those of
        `events`. Nothing is held in memory; a file that does not become whole is left empty. Raises ApiError, OSError
        for a file that cannot be written, Unreachable when the connection breaks off. Source: `GET /api/v1/export`.
        """
        path = Path(path)
        kind = format or path.suffix.lower().removeprefix(".")
        more = {"project_id": self.project_id, "start": day_text(start), "end": day_text(end), "format": kind}
        return write_export(self._connection, parameters_of(asked, more), path)

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _put(
        self, event: str, user_id: Id | None, properties: Mapping[str, Any] | None, fields: Mapping[str, Any]
    ) -> str | None:
        try:
            prepared = prepare(event, user_id, properties, fields)
        except InvalidEvent as error:
            self._outbox.refuse(Dropped("invalid", 1, None, str(error)))
            return None
        except Exception as error:  # whatever a caller's own object does when it is read
            log.debug("an event could not be read", exc_info=True)
            self._outbox.refuse(Dropped("invalid", 1, None, f"{type(error).__name__}: {error}"))
            return None
        log.debug("tracked %s, id %s", event, prepared.id)
        return prepared.id if self._outbox.put(prepared) else None


def _with(traits: Any, **more: Any) -> Any:
    """What is no mapping stays what it is, and is refused with all else."""
    return more if traits is None else {**traits, **more} if isinstance(traits, Mapping) else traits


def _say_nothing(_dropped: Dropped) -> None:
    """The log has it."""
