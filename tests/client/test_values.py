"""Any JSON stays what it is, and whatever else a caller puts into an event becomes JSON that the server takes."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from iafa.client.values import INTEGER_MAX, encoded, plain

NAMES = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-INTEGER_MAX, INTEGER_MAX)
    | st.floats(allow_nan=False, allow_infinity=False)
)
JSON = st.recursive(LEAVES | NAMES, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=20)
ANY = st.recursive(
    LEAVES | st.text() | st.integers() | st.floats() | st.decimals() | st.dates() | st.datetimes() | st.uuids()
    | st.timedeltas() | st.binary() | st.fractions() | st.complex_numbers(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text() | st.integers() | st.none(), inner),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_json_stays_what_it_is(value: Any) -> None:
    assert plain(value) == value
    assert json.loads(encoded(value)) == value


@given(ANY)
def test_anything_becomes_strict_json(value: Any) -> None:
    text = encoded(value).decode()
    found = json.loads(text, parse_constant=lambda name: (_ for _ in ()).throw(ValueError(name)))
    assert encoded(found).decode() == text
    assert "\\u0000" not in text
