from pathlib import Path

import pytest

from tests.unit.upload.files import Upload


@pytest.fixture
def upload(tmp_path: Path) -> Upload:
    return Upload(tmp_path)
