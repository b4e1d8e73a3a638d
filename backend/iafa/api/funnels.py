"""Funnel routes: saved definitions and templates. What a valid definition is, query/definition decides."""

from asyncio import to_thread
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from iafa.api.access import BodyProject, CallerIsUser, MemberFunnel, ReadableFunnel, ReadableProject, public
from iafa.api.answers import etag, expected_version, funnel_answer, json_answer
from iafa.api.auth import BODY_PROBLEMS
from iafa.api.bodies import StrictRoute, json_object
from iafa.api.funnel_docs import DEFINITION_BODY
from iafa.api.funnel_models import Funnel, FunnelList, FunnelTemplateList
from iafa.api.problem_docs import problem_responses
from iafa.api.projects import CHANGE_PROBLEMS, OBJECT_PROBLEMS
from iafa.api.services import ServicesOf
from iafa.api.trail import record
from iafa.checks.templates import templates
from iafa.errors import FieldError, ValidationFailed
from iafa.meta.recorded import about_funnel, of_project
from iafa.query.definition import to_dict
from iafa.query.definition_reading import parse_definition

router = APIRouter(tags=["funnels"], route_class=StrictRoute)
RawDefinition = Annotated[Mapping[str, Any], Depends(json_object)]


@router.get(
    "/funnels",
    response_model=FunnelList,
    summary="List a project's funnels",
    description="Saved definitions, oldest first.",
    responses=problem_responses(*OBJECT_PROBLEMS, "insufficient_scope", "invalid_query"),
)
async def list_funnels(project: ReadableProject, services: ServicesOf) -> Response:
    funnels = await services.funnels.of_project(project.id)
    return json_answer({"funnels": [funnel_answer(funnel) for funnel in funnels]})


@router.post(
    "/funnels",
    response_model=Funnel,
    status_code=201,
    summary="Save a funnel",
    description="Required are `project_id`, `name` and, per stage, `name` and one of `event`, `events` and `page`. "
    "Unknown fields are refused.",
    openapi_extra=DEFINITION_BODY,
    responses=problem_responses(*BODY_PROBLEMS, *OBJECT_PROBLEMS, *CHANGE_PROBLEMS, "conflict"),
)
async def create_funnel(
    raw: RawDefinition, project: BodyProject, caller: CallerIsUser, services: ServicesOf
) -> Response:
    definition = await to_thread(parse_definition, raw)
    funnel = await services.funnels.add(project.id, name=definition.name, definition=to_dict(definition))
    await record(services, caller, "funnel.make", of_project(project.id), about_funnel(funnel))
    return json_answer(funnel_answer(funnel), status=201, headers={"etag": etag(funnel.version)})


@router.get(
    "/funnels/{funnel_id}",
    response_model=Funnel,
    summary="Read a funnel",
    description="The saved definition. The `ETag` is the version for `If-Match`.",
    responses=problem_responses(*OBJECT_PROBLEMS, "insufficient_scope"),
)
async def read_funnel(found: ReadableFunnel) -> Response:
    funnel, _project = found
    return json_answer(funnel_answer(funnel), headers={"etag": etag(funnel.version)})


@router.put(
    "/funnels/{funnel_id}",
    response_model=Funnel,
    summary="Change a funnel",
    description='Swaps the whole definition; `project_id` may not change. With `If-Match: "3"` the change is '
    "refused when the funnel is not at version 3 any more.",
    openapi_extra=DEFINITION_BODY,
    responses=problem_responses(*BODY_PROBLEMS, *OBJECT_PROBLEMS, *CHANGE_PROBLEMS, "conflict", "version_conflict"),
)
async def change_funnel(
    raw: RawDefinition, request: Request, funnel: MemberFunnel, caller: CallerIsUser, services: ServicesOf
) -> Response:
    if raw.get("project_id") != funnel.project_id:
        wrong = FieldError("/project_id", "immutable", "a funnel stays in its project")
        raise ValidationFailed("the funnel belongs to another project", errors=[wrong])
    definition = await to_thread(parse_definition, raw)
    changed = await services.funnels.replace(
        funnel.id, name=definition.name, definition=to_dict(definition), expected_version=expected_version(request)
    )
    await record(services, caller, "funnel.change", of_project(funnel.project_id), about_funnel(changed))
    return json_answer(funnel_answer(changed), headers={"etag": etag(changed.version)})


@router.delete(
    "/funnels/{funnel_id}",
    status_code=204,
    summary="Delete a funnel",
    description="Forgets the definition and ends its share links. Events are not touched.",
    responses=problem_responses(*OBJECT_PROBLEMS, *CHANGE_PROBLEMS),
)
async def delete_funnel(funnel: MemberFunnel, caller: CallerIsUser, services: ServicesOf) -> Response:
    await services.funnels.remove(funnel.id)
    await services.saved.shares.remove_of_target(funnel.id)
    await record(services, caller, "funnel.delete", of_project(funnel.project_id), about_funnel(funnel))
    return Response(status_code=204)


@router.get(
    "/funnel-templates",
    response_model=FunnelTemplateList,
    summary="List the templates",
    description="Funnels that many products have, as a start for your own. Their event names are suggestions.",
    dependencies=[Depends(public)],
    responses=problem_responses(),
)
async def list_templates() -> Response:
    return json_answer({"templates": [one.shown() for one in await to_thread(templates)]})
