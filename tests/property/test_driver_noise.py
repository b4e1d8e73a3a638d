"""The whole question on shuffled labels: who converts is dealt out anew, and next to nothing may be found."""

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from iafa.query.definition_reading import parse_definition
from iafa.query.drivers import DriversQuestion, drivers
from iafa.query.question import question_of
from iafa.query.time_range import TIME_END_US, TIME_MIN_US, TimeRange
from tests.unit.query.rows import SECOND_US, a_definition, an_engine, an_event, snapshot_of
from tests.unit.query.test_contingency import binomial_bound
from tests.unit.query.test_drivers import THEN_US

EVERYTHING = TimeRange(TIME_MIN_US, TIME_END_US, None, None, "UTC")
PEOPLE = 240
SHUFFLES = 30
CONVERTED = 70


def test_shuffled_labels_give_at_most_five_percent_false_findings(tmp_path: Path, say: Callable[[str], None]) -> None:
    draw = random.Random(21)
    people = [what_they_did(draw, person) for person in range(PEOPLE)]
    engine = an_engine(tmp_path)
    false_findings = tested = 0
    smallest = 1.0
    smallest_corrected: list[float] = []
    for number in range(SHUFFLES):
        converted = set(draw.sample(range(PEOPLE), CONVERTED))
        events = [event for own in people for event in own]
        events += [an_event("B", THEN_US + 900 * SECOND_US, user=f"u{person}") for person in converted]
        snapshot = snapshot_of(tmp_path / "project", [events], prefix=f"shuffle_{number}")
        question = question_of(parse_definition(a_definition("A", "B", window_seconds=3_600)), EVERYTHING, THEN_US * 2)
        answer: Any = drivers(engine, snapshot, DriversQuestion(question, limit=500))
        assert answer["step"]["converted"] == CONVERTED
        assert len(answer["drivers"]) == answer["factors_tested"]
        false_findings += answer["findings"] > 0
        tested += answer["factors_tested"]
        smallest = min(smallest, *(one["p_value"] for one in answer["drivers"]))
        smallest_corrected.append(min(one["p_corrected"] for one in answer["drivers"]))
    engine.close()
    say(f"{SHUFFLES} shuffles, {tested} tests, {false_findings} shuffles with a finding, smallest p {smallest:.2g}")
    assert tested > 40 * SHUFFLES
    assert smallest < 0.01  # uncorrected there would be findings
    assert false_findings <= binomial_bound(SHUFFLES, 0.05, 1e-3)
    assert chance_of(smallest_corrected) > 1e-6
    # The test can see: a correction seven times too weak (5 % would be 35 %) is no chance.
    assert chance_of([one / 7 for one in smallest_corrected]) < 1e-6


def chance_of(p_values: list[float]) -> float:
    """How likely so small p-values are at least (Fisher's method), if each is below x with a chance of at most x.

    It sees more than a count of those below 5 % does: how far below, and what lies just above.
    """
    total = -sum(math.log(one) for one in p_values)
    return math.fsum(math.exp(k * math.log(total) - total - math.lgamma(k + 1)) for k in range(len(p_values)))


def what_they_did(draw: random.Random, person: int) -> list[dict[str, Any]]:
    """A cart with many properties, some of which say the same, and other events before and after it."""
    user, taste = f"u{person}", draw.random()
    properties: dict[str, Any] = {f"p{place}": draw.choice("abcd") for place in range(10)}
    properties |= {
        "total": round(taste * 100, 1),
        "items": draw.randrange(30),
        "kind": "big" if taste > 0.5 else "small",
    }
    properties |= {"coupon": "x"} if draw.random() < 0.4 else {}
    cart = an_event("A", THEN_US, user=user, **properties)
    cart |= {"country": draw.choice(("AT", "DE", "FR")), "device": draw.choice(("mobile", "desktop"))}
    before = [an_event(name, THEN_US - 60 * SECOND_US, user=user) for name in "KLMN" if draw.random() < 0.5]
    after = [an_event(name, THEN_US + 60 * SECOND_US, user=user) for name in "WXYZ" if draw.random() < 0.3]
    return [cart, *before, *after]
