"""A funnel as text: a table with bars. No colours in a pipe, eighths of a character for exact lengths."""

from collections.abc import Mapping
from typing import Any

BAR_CHARS = 40
_EIGHTHS = " ▏▎▍▌▋▊▉"


def bar(share: float, chars: int = BAR_CHARS) -> str:
    """A bar of `share` (0 to 1) of the width; something that is not nothing shows."""
    eighths = round(min(max(share, 0.0), 1.0) * chars * 8)
    if share > 0:
        eighths = max(eighths, 1)
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


def funnel_lines(answer: Mapping[str, Any]) -> list[str]:
    """Title, one line a stage, the whole conversion."""
    stages = answer["stages"]
    names = [str(stage["stage_name"]) for stage in stages]
    width = max([len("stage"), *(len(name) for name in names)])
    people = max(len("people"), *(len(f"{stage['users']:,}") for stage in stages))
    lines = [
        f"{answer['name']}  {_range(answer['date_range'])}, {window_text(answer['window_seconds'])}",
        "",
        f"  #  {'stage':<{width}}  {'people':>{people}}  of first  lost here",
    ]
    first = stages[0]["users"]
    for number, (name, stage) in enumerate(zip(names, stages, strict=True), start=1):
        lost = "         " if number == 1 else f"{stage['drop_off_rate']:>7.2f} %"
        drawn = bar(stage["users"] / first if first else 0.0)
        rates = f"{stage['conversion_rate']:>6.2f} %  {lost}"
        lines.append(f"{number:>3}  {name:<{width}}  {stage['users']:>{people},}  {rates}  {drawn}".rstrip())
    lines += ["", f"{answer['overall_conversion_rate']:.2f} % of {first:,} people went all the way"]
    return lines


def window_text(window_s: int | None) -> str:
    if window_s is None:
        return "no limit of time"
    for unit, name in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        if window_s and window_s % unit == 0:
            count = window_s // unit
            return f"within {count} {name}{'' if count == 1 else 's'}"
    return "at one instant"


def _range(date_range: Mapping[str, str | None]) -> str:
    start, end = date_range["start"], date_range["end"]
    return f"{start} to {end}" if start and end else "no events yet"


def receipt_lines(receipt: Mapping[str, Any]) -> list[str]:
    """What was read, then the SQL."""
    refused, repeated = receipt["rejected"]["count"], receipt["duplicates"]["count"]
    read = f"{receipt['rows_read']:,} rows of {len(receipt['files'])} files and {receipt['tail_rows']:,} in no file yet"
    left_out = f"in the range: {receipt['bots']:,} events of bots, {refused} refused, {repeated} repeated"
    versions = f"semantics {receipt['semantics_version']}, DuckDB {receipt['engine_version']}"
    return [read, left_out, versions, "", receipt["sql"].rstrip()]
