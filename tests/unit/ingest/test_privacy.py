"""What is not written down: addresses and denied properties, in no file, by whatever way they come."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iafa.clock import FakeClock, to_datetime
from iafa.errors import StorageUnavailable, ValidationFailed
from iafa.event import NAME_CHARS_MAX
from iafa.ingest.gate import Origin
from iafa.ingest.posthog import read_posthog
from iafa.ingest.privacy import Denial, Privacy, denial_of, quarantine_text, stored_address
from iafa.ingest.salts import Salts
from iafa.ingest.segment import read_segment
from iafa.meta.collect_rules import PrivacySettings
from tests.support.events import NOON_US
from tests.support.lake import TestLake, rows
from tests.unit.ingest.test_collector import WRITE, body, collector_of, event

ADDRESS, OTHER_ADDRESS, SECRET_TEXT = "192.0.2.77", "198.51.100.23", "correct horse battery"
VISITOR = Origin(ADDRESS, "Agent/1.0", origin="https://shop.example")
DAY_S = 86_400


@pytest.mark.parametrize(
    ("address", "form", "stored"),
    [
        ("192.0.2.77", "truncate", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "truncate", "2001:db8:1::/48"),
        ("fe80::1%eth0", "truncate", "fe80::/48"),
        ("testclient", "truncate", None),
        ("192.0.2.77", "none", None),
    ],
)
def test_form_of_an_address(address: str, form: Literal["truncate", "none"], stored: str | None) -> None:
    assert stored_address(address, b"salt", form) == stored


def everything_in(folder: Path) -> str:
    """The content of every file; of Parquet the rows, which are compressed."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.suffix == ".parquet":
            found.append(json.dumps(pq.read_table(path).to_pylist(), default=str))
        found.append(path.read_bytes().decode("latin-1"))
    return "\n".join(found)


@pytest.mark.parametrize("form", ["hash", "truncate", "none"])
async def test_no_address_and_no_denied_property_is_in_any_file(tmp_path: Path, form: Any) -> None:
    lake = TestLake(tmp_path)
    collector = collector_of(lake)
    privacy = PrivacySettings(ip=form, deny_properties=("password", "*card*"))
    grant = replace(WRITE, privacy=privacy)
    denied: dict[str, Any] = {"password": SECRET_TEXT, "user": [{"Card_Number": SECRET_TEXT, "kept": "yes"}]}
    context = {"ip": OTHER_ADDRESS, "page": {"path": "/"}}
    denied |= {"ip": OTHER_ADDRESS, "$ip": f"{OTHER_ADDRESS}:443", "context": context}
    await collector.one(grant, VISITOR, json.dumps(event("one", properties=denied)).encode())
    await collector.batch(grant, VISITOR, body(event("plain", properties=denied), event("second")))
    bad = event("bad", properties=denied, timestamp="?", context=context, password=SECRET_TEXT)
    steps = event("steps", properties=denied, context=context, password=SECRET_TEXT)
    assert (await collector.batch(grant, VISITOR, body(steps, bad))).rejected == 1
    with pytest.raises(ValidationFailed):
        await collector.one(grant, VISITOR, json.dumps(bad).encode())
    beacon = {"e": [{"n": "view", "i": "beacon", "p": denied}, {"n": "", "p": denied}]}
    await collector.beacon(grant, VISITOR, json.dumps(beacon).encode())
    message = {"type": "track", "event": "a", "userId": "u", "properties": denied, "context": context}
    batch = {"batch": [message | {"messageId": "segment"}, message | {"event": 1}]}
    for origin in (VISITOR, Origin(ADDRESS)):
        await collector.deliver(grant, origin, read_segment(json.dumps(batch).encode(), "batch"))
    expected = {"one", "plain", "second", "steps", "beacon", "segment"}
    assert {row[0] for row in rows(lake.take(), "id")} == expected
    for is_flushed in (False, True):
        if is_flushed:
            collector.rejections.tell()
            collector.journal.close()
            lake.flusher.run()
        written = everything_in(lake.layout.root)
        assert not [text for text in (ADDRESS, OTHER_ADDRESS, SECRET_TEXT) if text in written]
        assert "kept" in written
    assert list(lake.layout.quarantines.rglob("*.parquet"))
    assert collector.counters.read()["properties_removed"][""] >= 10
    found: dict[Any, Any] = {row[0]: row[1] for row in rows(lake.take(), "id, ip_address")}
    assert {"hash": 32, "truncate": len("192.0.2.0/24"), "none": None}[form] == (found["one"] and len(found["one"]))


