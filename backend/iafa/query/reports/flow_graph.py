"""Nodes and links of paths: what a Sankey diagram needs, with what flows in and out of every node."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from iafa.query.rates import percent

Direction = Literal["forward", "backward", "between"]
OTHER = "(other)"
ENDS = {"forward": ("exit", "(exit)"), "backward": ("entry", "(entry)")}
_KINDS = ("value", "other", "exit", "entry")


class Way(NamedTuple):
    """What goes from one node to the next; or, without a depth, a whole path.

    `kind` says of what follows: a name (`value`), names beyond the most frequent (`other`), nothing (`end`), or more
    than is shown (`on`). A name that is absent is one of the others.
    """

    depth: int | None
    source: str | None
    kind: str
    target: str | None
    entities: int
    names: list[str] | None


@dataclass
class _Node:
    depth: int
    kind: str
    name: str
    entities: int = 0
    ends: int = 0
    goes_on: int = 0


@dataclass
class _Graph:
    direction: Direction
    nodes: dict[tuple[int, str, str], _Node] = field(default_factory=dict)
    links: dict[tuple[tuple[int, str, str], tuple[int, str, str]], int] = field(default_factory=dict)

    def node(self, depth: int, kind: str, name: str) -> tuple[int, str, str]:
        key = (depth, kind, name)
        self.nodes.setdefault(key, _Node(depth, kind, name))
        return key

    def add(self, way: Way) -> None:
        assert way.depth is not None
        source = self.node(way.depth, *_named(way.source))
        node = self.nodes[source]
        node.entities += way.entities
        if way.kind == "on":
            node.goes_on += way.entities
            return
        if way.kind == "end":
            node.ends += way.entities
            if self.direction == "between":
                return
            target = self.node(way.depth + 1, *ENDS[self.direction])
            self.nodes[target].entities += way.entities
        else:
            target = self.node(way.depth + 1, *_named(way.target))
        self.links[source, target] = self.links.get((source, target), 0) + way.entities


def graph_of(ways: Sequence[Way], direction: Direction, depth: int) -> dict[str, Any]:
    """Of the answer; nodes by depth and size, links from the earlier to the later event."""
    graph = _Graph(direction)
    for way in ways:
        if way.depth is not None:
            graph.add(way)
    entities = sum(node.entities for node in graph.nodes.values() if node.depth == 1)
    nodes = sorted(graph.nodes.items(), key=lambda one: _order(one[1]))
    numbers = {key: number for number, (key, _node) in enumerate(nodes)}
    links = [
        (numbers[target], numbers[source], value)
        if direction == "backward"
        else (numbers[source], numbers[target], value)
        for (source, target), value in graph.links.items()
    ]
    return {
        "entities": entities,
        "nodes": [_shown(number, node, entities, depth) for number, (_key, node) in enumerate(nodes)],
        "links": [{"source": source, "target": target, "value": value} for source, target, value in sorted(links)],
        "paths": list(_paths(ways, entities, is_back=direction == "backward")),
    }


def _paths(ways: Iterable[Way], entities: int, *, is_back: bool) -> "Iterable[dict[str, Any]]":
    whole = [way for way in ways if way.names is not None]
    for way in sorted(whole, key=lambda one: (-one.entities, one.names, one.kind)):
        names = list(way.names or ())
        yield {
            "names": names[::-1] if is_back else names,
            "entities": way.entities,
            "percent": percent(way.entities, entities),
            "is_whole": way.kind == "end",
        }


def _named(name: str | None) -> tuple[str, str]:
    return ("other", OTHER) if name is None else ("value", name)


def _order(node: _Node) -> tuple[int, int, int, str]:
    return node.depth, _KINDS.index(node.kind), -node.entities, node.name


def _shown(number: int, node: _Node, entities: int, depth: int) -> dict[str, Any]:
    is_step = node.kind in ("value", "other")
    shown: dict[str, Any] = {
        "id": number,
        "depth": node.depth,
        "name": node.name,
        "kind": node.kind,
        "entities": node.entities,
        "percent": percent(node.entities, entities),
    }
    return shown | {"ends": node.ends if is_step else 0, "goes_on": node.goes_on if node.depth == depth else 0}
