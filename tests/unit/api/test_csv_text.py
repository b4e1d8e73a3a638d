"""What a spreadsheet would run is text in every CSV."""

import csv
import io

import pytest

from iafa.api.csv_text import csv_lines

SPACE = ("", " ", "  \t ", "\n", "\r\n", "\x0b", "\x1f", "\x85", "\xa0", "\u200b", "\u2028", "\u3000", "\ufeff")


def cells(*texts: str) -> list[str]:
    (row,) = csv.reader(io.StringIO(csv_lines([list(texts)]).decode(), newline=""))
    return row


@pytest.mark.parametrize("space", SPACE, ids=ascii)
@pytest.mark.parametrize("sign", "=+-@\uff1d\uff0b\uff0d\uff20")
def test_a_sign_of_a_formula_is_one_after_white_space_and_in_full_width_too(space: str, sign: str) -> None:
    assert cells(f"{space}{sign}1") == [f"'{space}{sign}1"]


def test_a_cell_that_begins_with_a_control_character_of_spreadsheets_is_text() -> None:
    assert cells("\tx", "\rx", "\nx") == ["'\tx", "'\rx", "'\nx"]


def test_other_cells_are_as_they_are() -> None:
    plain = ["", " ", "a=1", " a", "line\n=1", "'=1", "#1", "\xa0b", "é😀", "1e5"]
    assert cells(*plain) == plain
    assert csv_lines([[None, -1, 0.5, True, False]]) == b",-1,0.5,true,false\r\n"
