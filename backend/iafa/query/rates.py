"""Percentages and ratios of whole numbers: half up, at most two decimals. The only place that divides counts."""


def percent(part: int, base: int) -> float:
    """`part` of `base` in percent. From the integers in one step: a rounded figure is never rounded again."""
    if base == 0:
        return 0.0
    return ((20_000 * part + base) // (2 * base)) / 100


def ratio(part: int, base: int) -> float | None:
    """None where there is nothing to divide by."""
    return None if base == 0 else ((200 * part + base) // (2 * base)) / 100
