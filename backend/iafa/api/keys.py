"""Key routes of a project, and the tracking code that carries its write key."""

from fastapi import APIRouter, Request, Response

from iafa.api.access import MemberProject
from iafa.api.answers import key_answer
from iafa.api.auth import BODY_PROBLEMS
from iafa.api.bodies import StrictRoute
from iafa.api.problem_docs import problem_responses
from iafa.api.project_models import OVERLAP_S, KeyAnswer, KeyCreation, KeyList, KeyRotation, TrackingCode
from iafa.api.projects import CHANGE_PROBLEMS, OBJECT_PROBLEMS
from iafa.api.services import ServicesOf
from iafa.api.snippets import base_url, tracking_code
from iafa.errors import Conflict

router = APIRouter(prefix="/projects/{project_id}", tags=["projects"], route_class=StrictRoute)


@router.get(
    "/keys",
    summary="List the keys",
    description="Write keys in clear, because they stand in every page anyway; of secret keys the last four "
    "characters.",
    responses=problem_responses(*OBJECT_PROBLEMS),
)
async def list_keys(project: MemberProject, services: ServicesOf) -> KeyList:
    now_us = services.clock.now_us()
    live = [key for key in project.keys.values() if key.expires_us is None or key.expires_us > now_us]
    return KeyList(keys=[key_answer(key) for key in sorted(live, key=lambda key: key.created_us)])


@router.post(
    "/keys",
    status_code=201,
    summary="Make a key",
    description="A write key may only send events; a secret key sends, uploads and reads. A secret key is shown "
    "this once.",
    responses=problem_responses(*BODY_PROBLEMS, *OBJECT_PROBLEMS, *CHANGE_PROBLEMS, "conflict"),
)
async def create_key(body: KeyCreation, project: MemberProject, services: ServicesOf) -> KeyAnswer:
    key, text = await services.projects.add_key(project.id, kind=body.kind, name=body.name)
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
    key_id: str, project: MemberProject, services: ServicesOf, body: KeyRotation | None = None
) -> KeyAnswer:
    overlap_s = OVERLAP_S if body is None else body.overlap_seconds
    key, text = await services.projects.rotate_key(project.id, key_id, overlap_s=overlap_s)
    return key_answer(key, text=text)


@router.delete(
    "/keys/{key_id}",
    status_code=204,
    summary="Revoke a key",
    description="The key is refused everywhere within two seconds.",
    responses=problem_responses(*OBJECT_PROBLEMS, *CHANGE_PROBLEMS),
)
async def revoke_key(key_id: str, project: MemberProject, services: ServicesOf) -> Response:
    await services.projects.revoke_key(project.id, key_id)
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
