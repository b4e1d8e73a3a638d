"""Formulas between series: what they mean, and what is refused."""

import pytest

from iafa.query.reports.formulas import FormulaError, evaluate, parse_formula, series_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A", 6.0),
        ("A/B*100", 300.0),
        ("A - B - 1", 3.0),
        ("A - (B - 1)", 5.0),
        ("2+A*B", 14.0),
        ("-A + -B", -8.0),
        ("--A", 6.0),
        (" ( A+B ) / 0.5 ", 16.0),
        ("A / (B - 2)", None),
        ("A + C", None),
        ("0 * C", None),
        ("9" * 190 + " * A", 6e190),
    ],
)
def test_what_a_formula_makes_of_its_series(text: str, value: float | None) -> None:
    assert evaluate(parse_formula(text, 3), [6, 2, None]) == pytest.approx(value)


def test_a_number_that_is_too_large_is_none() -> None:
    node = parse_formula("A * A", 1)
    assert evaluate(node, [1e200]) is None
    assert evaluate(node, [10**200]) is None


def test_which_series_a_formula_looks_at() -> None:
    assert series_of(parse_formula("(A + 1) / C", 3)) == {0, 2}


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "A +",
        "A B",
        "AB",
        "(A",
        "A)",
        "()",
        "+A",
        "1e5",
        "A ** B",
        "a",
        "D",
        "A.B",
        "A;B",
        "__import__",
        "1.",
        "-",
    ],
)
def test_what_is_no_formula(text: str) -> None:
    with pytest.raises(FormulaError):
        parse_formula(text, 3)


def test_length_and_depth_are_bounded() -> None:
    with pytest.raises(FormulaError, match="characters"):
        parse_formula("A" + "+A" * 100, 1)
    for text in ("(" * 30 + "A" + ")" * 30, "-" * 30 + "A"):
        with pytest.raises(FormulaError, match="nested"):
            parse_formula(text, 1)
