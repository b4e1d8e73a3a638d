"""The questions of reports: their options as the server knows them, their answers as DataFrames."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from iafa.client import frames
from iafa.client.asking import Day, Questions, day_text, present

if TYPE_CHECKING:
    from pandas import DataFrame

JOURNEY_PAGE = 1_000


class Overview(NamedTuple):
    """`total` and `present` are dicts, the others frames: see `Client.overview`."""

    total: Mapping[str, Any]
    present: Mapping[str, Any]
    buckets: "DataFrame"
    pages: "DataFrame"
    lists: "DataFrame"


class ReportQuestions:
    """What a client asks beside funnels and raw events."""

    _questions: Questions
    _owner: dict[str, Any]

    @property
    def project_id(self) -> str:
        """Whose secret key this is. Asked once."""
        if not self._owner:
            self._owner = self._questions.get("/auth/key")
        return str(self._owner["project_id"])

    def trends(
        self,
        events: str | Mapping[str, Any] | Iterable[str | Mapping[str, Any]] = "*",
        *,
        start: Day | None = None,
        end: Day | None = None,
        interval: str = "day",
        formulas: Iterable[str | Mapping[str, str]] = (),
        breakdown: str | Mapping[str, Any] | None = None,
        **frame: Any,
    ) -> "DataFrame":
        """Series of events over time, by `interval` (`hour`, `day`, `week`, `month`) of the project's zone.

        `events`: up to 20 series, each a name (`*` is any event; its people are counted, too) or a mapping such as
        `{"event": "purchase", "measure": "sum", "property": "total", "filters": [...]}`. `formulas`: texts such as
        `"A / B * 100"` (A is the first series), or `{"name": ..., "expression": ...}`. `breakdown`: a property, or
        `{"property": ..., "limit": 10}`. `frame`: `filters`, `exclude_bots`, `as_of`, `timezone`. Both days count;
        absent: all data.

        Returns one row a series or formula and bucket, empty ones included: `line` (the series from 0, then the
        formulas), `date` (its begin), `event_type`, `name`, `measure`, `value`, `events`, `events_scaled` (an estimate
        where events are a sample), `people`, `skipped` (events without a number), `source` (`raw`, `rollup`, `both`,
        `removed`), `is_exact`, `is_incomplete`; with `breakdown` one row a group, too, after `group` (`value`, `other`,
        `none`) and `group_value`.
        `DataFrame.attrs["totals"]` has a dict for each line with the `value` over the whole range, which of people is
        no sum.
        """
        given = [events] if isinstance(events, str | Mapping) else list(events)
        series = [{"event": one, "counts_people": True} if isinstance(one, str) else dict(one) for one in given]
        more = {"series": series, "interval": interval, "formulas": list(formulas), "breakdown": breakdown, **frame}
        return frames.trends_frame(self._ask("trends", start, end, more))

    def retention(
        self,
        start: str | Mapping[str, Any],
        returns: str | Mapping[str, Any] | None = None,
        *,
        start_date: Day | None = None,
        end_date: Day | None = None,
        **options: Any,
    ) -> "DataFrame":
        """Who comes back after the event `start`, by doing `returns` (absent: any event). Both are an event's name or a
        matcher such as `{"page": "/docs/**"}`.

        Days of the project's zone, both included, or instants; absent: all data. `options` are those of
        docs/retention.md: `interval`, `periods`, `kind`, `mode`, `on_or_after`, `breakdown`, `filters`, `exclude_bots`,
        `as_of`. Returns one row a cohort and period with `cohort_start`, `size`, `period`, `people`, `percent` and
        `is_open`, with a breakdown after `group` and `value`. `DataFrame.attrs["averages"]` has the averages.
        """
        asked = present(
            {"return": returns, "start_date": day_text(start_date), "end_date": day_text(end_date), **options}
        )
        body = {"project_id": self.project_id, "start": start, **asked}
        return frames.retention_frame(self._questions.post("/analytics/retention", body))

    def paths(
        self,
        start: str | Mapping[str, Any] | None = None,
        end: str | Mapping[str, Any] | None = None,
        *,
        start_date: Day | None = None,
        end_date: Day | None = None,
        **options: Any,
    ) -> "DataFrame":
        """Which ways sessions take: forward from the event `start`, back from `end`, between the two, or all of it.

        Days as for `retention`. `options` are those of docs/paths.md: `unit`, `nodes`, `after_drop`, `depth`, `top`,
        `collapse`, `include_events`, `exclude_events`, `filters`, `exclude_bots`, `as_of`. Returns one row a link with
        `depth`, `source`, `source_kind`, `target`, `target_kind` and `value`, from the earlier to the later step.
        `DataFrame.attrs` has `nodes`, `paths` (the most frequent whole ways) and `entities`.
        """
        asked = present(
            {"start": start, "end": end, "start_date": day_text(start_date), "end_date": day_text(end_date)}
        )
        body = {"project_id": self.project_id, **asked, **present(options)}
        return frames.paths_frame(self._questions.post("/analytics/paths", body))

    def sessions(
        self,
        *,
        start: Day | None = None,
        end: Day | None = None,
        interval: str = "day",
        breakdown: str | None = None,
        limit: int | None = None,
        **frame: Any,
    ) -> "DataFrame":
        """How many sessions there were, how long and how deep, by the time in which they begin.

        `start` and `end` are days of the project's zone, both included, or instants; absent: all data. `interval` is
        `hour`, `day`, `week` or `month`. `frame`: `filters` (sessions with an event that passes them), `exclude_bots`,
        `as_of`. Returns one row a bucket, empty ones included: `bucket` (its begin, in the project's zone),
        `is_incomplete`, then the figures: `sessions`, `people`, `events`, `page_views`, `bounces` (sessions of one
        event) as int64; `bounce_rate` (percent), `average_seconds`, `median_seconds` (from the first to the last
        event), `events_per_session`, `views_per_session` as float64, NaN without sessions.

        With `breakdown` (`entry_page`, `exit_page`, `channel`, `referrer`, `utm_source`, `utm_medium`, `utm_campaign`,
        `country`, `region`, `city`, `browser`, `os`, `device`) one row a group instead, the `limit` (10) largest:
        `group` (`value`, `other`, `none`), `value` and the figures. `DataFrame.attrs["total"]` has the figures of all.
        Raises ApiError for a wrong question, Unreachable. Source: `POST /api/v1/analytics/sessions`.
        """
        more = {"interval": interval, "breakdown": breakdown, "limit": limit, **frame}
        return frames.sessions_frame(self._ask("sessions", start, end, more))

    def overview(
        self,
        *,
        start: Day | None = None,
        end: Day | None = None,
        interval: str = "day",
        lists: Iterable[str] | None = None,
        limit: int | None = None,
        **frame: Any,
    ) -> Overview:
        """What happened on a web site: visits by time, the pages that were viewed, and what is known of the visits.

        `start`, `end`, `interval` and `frame` as for `sessions`; `lists` are dimensions such as `["channel"]`, by
        default eight of them; `limit` rows of each (10). Returns a named tuple: `total` (a dict of the figures of
        `sessions`), `present` (`people` and `page_views` of the last `seconds`), `buckets` (a frame as that of
        `sessions`), `pages` (`page`, a str, `views` and `people`, int64: the most viewed first) and `lists`
        (`property`, `group`, `value` and the figures, one list below the other). Raises ApiError for a wrong question,
        Unreachable. Source: `POST /api/v1/analytics/overview`.
        """
        more = {"interval": interval, "lists": None if lists is None else list(lists), "limit": limit, **frame}
        answer = self._ask("overview", start, end, more)
        return Overview(
            total=answer["total"],
            present=answer["present"],
            buckets=frames.sessions_frame(answer),
            pages=frames.pages_frame(answer),
            lists=frames.lists_frame(answer),
        )

    def anomalies(
        self,
        events: str | Iterable[str] | None = None,
        *,
        start: Day | None = None,
        end: Day | None = None,
        measure: str = "events",
        sensitivity: str = "medium",
        limit: int | None = None,
        **frame: Any,
    ) -> "DataFrame":
        """Days on which a type of event was counted far from its trend and its weekday.

        `events`: types (`*` is all together); absent: `*` and the `limit` (10) most frequent ones. `start` and `end`
        are days of the project's zone, both included; without `start` the last four weeks. `measure` is `events` or
        `people`, `sensitivity` `low`, `medium` or `high`. `frame`: `filters`, `exclude_bots`, `as_of`. Returns one row
        a finding, the farthest from what was expected first, at most 200: `event_type`, `bucket` (the begin of the
        day), `value`, `low` and `high` (the bounds of what is usual) as int64, `expected` and `score` (usual
        deviations, negative below) as float64, `direction` (`up`, `down`) and `text`. `DataFrame.attrs` has `series`
        (every day that was looked at), `days_without_data`, `days_judged`, `findings_total` and `threshold`. Raises
        ApiError for a wrong question, Unreachable. Source: `POST /api/v1/analytics/anomalies`.
        """
        names = [events] if isinstance(events, str) else None if events is None else list(events)
        more = {"events": names, "measure": measure, "sensitivity": sensitivity, "limit": limit, **frame}
        return frames.anomalies_frame(self._ask("anomalies", start, end, more))

    def journey(
        self,
        user_id: str,
        *,
        start: Day | None = None,
        end: Day | None = None,
        limit: int | None = 1_000,
    ) -> "DataFrame":
        """What one person did, oldest first, by whichever of their ids.

        `user_id` is a user id or an anonymous id; `start` and `end` are days of the project's zone, both included, or
        instants; `limit`: at most so many events (None: all). Returns one row an event: `session_start` and `time`
        (datetime64 in the project's zone), `id`, `event`, `page` (the path, of page views) as str, `gap_s` (seconds
        since the event before, float64; NaN for the first). Pages are read one after the other. Raises ApiError,
        `not_found` for somebody who did nothing, Unreachable. Source: `GET /api/v1/analytics/journey`.
        """
        if limit is not None and limit < 1:
            raise ValueError("limit must be at least 1, or None")
        asked = {"project_id": self.project_id, "user_id": user_id}
        asked |= present({"start_date": day_text(start), "end_date": day_text(end)})
        sessions: list[Mapping[str, Any]] = []
        left, cursor = limit, None
        while True:
            size = JOURNEY_PAGE if left is None else min(JOURNEY_PAGE, left)
            answer = self._questions.get("/analytics/journey", {**asked, "limit": size, **present({"cursor": cursor})})
            sessions += answer["sessions"]
            cursor = answer["next_cursor"]
            left = None if left is None else left - sum(len(one["events"]) for one in answer["sessions"])
            if cursor is None or left == 0:
                return frames.journey_frame(answer, sessions)

    def _ask(self, report: str, start: Day | None, end: Day | None, more: Mapping[str, Any]) -> dict[str, Any]:
        body = {"start_date": day_text(start), "end_date": day_text(end), **more}
        return self._questions.post(f"/analytics/{report}", {"project_id": self.project_id, **present(body)})
