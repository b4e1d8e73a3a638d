"""A real engine, shared by the tests of a file."""

from collections.abc import Iterator

import pytest

from iafa.query.engine_duckdb import DuckEngine
from tests.unit.query.rows import an_engine


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    engine = an_engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.close()
