"""Events of a web site for benches: visits of some pages each, with addresses, campaigns, places and devices."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from iafa.clock import US_PER_DAY
from iafa.event import identity_hash
from iafa.lake.schema import EVENT_SCHEMA
from iafa.lake.snapshot import Snapshot
from tests.bench.funnel_bench import DAYS, FIRST_US, snapshot_of

VISIT_ROWS = 8  # on average
_NAMES = ("page_view", "click", "scroll", "add_to_cart", "purchase")
_SHARES = (0.5, 0.25, 0.15, 0.07, 0.03)
_REFERRERS = (None, *(f"https://www.site-{n}.example/of/{n % 7}?q={n}" for n in range(60)), "https://www.google.com/")
_SOURCES = (None, None, None, "google", "newsletter", "facebook")
_MEDIUMS = (None, None, None, "cpc", "email", "social")
_CAMPAIGNS = (None, "spring", "autumn")


def web_snapshot(directory: Path, rows: int) -> Snapshot:
    """A fixed seed; each file is sorted as compaction sorts it, the last 1 % is the tail."""
    directory.mkdir()
    draw = np.random.default_rng(20261121)
    visits = max(1, rows // VISIT_ROWS)
    people = max(1, visits // 3)
    visit = np.sort(draw.integers(0, visits, rows))
    person = draw.integers(0, people, visits)[visit]
    begin = draw.integers(0, DAYS * US_PER_DAY // 1000, visits)[visit]
    times = (begin + draw.integers(0, 1_200_000, rows)) * 1000 + FIRST_US
    order = np.argsort(times, kind="stable")
    visit, person, times = visit[order], person[order], times[order]
    table = _table(draw, visit, person, times)
    return snapshot_of(directory, table, times, people)


def _table(draw: np.random.Generator, visit: np.ndarray, person: np.ndarray, times: np.ndarray) -> pa.Table:
    rows = len(visit)
    is_anonymous = draw.random(visit.max() + 1)[visit] < 0.7
    kinds = [
        np.array([identity_hash(f"{kind}_{one}") for one in range(person.max() + 1)]) for kind in ("user", "device")
    ]
    page = np.minimum(draw.zipf(1.4, rows), 5_000)
    click = draw.integers(0, 20_000, rows)
    urls = np.char.add("https://shop.example.com/catalog/page-", page.astype(str))
    has_query = draw.random(rows) < 0.2
    urls = np.where(has_query, np.char.add(np.char.add(urls, "?ref="), click.astype(str)), urls)

    def of_visits(values: tuple[str | None, ...]) -> pa.Array:
        return pa.array(values).take(pa.array(draw.integers(0, len(values), visit.max() + 1)[visit]))

    number = np.char.zfill(draw.integers(0, 1 << 62, rows).astype(str), 19)
    time_column = pa.array(times).cast(pa.timestamp("us", tz="UTC"))
    given = {
        "id": pa.array(np.char.add(np.char.add("0192f0c1-7b3a-7", number), "-01")),
        "project_id": pa.array(np.full(rows, "p0projectaaaa")),
        "event_type": pa.array(np.array(_NAMES)[draw.choice(len(_NAMES), rows, p=_SHARES)]),
        "user_id": pa.array(np.char.add("user_", person.astype(str)), mask=is_anonymous),
        "anonymous_id": pa.array(np.char.add("device_", person.astype(str))),
        "properties": pa.array(np.full(rows, '{"plan":"pro"}')),
        "user_hash": pa.array(np.where(is_anonymous, kinds[1][person], kinds[0][person])),
        "url": pa.array(urls),
        "referrer": of_visits(_REFERRERS),
        "created_at": time_column,
        "received_at": time_column,
        "country": of_visits((None, *(f"C{n}" for n in range(40)))),
        "region": of_visits(tuple(f"region {n}" for n in range(300))),
        "city": of_visits(tuple(f"a city called {n}" for n in range(2_000))),
        "browser": of_visits(("Chrome", "Firefox", "Safari", "Edge")),
        "os": of_visits(("Windows", "macOS", "Linux", "Android", "iOS")),
        "device": of_visits(("desktop", "mobile", "tablet")),
        "utm_source": of_visits(_SOURCES),
        "utm_medium": of_visits(_MEDIUMS),
        "utm_campaign": of_visits(_CAMPAIGNS),
        "is_bot": pa.array(draw.random(rows) < 0.02),
        "sample_rate": pa.array(np.ones(rows)),
    }
    return pa.table([given.get(field.name, pa.nulls(rows, field.type)) for field in EVENT_SCHEMA], schema=EVENT_SCHEMA)
