"""Key routes of a project, and the tracking code that carries its write key."""

from asyncio import to_thread

from fastapi import APIRouter, Request, Response

from iafa.api.access import CallerIsUser, MemberProject
from iafa.api.answers import key_answer
from iafa.api.auth import BODY_PROBLEMS
from iafa.api.bodies import StrictRoute
from iafa.api.problem_docs import problem_responses
from iafa.api.project_models import OVERLAP_S, KeyAnswer, KeyCreation, KeyList, KeyRotation, TrackingCode
from iafa.api.projects import CHANGE_PROBLEMS, OBJECT_PROBLEMS
from iafa.api.services import ServicesOf
from iafa.api.snippets import base_url, tracking_code
from iafa.api.trail import record
from iafa.errors import Conflict
from iafa.meta.recorded import about_key, of_project

router = APIRouter(prefix="/projects/{project_id}", tags=["projects"], route_class=StrictRoute)


@router.get(
    "/keys",
    summary="List the keys",
    description="Write keys in clear, because they stand in every page anyway; of secret keys the last four "
    "characters. `last_used_at` is when each last sent events, uploaded or read, to about a minute.",
    responses=problem_responses(*OBJECT_PROBLEMS, "insufficient_scope"),
)
async def list_keys(project: MemberProject, services: ServicesOf) -> KeyList:
    now_us = services.clock.now_us()
    live = [key for key in project.keys.values() if key.expires_us is None or key.expires_us > now_us]
    uses = await to_thread(services.key_uses.all)
    return KeyList(
        keys=[key_answer(key, used_us=uses.get(key.id)) for key in sorted(live, key=lambda key: key.created_us)]
    )


@router.post(
    "/keys",
    status_code=201,
    summary="Make a key",
    description="A write key may only send events; a secret key sends, uploads and reads. A secret key is shown "
    "this once.",
    responses=problem_responses(*BODY_PROBLEMS, *OBJECT_PROBLEMS, *CHANGE_PROBLEMS, "conflict"),
)
async def create_key(
    body: KeyCreation, project: MemberProject, caller: CallerIsUser, services: ServicesOf
) -> KeyAnswer:
    key, text = await services.projects.add_key(project.id, kind=body.kind, name=body.name)
    await record(services, caller, "key.make", of_project(project.id), about_key(key))
    return key_answer(key, text=text)


@router.post(
    "/keys/{key_id}/rotate",
    status_code=201,
    summary="Replace a key",
    description="Makes a new key of the same kind. The old one still works for the overlap, so that pages and "
    "servers can be changed over one after the other.",
    responses=problem_responses(*BODY_PROBLEMS, *OBJECT_PROBLEMS, *CHANGE_PROBLEMS, "conflict"),
)
async def rotate_key(
    key_id: str,
    project: MemberProject,
    caller: CallerIsUser,
    services: ServicesOf,
    body: KeyRotation | None = None,
) -> KeyAnswer:
    overlap_s = OVERLAP_S if body is None else body.overlap_seconds
    key, text = await services.projects.rotate_key(project.id, key_id, overlap_s=overlap_s)
    details = about_key(key) | {"replaces": key_id, "overlap_seconds": overlap_s}
    await record(services, caller, "key.rotate", of_project(project.id), details)
    return key_answer(key, text=text)


@router.delete(
    "/keys/{key_id}",
    status_code=204,
    summary="Revoke a key",
    description="The key is refused everywhere within two seconds.",
    responses=problem_responses(*OBJECT_PROBLEMS, *CHANGE_PROBLEMS),
)
async def revoke_key(key_id: str, project: MemberProject, caller: CallerIsUser, services: ServicesOf) -> Response:
    key = await services.projects.revoke_key(project.id, key_id)
    await record(services, caller, "key.revoke", of_project(project.id), about_key(key))
    return Response(status_code=204)


@router.get(
    "/tracking-code",
    summary="The snippet for your pages",
    description="Carries the project's newest write key and this server's address, ready to be pasted.",
    responses=problem_responses("bad_request", *OBJECT_PROBLEMS, "conflict"),
)
async def read_tracking_code(request: Request, project: MemberProject, services: ServicesOf) -> TrackingCode:
    live = [key for key in project.keys.values() if key.public_text is not None and key.expires_us is None]
    if not live:
        raise Conflict("the project has no write key; make one first")
    newest = max(live, key=lambda key: (key.created_us, key.id))
    return tracking_code(str(newest.public_text), base_url(request, services.settings))
