"""CSV after RFC 4180, safe to open in a spreadsheet."""

import csv
import io
import re
from collections.abc import Iterable

# A spreadsheet takes a cell that begins with one of the signs for a formula, some of them also after white space and
# characters without a width, or with the signs in full width.
_FORMULA = re.compile(r"[\t\r\n]|[\s\x00-\x1f\u200b-\u200f\u2060\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]")


def csv_lines(rows: Iterable[list[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_safe(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _safe(cell: object) -> object:
    if isinstance(cell, bool):
        return str(cell).lower()  # as JSON has it, and the files of events
    if isinstance(cell, str) and _FORMULA.match(cell):
        return "'" + cell
    return cell
