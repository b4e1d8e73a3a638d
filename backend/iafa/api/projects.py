"""Project routes: settings and status."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from iafa.api.access import CallerIsUser, MemberProject, ReadableProject
from iafa.api.answers import etag, expected_version, project_answer
from iafa.api.auth import BODY_PROBLEMS
from iafa.api.bodies import StrictRoute
from iafa.api.problem_docs import problem_responses
from iafa.api.project_models import (
    ProjectAnswer,
    ProjectChange,
    ProjectCreated,
    ProjectCreation,
    ProjectList,
    ProjectStatus,
)
from iafa.api.services import ServicesOf
from iafa.api.trail import record
from iafa.clock import iso_or_none, to_iso
from iafa.ingest.usage import month_of
from iafa.jobs.audit_pages import PROJECT_DELETED
from iafa.meta.collect_rules import PrivacySettings, SamplingRule, SchemaRule
from iafa.meta.projects import TrackerSettings
from iafa.meta.recorded import changed_settings, of_project

router = APIRouter(prefix="/projects", tags=["projects"], route_class=StrictRoute)
SESSION_PROBLEMS = ("invalid_credentials", "token_expired")
OBJECT_PROBLEMS = (*SESSION_PROBLEMS, "not_found")
CHANGE_PROBLEMS = ("insufficient_scope", "storage_unavailable")


@router.get(
    "",
    summary="List the projects",
    description="All projects of the caller's organization, oldest first.",
    responses=problem_responses(*SESSION_PROBLEMS),
)
async def list_projects(caller: CallerIsUser, services: ServicesOf) -> ProjectList:
    projects = await services.projects.of_organization(caller.user.organization_id)
    return ProjectList(projects=[project_answer(project) for project in projects])


@router.post(
    "",
    status_code=201,
    summary="Make a project",
    description="Answers both keys in clear. The secret key is shown this once: keep it on your server.",
    responses=problem_responses(*BODY_PROBLEMS, *SESSION_PROBLEMS, *CHANGE_PROBLEMS, "conflict"),
)
async def create_project(
    body: ProjectCreation, response: Response, caller: CallerIsUser, services: ServicesOf
) -> ProjectCreated:
    settings = _stored(body.model_dump(exclude={"name"}))
    project, write_text, secret_text = await services.projects.add(
        caller.user.organization_id, name=body.name, settings=settings
    )
    await record(services, caller, "project.make", of_project(project.id), {"name": project.name})
    response.headers["etag"] = etag(project.version)
    return ProjectCreated(
        **project_answer(project).model_dump(by_alias=True), api_key=write_text, secret_key=secret_text
    )


@router.get(
    "/{project_id}",
    summary="Read a project",
    description="The settings. The `ETag` is the version for `If-Match`.",
    responses=problem_responses(*OBJECT_PROBLEMS),
)
async def read_project(project: MemberProject, response: Response) -> ProjectAnswer:
    response.headers["etag"] = etag(project.version)
    return project_answer(project)


@router.put(
    "/{project_id}",
    summary="Change a project",
    description='Fields that are absent stay as they are. With `If-Match: "3"` the change is refused when the '
    "project is not at version 3 any more. Limits and keys hold everywhere within two seconds.",
    responses=problem_responses(*BODY_PROBLEMS, *OBJECT_PROBLEMS, *CHANGE_PROBLEMS, "conflict", "version_conflict"),
)
async def change_project(
    body: ProjectChange,
    request: Request,
    response: Response,
    project: MemberProject,
    caller: CallerIsUser,
    services: ServicesOf,
) -> ProjectAnswer:
    changes = _stored(body.model_dump(exclude_unset=True))
    changed = await services.projects.update(project.id, changes=changes, expected_version=expected_version(request))
    if details := changed_settings(project, changed):
        await record(services, caller, "project.change", of_project(project.id), details)
    response.headers["etag"] = etag(changed.version)
    return project_answer(changed)


@router.delete(
    "/{project_id}",
    status_code=204,
    summary="Delete a project",
    description="Ends its keys at once, then removes its funnels, boards, share links, alert rules and events. There "
    "is no way back.",
    responses=problem_responses(*OBJECT_PROBLEMS, *CHANGE_PROBLEMS),
)
async def delete_project(project: MemberProject, caller: CallerIsUser, services: ServicesOf) -> Response:
    details = {"name": project.name, "organization": project.organization_id}
    await record(services, caller, PROJECT_DELETED, of_project(project.id), details)
    # The mark first: if we are stopped in between, a repeated call finishes and nothing is left without an owner.
    await services.drop_project(project.id)
    await services.projects.remove(project.id)
    await services.funnels.remove_of_project(project.id)
    await services.alerts.remove_of_project(project.id)
    await services.saved.remove_of_project(project.id)
    return Response(status_code=204)


@router.get(
    "/{project_id}/status",
    summary="Is data arriving",
    description="How many events the project has and when the first and the last happened. Counts every event "
    "acknowledged before the request.",
    responses=problem_responses(*OBJECT_PROBLEMS, "storage_unavailable"),
)
async def project_status(project: ReadableProject, services: ServicesOf) -> ProjectStatus:
    snapshot = await services.snapshot(project.id)
    return ProjectStatus(
        events_total=snapshot.rows,
        first_event_at=iso_or_none(snapshot.first_us),
        last_event_at=iso_or_none(snapshot.last_us),
        events_this_month=services.events_this_month(project.id),
        monthly_quota=project.monthly_quota,
        month_ends_at=to_iso(month_of(services.clock.now_us())[1]),
        data_version=snapshot.data_version,
    )


def _stored(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings of a body as the project keeps them."""
    if "allowed_origins" in settings:
        settings["allowed_origins"] = tuple(settings["allowed_origins"])
    if "tracker" in settings:
        settings["tracker"] = msgspec.convert(settings["tracker"], TrackerSettings)
    if "sampling" in settings:
        settings["sampling"] = msgspec.convert(settings["sampling"], tuple[SamplingRule, ...])
    if "schemas" in settings:
        settings["schemas"] = tuple(
            SchemaRule(event_type=rule["event_type"], schema=msgspec.json.encode(rule["json_schema"]).decode())
            for rule in settings["schemas"]
        )
    if "privacy" in settings:
        settings["privacy"] = msgspec.convert(settings["privacy"], PrivacySettings)
    return settings
