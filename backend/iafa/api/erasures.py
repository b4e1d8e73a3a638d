"""Routes to the erasure of a person, and to what is known of erasures."""

import asyncio
from typing import Annotated, Any, cast

from fastapi import APIRouter, Path, Query, Request, Response

from iafa.api.access import CallerIsUser, MemberProject
from iafa.api.answers import json_answer
from iafa.api.bodies import QuestionRoute
from iafa.api.erasure_models import Erasure, Erasures
from iafa.api.problem_docs import problem_responses
from iafa.clock import iso_or_none, to_iso
from iafa.errors import NotFound
from iafa.event import ID_CHARS_MAX
from iafa.jobs.erasure_desk import ErasureDesk
from iafa.lake.erasure import Erasure as StoredErasure

router = APIRouter(prefix="/api/v1/projects/{project_id}", tags=["people"], route_class=QuestionRoute)
PROBLEMS = ("invalid_credentials", "token_expired", "insufficient_scope", "not_found")
ERASE_PROBLEMS = (*PROBLEMS, "conflict", "validation_error", "storage_unavailable", "query_busy", "query_timeout")
PersonId = Annotated[str, Path(min_length=1, max_length=ID_CHARS_MAX)]


@router.delete(
    "/people/{user_id:path}",
    response_model=Erasure,
    summary="Erase a person",
    description="Everything that was received of them until now, by whichever of their ids. From the answer on no "
    "question sees them; the files that hold them are written anew in the background, see `GET .../erasures/{id}`. "
    "What the same ids send later is of a new person. `user_id` is a user id, or an anonymous id that only one person "
    "has used. Asked again it gives the same erasure. Backups keep what they hold.",
    responses=problem_responses(*ERASE_PROBLEMS),
)
async def erase_person(request: Request, user_id: PersonId, project: MemberProject, caller: CallerIsUser) -> Response:
    erasure = await asyncio.to_thread(_desk(request).erase, f"user:{caller.user.id}", project.id, user_id)
    return json_answer(shown(erasure))


@router.get(
    "/erasures",
    response_model=Erasures,
    summary="List erasures",
    description="With `user_id`: those of whom this id meant then. Ids are not kept, only keyed hashes of them.",
    responses=problem_responses(*PROBLEMS),
)
async def list_erasures(
    request: Request,
    project: MemberProject,
    user_id: Annotated[str | None, Query(min_length=1, max_length=ID_CHARS_MAX)] = None,
) -> Response:
    desk = _desk(request)
    if user_id is None:
        found = await asyncio.to_thread(desk.erasures.all, project.id)
    else:
        found = await asyncio.to_thread(desk.of_person, project.id, user_id)
    return json_answer({"erasures": [shown(one) for one in found]})


@router.get(
    "/erasures/{erasure_id}",
    response_model=Erasure,
    summary="Follow an erasure",
    description="How far it is, and what has been removed so far.",
    responses=problem_responses(*PROBLEMS),
)
async def get_erasure(request: Request, erasure_id: str, project: MemberProject) -> Response:
    found = await asyncio.to_thread(_desk(request).erasures.get, project.id, erasure_id)
    if found is None:
        raise NotFound
    return json_answer(shown(found))


def shown(erasure: StoredErasure) -> dict[str, Any]:
    """An erasure as the contract shows it."""
    return {
        "erasure_id": erasure.id,
        "status": erasure.state,
        "requested_at": to_iso(erasure.requested_at_us),
        "done_at": iso_or_none(erasure.done_at_us),
        "rows_hidden": erasure.rows_hidden,
        "removed": erasure.removed,
    }


def _desk(request: Request) -> ErasureDesk:
    return cast(ErasureDesk, request.app.state.erasures)
