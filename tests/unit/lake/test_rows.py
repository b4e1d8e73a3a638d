"""Events to Arrow: the fast ways of building a column say the same as the plain one."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iafa.event import Event, identity_hash
from iafa.lake.ids import id_hashes
from iafa.lake.parts import Arrival, split_by_day, to_table
from tests.support.events import NOON_US, PROJECT, make_event

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
properties = st.dictionaries(texts, texts | st.integers(-(2**53), 2**53) | st.booleans() | st.none(), max_size=3)
events = st.builds(
    lambda properties, **fields: Event(properties=msgspec.Raw(msgspec.json.encode(properties)), **fields),
    properties=properties,
    id=texts,
    event_type=texts,
    created_at=st.integers(0, 4_000_000_000_000_000),
    user_id=st.none() | texts,
    anonymous_id=st.none() | texts,
    url=st.none() | texts,
    sample_rate=st.floats(0, 1),
)


@given(st.lists(events, max_size=8))
def test_table_holds_what_the_events_hold(rows: list[Event]) -> None:
    line = msgspec.json.encode(rows)
    decoded = msgspec.json.decode(line, type=list[Event])
    table = to_table(Arrival(PROJECT, NOON_US, event) for event in decoded)
    table.validate(full=True)
    for name in ("id", "event_type", "user_id", "anonymous_id", "session_id", "url", "sample_rate"):
        assert table.column(name).to_pylist() == [getattr(event, name) for event in rows]
    assert table.column("properties").to_pylist() == [bytes(event.properties).decode() for event in rows]
    assert table.column("created_at").cast(pa.int64()).to_pylist() == [event.created_at for event in rows]
    people = [event.user_id or event.anonymous_id or event.id for event in rows]
    assert table.column("user_hash").to_pylist() == [identity_hash(person) for person in people]


@given(st.lists(texts, max_size=8), st.integers(0, 3))
def test_hash_of_an_id_does_not_depend_on_where_it_lies(ids: list[str], start: int) -> None:
    whole = pa.chunked_array([pa.array(ids, pa.string()), pa.array(ids, pa.string())])
    singly = [identity_hash(one) % 2**64 for one in ids + ids]
    assert id_hashes(whole).tolist() == singly
    assert id_hashes(whole.slice(start)).tolist() == singly[start:]


@pytest.mark.parametrize("days", [[], [3], [1, 2, 2, 5], [5, 1, 5, 2, 1]])
def test_split_keeps_each_day_together_and_in_order(days: list[int]) -> None:
    table = to_table(
        Arrival(PROJECT, NOON_US, make_event(id=str(number), created_at=day * 86_400_000_000))
        for number, day in enumerate(days)
    )
    found = [((day - date(1970, 1, 1)).days, rows.column("id").to_pylist()) for day, rows in split_by_day(table)]
    expected = [(day, [str(n) for n, of in enumerate(days) if of == day]) for day in np.unique(days).tolist()]
    assert found == [(int(day), ids) for day, ids in expected]


def test_no_process_of_the_server_loads_pandas(tmp_path: Path) -> None:
    program = (
        "import sys; from iafa.settings import Settings; from iafa.wiring import open_house; import pyarrow as pa;"
        f"open_house(Settings(data_dir={str(tmp_path)!r})); pa.array(['a', None]).to_pylist();"
        "sys.exit('pandas' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env=os.environ, timeout=60)
