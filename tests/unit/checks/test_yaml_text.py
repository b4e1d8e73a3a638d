"""YAML is read as JSON with fewer signs: one text means one thing, and nothing in it can cost much."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iafa.checks.yaml_text import TEXT_CHARS_MAX, WrongYaml, read_documents, write_documents

BOMB = "a: &a [x, x, x, x]\n" + "\n".join(f"{n}: [*a, *a, *a]" for n in "bcdefgh")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("no", "no"),
        ("1:30", "1:30"),
        ("2026-11-01", "2026-11-01"),
        ("1e3", "1e3"),
        ("0x10", "0x10"),
        ("010", "010"),
        ("+10", "+10"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("true", True),
        ("-7", -7),
        ("2.50", 2.5),
        ("~", None),
        (".inf", ".inf"),
    ],
)
def test_a_plain_word_is_a_text_unless_json_has_a_word_for_it(text: str, value: object) -> None:
    (document,) = read_documents(f"a: {text}")
    assert document.value == {"a": value}
    assert isinstance(document.value, dict)
    assert type(document.value["a"]) is type(value)


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        (BOMB, 1, "anchors"),
        ("a: 1\nb: *a", 2, "aliases"),
        ("a: 1\nb: 2\na: 3", 3, "twice"),
        ("a: !!python/object/apply:os.system [x]", 1, "tags"),
        ("a:\n  - !!str 1", 2, "tags"),
        ("? [a]\n: 1", 1, "key"),
        ("a: [1", 1, "expected"),
        ("a:\n\tb: 1", 2, "cannot start"),
        ("[" * 4000, 1, "nested"),
        ("a: 99999999999999999999", 1, "too large"),
        ("a: " + "1" * 400 + ".0", 1, "too large"),
        ("a: \x07", 1, "special characters"),
        ("---\na: 1\n" * 101, 201, "documents"),
        ("- x\n" * 60_000, 50_001, "values"),
        ("x" * (TEXT_CHARS_MAX + 1), 1, "longer"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_what_is_refused_is_refused_with_its_line(text: str, line: int, word: str) -> None:
    began = time.monotonic()
    with pytest.raises(WrongYaml) as refused:
        read_documents(text)
    assert word in refused.value.message
    assert abs(refused.value.line - line) <= 1
    assert time.monotonic() - began < 30


def test_lines_are_known_by_pointer_and_by_document() -> None:
    first, second = read_documents("a:\n  - {b: 1}\n  - c/d: 2\n---\n# a remark\nx: 1\n")
    assert [first.line_of(at) for at in ("", "/a", "/a/0/b", "/a/1/c~1d", "/a/1/none/deeper")] == [1, 1, 2, 3, 3]
    assert second.line_of("/x") == 6


def test_empty_documents_are_left_out() -> None:
    assert read_documents("") == []
    assert [one.value for one in read_documents("---\n---\na: 1\n---\n")] == [{"a": 1}]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=8), JSON, min_size=1, max_size=4))
def test_what_is_written_is_read_back(value: dict[str, object]) -> None:
    (document,) = read_documents(write_documents([value]))
    assert document.value == value


@given(st.text(alphabet="abc:-[]{}&*!?|>'\"#%@`,~ \n\t0.1", max_size=40))
def test_no_text_breaks_the_reader(text: str) -> None:
    with suppress(WrongYaml):
        read_documents(text)
