"""Writes small MMDB files, after https://maxmind.github.io/MaxMind-DB: a real file for the real reader."""

import ipaddress
from pathlib import Path
from typing import Any

MARKER = b"\xab\xcd\xefMaxMind.com"
V4_PREFIX = 96  # IPv4 addresses lie at ::/96


def write_mmdb(path: Path, records: dict[str, dict[str, Any]]) -> Path:
    """`records` by network; none may lie in another one."""
    data = bytearray()
    offsets: list[int] = []
    tree: list[list[Any]] = [[None, None]]
    for number, (network, record) in enumerate(records.items()):
        offsets.append(len(data))
        data += encoded(record)
        place(tree, network, number)
    nodes = len(tree)

    def pointer(child: Any) -> bytes:
        if child is None:
            return nodes.to_bytes(3, "big")
        kind, value = child
        target: int = value if kind == "node" else nodes + 16 + offsets[value]
        return target.to_bytes(3, "big")

    search = b"".join(pointer(left) + pointer(right) for left, right in tree)
    metadata = {
        "node_count": (6, nodes),
        "record_size": (5, 24),
        "ip_version": (5, 6),
        "database_type": "Test-City",
        "languages": ["en"],
        "binary_format_major_version": (5, 2),
        "binary_format_minor_version": (5, 0),
        "build_epoch": (9, 1_763_726_400),
        "description": {"en": "test"},
    }
    path.write_bytes(search + bytes(16) + bytes(data) + MARKER + encoded(metadata))
    return path


def place(tree: list[list[Any]], network: str, record: int) -> None:
    of = ipaddress.ip_network(network)
    bits, length = int(of.network_address), of.prefixlen + (V4_PREFIX if of.version == 4 else 0)
    node = 0
    for depth in range(length - 1):
        side = bits >> (127 - depth) & 1
        if tree[node][side] is None:
            tree.append([None, None])
            tree[node][side] = ("node", len(tree) - 1)
        node = tree[node][side][1]
    tree[node][bits >> (128 - length) & 1] = ("data", record)


def encoded(value: Any) -> bytes:
    """(type, number) is an unsigned integer of that type."""
    if isinstance(value, dict):
        return control(7, len(value)) + b"".join(encoded(one) for pair in value.items() for one in pair)
    if isinstance(value, list):
        return control(11, len(value)) + b"".join(map(encoded, value))
    if isinstance(value, tuple):
        kind, number = value
        content: bytes = number.to_bytes((number.bit_length() + 7) // 8, "big")
        return control(kind, len(content)) + content
    text: bytes = value.encode()
    return control(2, len(text)) + text


def control(kind: int, size: int) -> bytes:
    head, extended = (kind << 5, b"") if kind <= 7 else (0, bytes([kind - 7]))
    if size < 29:
        return bytes([head | size]) + extended
    assert size < 285
    return bytes([head | 29]) + extended + bytes([size - 29])