@pytest.mark.parametrize(
    ("properties", "kept"),
    [
        ({"ip": "192.0.2.77"}, {"ip": "192.0.2.0/24"}),
        ({"$ip": " 192.0.2.77:443 "}, {"$ip": "192.0.2.0/24"}),
        ({"ip_address": "[2001:db8::1]:80"}, {"ip_address": "2001:db8::/48"}),
        ({"context": {"ip": "unknown, 192.0.2.77", "a": 1}}, {"context": {"ip": "192.0.2.0/24", "a": 1}}),
        ({"ip": "2001:db8::1%eth0"}, {"ip": "2001:db8::/48"}),
        ({"ip": "intellectual property", "$ip": 7, "context": "192.0.2.77", "ip_address": None}, None),
        ({"ip": "192.0.2.0/24", "$ip": "c0ffee"}, None),
        ({"IP": "192.0.2.77", "deep": {"ip": "192.0.2.77"}}, None),
        ({"ip": ",".join(["x"] * 8) + ",192.0.2.77"}, None),
        ({}, {}),
    ],
)
def test_addresses_under_well_known_names_become_what_is_stored_of_them(properties: Any, kept: Any) -> None:
    before = json.dumps(properties)
    assert Privacy("truncate").without_addresses(properties) == (properties if kept is None else kept)
    assert json.dumps(properties) == before


def test_address_that_is_not_stored_leaves_no_member_and_one_hashed_is_the_visitors_hash() -> None:
    properties = {"ip": ADDRESS, "context": {"ip": ADDRESS}, "a": 1}
    assert Privacy("none").without_addresses(properties) == {"context": {}, "a": 1}
    hashing = Privacy("hash", b"salt")
    assert hashing.without_addresses({"ip": f"{ADDRESS}:80"}) == {"ip": hashing.stored(ADDRESS)}


@pytest.mark.parametrize(
    ("patterns", "properties", "left", "count"),
    [
        (("email",), {"Email": 1, "e-mail": 2}, {"e-mail": 2}, 1),
        (("*mail*",), {"work_email_1": 1, "a": {"mail": 2, "b": 3}}, {"a": {"b": 3}}, 2),
        (("a.b", "x+"), {"a.b": 1, "axb": 2, "x+": 3, "xx": 4}, {"axb": 2, "xx": 4}, 2),
        (("*",), {"a": 1, "": 2, "b\nc": 3}, {}, 3),
        (("k",), {"list": [1, {"k": 1}, [{"k": {"k": 2}}]]}, {"list": [1, {}, [{}]]}, 2),
        (("absent",), {"a": 1}, {"a": 1}, 0),
        (("*a*b*", "a*a"), {"xaxbx": 1, "ab": 2, "ba": 3, "a": 4, "aa": 5, "axa": 6}, {"ba": 3, "a": 4}, 4),
        (("x*ab*b",), {"xab": 1, "xabb": 2, "x_ab_b": 3, "XABAB": 4}, {"xab": 1}, 3),
        (("stra\u00dfe", "k*"), {"STRASSE": 1, "\u212aelvin": 2, "other": 3}, {"other": 3}, 2),
    ],
)
def test_deny_list(patterns: tuple[str, ...], properties: Any, left: Any, count: int) -> None:
    denial = denial_of(patterns)
    assert denial is not None
    assert denial.cleaned(properties) == (left, count)


@given(
    st.text("abAB\n", max_size=12),
    st.lists(st.text("ab*", min_size=1, max_size=6), min_size=1, max_size=3),
)
def test_stars_match_as_a_regular_expression_would(name: str, patterns: list[str]) -> None:
    denial = denial_of(tuple(patterns))
    assert denial is not None
    slow = "|".join(pattern.replace("*", ".*") for pattern in patterns)
    assert denial.denies(name) == (re.fullmatch(slow, name, re.IGNORECASE | re.DOTALL) is not None)


def test_a_name_too_long_for_an_event_is_neither_compared_nor_remembered_nor_shown() -> None:
    denial = Denial(["*first*name*", "*"])
    long = "first" * NAME_CHARS_MAX
    assert denial.cleaned({long: 1, "first_name": 2}) == ({long: 1}, 1)
    assert long not in denial._known
    assert quarantine_text(json.dumps({"event": "a", "properties": {"a": [{long: "x"}]}, long: 1}), Denial(["b"])) == (
        '{"event":"a","properties":{"a":[{}]}}'
    )


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        ({"event": "a", "$ip": ADDRESS, "ip": ADDRESS}, {"event": "a"}),
        ({"context": {"ip": ADDRESS, "a": 1}, "event_properties": {"$ip": ADDRESS}}, {"context": {"a": 1}}),
        ({"properties": {"context": {"ip": ADDRESS, "a": 1}}}, {"properties": {"context": {"a": 1}}}),
        ({"n": "a", "p": {"ip": ADDRESS, "b": 1}, "token": "key"}, {"n": "a", "p": {"b": 1}}),
        ([{"email": "a@b.c", "ip": ADDRESS, "a": 1}, [{"email": "a@b.c"}], "a@b.c"], [{"a": 1}, [{}], None]),
        ({"event": [{"Email": "a@b.c", "a": 1}], "$set": {"email": "a@b.c"}}, {"event": [{"a": 1}], "$set": {}}),
        ("a@b.c", None),
    ],
)
def test_text_of_the_quarantine(content: Any, kept: Any) -> None:
    found = json.loads(quarantine_text(json.dumps(content), denial_of(("email",))))
    assert found == (kept | {"event_properties": {}} if "event_properties" in content else kept)


