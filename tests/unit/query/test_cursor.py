"""Cursors: the published form, and that nobody can make or move one."""

import pytest

from iafa.errors import ValidationFailed
from iafa.query.cursor import decode_cursor, encode_cursor
from tests.support.events import NOON_US, OTHER_PROJECT, PROJECT

KEY = b"k" * 32
OF_VERSION_1 = "qXP0l_7bezOAzSCCWzEsWzE3NjM3MjY0MDAwMDAwMDAsImV2ZW50LTEiXV0"


def test_cursor_of_version_1_is_still_understood() -> None:
    assert encode_cursor(KEY, PROJECT, "events", [NOON_US, "event-1"]) == OF_VERSION_1
    assert decode_cursor(KEY, PROJECT, "events", OF_VERSION_1) == [NOON_US, "event-1"]


@pytest.mark.parametrize(
    ("key", "project_id", "question", "text"),
    [
        pytest.param(KEY, OTHER_PROJECT, "events", OF_VERSION_1, id="another tenant's"),
        pytest.param(KEY, PROJECT, "people", OF_VERSION_1, id="another list's"),
        pytest.param(b"x" * 32, PROJECT, "events", OF_VERSION_1, id="another server's"),
        pytest.param(KEY, PROJECT, "events", OF_VERSION_1[:-2] + "AA", id="altered"),
        pytest.param(KEY, PROJECT, "events", "", id="empty"),
        pytest.param(KEY, PROJECT, "events", "ä", id="no base64"),
        pytest.param(KEY, PROJECT, "events", "A" * 5_000, id="too long"),
    ],
)
def test_cursor_that_was_not_made_for_this_question_is_refused(
    key: bytes, project_id: str, question: str, text: str
) -> None:
    with pytest.raises(ValidationFailed) as failure:
        decode_cursor(key, project_id, question, text)
    assert failure.value.code == "invalid_query"
