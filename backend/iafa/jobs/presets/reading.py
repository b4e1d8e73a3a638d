"""The presets by their names, and what turns the rows of an uploaded file into events by one of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from iafa.errors import FieldError, ValidationFailed
from iafa.ingest.deliveries import Message
from iafa.jobs.presets.amplitude import read_amplitude
from iafa.jobs.presets.cells import Row
from iafa.jobs.presets.ga4 import read_ga4
from iafa.jobs.presets.mixpanel import read_mixpanel
from iafa.jobs.presets.posthog import read_posthog
from iafa.jobs.presets.segment import read_segment
from iafa.jobs.presets.umami import read_umami
from iafa.jobs.upload_columns import parsed_wire

PresetName = Literal["segment", "posthog", "mixpanel", "amplitude", "ga4", "umami"]


class Preset(NamedTuple):
    """`needs`: a file of this tool has one column of each of these sets, or it is another file. `joins_pairs`: the tool
    takes a device for a user's as soon as one event carries both ids."""

    read: Callable[[Mapping[str, Any]], Row | Message]
    needs: tuple[frozenset[str], ...]
    joins_pairs: bool = False


def _needs(*sets: tuple[str, ...]) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(names) for names in sets)


PRESETS: Mapping[PresetName, Preset] = {
    "segment": Preset(read_segment, _needs(("anonymousId", "anonymous_id", "userId", "user_id"), ("timestamp",))),
    "posthog": Preset(read_posthog, _needs(("event",), ("distinct_id",), ("timestamp",))),
    "mixpanel": Preset(read_mixpanel, _needs(("event",), ("properties", "distinct_id")), joins_pairs=True),
    "amplitude": Preset(read_amplitude, _needs(("event_type",), ("event_time", "client_event_time")), joins_pairs=True),
    "ga4": Preset(read_ga4, _needs(("event_name",), ("event_timestamp",), ("user_pseudo_id",)), joins_pairs=True),
    "umami": Preset(read_umami, _needs(("session_id",), ("created_at",), ("url_path",))),
}


def check_one_map(columns: Mapping[str, str], preset: PresetName | None) -> None:
    """ValidationFailed for a file whose columns are named twice over."""
    if preset is not None and columns:
        message = "a preset knows the columns; leave one of the two out"
        raise ValidationFailed(
            "the column map is not valid", errors=[FieldError("/preset", "conflicting_fields", message)]
        )


class PresetReader:
    """Turns the rows of an export into messages."""

    def __init__(self, name: PresetName) -> None:
        self._name = name
        self._preset = PRESETS[name]
        self._fits = False

    def check_header(self, header: Sequence[str]) -> None:
        """Refuse a table of something else."""
        self._fits = True
        missing = self._missing(header)
        if missing:
            raise self._other_file(missing)

    def check_seen(self) -> None:
        """Refuse a file of which no row was one of this tool."""
        if not self._fits:
            raise self._other_file(self._missing(()))

    def message(self, row: dict[str, Any]) -> Message:
        missing = [] if self._fits else self._missing(row)
        if missing:
            message = f"is missing: no event of the preset {self._name}"
            return Message([FieldError(f"/{sorted(names)[0]}", "validation_error", message) for names in missing])
        self._fits = True
        found = self._preset.read(row)
        return found if isinstance(found, Message) else Message(parsed_wire(found.wire), found.address, found.campaign)

    def _missing(self, names: Sequence[str] | Mapping[str, Any]) -> list[frozenset[str]]:
        return [wanted for wanted in self._preset.needs if not any(name in names for name in wanted)]

    def _other_file(self, missing: list[frozenset[str]]) -> ValidationFailed:
        errors = [
            FieldError(f"/{sorted(names)[0]}", "missing", f"none of {', '.join(sorted(names))}") for names in missing
        ]
        return ValidationFailed(f"the file is no export of {self._name}: columns are missing", errors=errors)
