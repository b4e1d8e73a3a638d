"""Plain events of references, as mappings, on their way into a lake: what is sent, what comes twice, which edges."""

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from iafa.event import Event as SentEvent
from iafa.lake.identity import Edge, IdentityEdges
from tests.support.events import PROJECT
from tests.support.lake import TestLake

ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def edges_of(
    draw: random.Random, events: Sequence[Mapping[str, Any]], people: int, first_us: int, *, every: int
) -> list[dict[str, Any]]:
    """Those of the `identify` events, one of each `every`th user, and aliases; some are revoked."""
    edges = [
        {"id": one["id"], "kind": "identify", "user": one["user"], "other": one["anonymous"], "t": one["t"]}
        for one in events
        if one["name"] == "identify" and one["user"] and one["anonymous"]
    ]
    edges += [
        {
            "id": f"edge-{n}",
            "kind": "identify",
            "user": f"user-{n}",
            "other": f"device-{n}",
            "t": draw.choice(events)["t"],
        }
        for n in range(0, people, every)
    ]
    edges += [
        {"id": f"alias-{n}", "kind": "alias", "user": f"user-{draw.randrange(people)}",
         "other": f"user-{draw.randrange(people)}", "t": first_us}
        for n in range(people // 10)
    ]  # fmt: skip
    of_events = {event["id"] for event in events}
    return [edge | {"is_revoked": draw.random() < 0.2, "is_of_event": edge["id"] in of_events} for edge in edges]


def deliver(
    draw: random.Random, lake: TestLake, events: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]]
) -> None:
    """Two flushes that become a file for each day, one that stays parts, and a tail. Some events come twice."""
    batches: list[list[Mapping[str, Any]]] = [[], [], [], []]
    for event in draw.sample(events, len(events)):
        first = draw.randrange(4)
        batches[first].append(event)
        if draw.random() < 0.1:
            batches[draw.randrange(first, 4)].append(event)
    for number, batch in enumerate(batches):
        lake.write([sent(event) for event in batch])
        if number < 3:
            lake.flusher.run()
        if number == 1:
            lake.compactor.run(everything=True)
    IdentityEdges(lake.layout, lake.manifests).add_edges(
        PROJECT,
        [
            Edge(edge["id"], edge["user"], edge["other"], edge["t"], edge["kind"], edge["is_revoked"])
            for edge in edges
            if edge["is_revoked"] or not edge["is_of_event"]
        ],
    )


def sent(event: Mapping[str, Any]) -> SentEvent:
    """Of members that it lacks nothing is sent; who is no bot need not have a user agent."""
    return SentEvent(
        id=event["id"],
        event_type=event["name"],
        created_at=event["t"],
        user_id=event["user"],
        anonymous_id=event.get("anonymous"),
        properties=msgspec.Raw(json.dumps(event["properties"]).encode()),
        user_agent=event.get("user_agent") or (ROBOT if event["is_bot"] else None),
        **{name: event[name] for name in ("session_id", "source", "url", "referrer") if name in event},
    )