def test_text_of_the_quarantine_without_a_deny_list() -> None:
    plain = '{ "event":"a", "n": 1.50, "ipx": "an ip" }'
    assert quarantine_text(plain, None) == plain
    escaped = '{"\\u0069p":"192.0.2.77","context":{"ip":1},"context":{}}'
    assert quarantine_text(escaped, None) == '{"context":{}}'
    assert quarantine_text('{"email": "a@b.c', denial_of(("email",))) == ""


@pytest.mark.parametrize("content", [{"event": "a", "$ip": OTHER_ADDRESS}, {"event": 1, "ip": OTHER_ADDRESS}])
async def test_address_beside_the_properties_of_posthog_is_not_kept(tmp_path: Path, content: Any) -> None:
    lake = TestLake(tmp_path)
    collector = collector_of(lake)
    assert (await collector.deliver(WRITE, VISITOR, read_posthog(json.dumps(content).encode()))).rejected == 1
    collector.journal.close()
    assert OTHER_ADDRESS not in everything_in(lake.layout.root)


def test_a_denied_member_costs_the_event_nothing_and_absurd_depth_no_500(tmp_path: Path) -> None:
    denial = denial_of(("k",))
    assert denial is not None
    deep: Any = 1
    for _ in range(900):
        deep = {"a": deep}
    cleaned, _count = denial.cleaned(deep)
    assert "a" in cleaned
    assert quarantine_text(json.dumps(deep), denial)


async def test_event_whose_oversized_property_is_denied_is_accepted(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    collector = collector_of(lake)
    grant = replace(WRITE, privacy=PrivacySettings(deny_properties=("blob",)))
    large = event("e1", properties={"blob": "x" * 9000, "rest": 1})
    assert (await collector.batch(grant, VISITOR, body(large))).accepted == 1
    assert (await collector.batch(WRITE, VISITOR, body(large | {"id": "e2"}))).rejected == 1
    collector.journal.close()


@pytest.mark.parametrize(("kind", "days", "kept_h"), [("daily", 1, 48), ("monthly", 31, 24 * 32)])
def test_rotating_salt_changes_with_its_time_and_is_thrown_away(
    tmp_path: Path, kind: Literal["daily", "monthly"], days: int, kept_h: int
) -> None:
    clock = FakeClock(NOON_US // (DAY_S * 10**6) * DAY_S * 10**6)
    workers = [Salts(tmp_path / "salts", tmp_path / "tmp", clock) for _ in range(2)]
    own = b"one project"
    before = workers[0].of(kind, own)
    assert workers[1].of(kind, own) == before == workers[0].of(kind, own)
    assert workers[0].of(kind, b"another project") != before
    assert workers[0].of("fixed", own) == own
    (path,) = (tmp_path / "salts").iterdir()
    clock.advance(days * DAY_S)
    after = {worker.of(kind, own) for worker in workers}
    assert len(after) == 1
    assert before not in after
    began = to_datetime(NOON_US).replace(hour=0, minute=0, second=0)
    for _hour in range(kept_h + 24):
        clock.advance(3600)
        workers[0].sweep()
        age = to_datetime(clock.now_us()) - began
        if age >= timedelta(hours=kept_h):
            assert not path.exists()
    assert not path.exists()


async def test_with_a_daily_salt_a_visitor_without_an_id_is_another_one_the_next_day(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    collector = collector_of(lake)
    grants = [replace(WRITE, privacy=PrivacySettings(ip="none", salt=salt)) for salt in ("daily", "fixed")]
    for number, pause_s in enumerate((0, 0, DAY_S)):
        lake.clock.advance(pause_s)
        for grant in grants:
            await collector.batch(
                grant, VISITOR, body({"event": grant.privacy.salt, "id": f"{grant.privacy.salt}{number}"})
            )
    people: dict[Any, Any] = {row[0]: row[1] for row in rows(lake.take(), "id, anonymous_id")}
    assert people["daily0"] == people["daily1"] != people["daily2"]
    assert people["fixed0"] == people["fixed1"] == people["fixed2"] != people["daily0"]
    collector.journal.close()


async def test_a_disk_that_cannot_hold_the_new_salt_refuses_for_now_and_loses_nothing(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    collector = collector_of(lake)
    grant = replace(WRITE, privacy=PrivacySettings(salt="daily"))
    assert (await collector.batch(grant, VISITOR, body(event("today")))).accepted == 1
    lake.clock.advance(DAY_S)
    full = replace(collector, salts=Salts(Path("/proc/salts"), lake.layout.tmp, lake.clock))  # takes no file
    with pytest.raises(StorageUnavailable, match="salt") as refused:
        await full.batch(grant, VISITOR, body(event("tomorrow")))
    assert refused.value.retry_after_s
    assert (await collector.batch(grant, VISITOR, body(event("tomorrow")))).accepted == 1
    collector.journal.close()
