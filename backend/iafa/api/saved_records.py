"""What answers say of everything that a project keeps, and what its routes may refuse."""

from collections.abc import Iterable, Mapping
from typing import Any

from iafa.api.auth import BODY_PROBLEMS
from iafa.api.problem_docs import problem_responses
from iafa.api.projects import CHANGE_PROBLEMS, OBJECT_PROBLEMS
from iafa.api.services import Services
from iafa.api.view_models import ViewRange
from iafa.clock import to_iso
from iafa.errors import FieldError, ValidationFailed
from iafa.meta.project_records import ProjectRecord
from iafa.meta.projects import Project
from iafa.query.time_range import resolve_time_range

READ_PROBLEMS = problem_responses(*OBJECT_PROBLEMS, "insufficient_scope")
MAKE_PROBLEMS = problem_responses(*BODY_PROBLEMS, *OBJECT_PROBLEMS, *CHANGE_PROBLEMS, "conflict")
EDIT_PROBLEMS = problem_responses(*BODY_PROBLEMS, *OBJECT_PROBLEMS, *CHANGE_PROBLEMS, "conflict", "version_conflict")
DROP_PROBLEMS = problem_responses(*OBJECT_PROBLEMS, *CHANGE_PROBLEMS)
ERRORS_MAX = 100


async def authors_of(services: Services, records: Iterable[ProjectRecord]) -> dict[str, str]:
    """The names of users who are still there, each looked up once."""
    found = {}
    for user_id in {record.author_id for record in records if record.author_id is not None}:
        user = await services.accounts.users.get(user_id)
        if user is not None:
            found[user_id] = user.full_name
    return found


def saved_answer(record: ProjectRecord, authors: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": record.id,
        "project_id": record.project_id,
        "author": authors.get(record.author_id or ""),
        "version": record.version,
        "created_at": to_iso(record.created_us),
        "updated_at": to_iso(record.updated_us),
    }


def refuse(errors: list[FieldError], detail: str) -> None:
    if errors:
        raise ValidationFailed(detail, errors=errors[:ERRORS_MAX])


def stored_range(chosen: ViewRange | None) -> dict[str, Any] | None:
    return None if chosen is None else chosen.model_dump()


def range_errors(project: Project, chosen: ViewRange | None, at: str) -> list[FieldError]:
    return [] if chosen is None else days_errors(project, chosen.start_date, chosen.end_date, at)


def days_errors(project: Project, start: str | None, end: str | None, at: str) -> list[FieldError]:
    """What is wrong with days or instants that questions will be asked for."""
    try:
        resolve_time_range(start, end, timezone=project.timezone)
    except ValidationFailed as error:
        return [FieldError(f"{at}{one.pointer}", one.code, one.message) for one in error.errors]
    return []
