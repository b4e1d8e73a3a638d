"""The routes of alert rules. The rules are looked at by the background process."""

from typing import Any
from urllib.parse import urlsplit

import msgspec
from fastapi import APIRouter, Response

from iafa.api.access import CallerIsUser, MemberProject, SignedIn
from iafa.api.alert_models import AlertAnswer, AlertChoice, AlertList, NewAlertAnswer, SendingAnswer
from iafa.api.auth import BODY_PROBLEMS
from iafa.api.bodies import StrictRoute
from iafa.api.problem_docs import problem_responses
from iafa.api.projects import CHANGE_PROBLEMS, OBJECT_PROBLEMS
from iafa.api.roles import LEAST_ROLE
from iafa.api.services import Services, ServicesOf
from iafa.api.trail import record
from iafa.clock import iso_or_none, to_iso
from iafa.errors import Conflict, FieldError, ValidationFailed
from iafa.jobs.alert_watch import content_of
from iafa.jobs.webhook import Refused
from iafa.meta.alerts import Message, StoredAlert
from iafa.meta.ids import new_id
from iafa.meta.projects import Project
from iafa.meta.recorded import of_project
from iafa.meta.roles import reaches

router = APIRouter(prefix="/projects/{project_id}/alerts", tags=["alerts"], route_class=StrictRoute)
_CHANGES = problem_responses(*BODY_PROBLEMS, *OBJECT_PROBLEMS, *CHANGE_PROBLEMS, "conflict")


@router.get(
    "",
    summary="List the alert rules",
    description="Oldest first, with what was found at the last look and what became of the last messages. Viewers see "
    "of `webhook_url` only the host.",
    responses=problem_responses(*OBJECT_PROBLEMS),
)
async def list_alerts(project: MemberProject, caller: CallerIsUser, services: ServicesOf) -> AlertList:
    return AlertList(alerts=[_shown(one, caller) for one in await services.alerts.of_project(project.id)])


@router.post(
    "",
    status_code=201,
    summary="Make an alert rule",
    description="At most 50 a project. With a webhook the answer holds, this once, the secret that signs the messages.",
    responses=_CHANGES,
)
async def create_alert(body: AlertChoice, project: MemberProject, services: ServicesOf) -> NewAlertAnswer:
    _check_hook(body, services)
    made = await services.alerts.add(project.id, **await _fields(body, project, services))
    return _with_secret(made, is_new=made.webhook_url is not None)


@router.get(
    "/{alert_id}",
    summary="Read an alert rule",
    description="With what was found at the last look.",
    responses=problem_responses(*OBJECT_PROBLEMS),
)
async def read_alert(alert_id: str, project: MemberProject, caller: CallerIsUser, services: ServicesOf) -> AlertAnswer:
    return _shown(await services.alerts.get(project.id, alert_id), caller)


@router.put(
    "/{alert_id}",
    summary="Change an alert rule",
    description="Swaps the whole rule; the secret stays, but where a rule without a webhook gets one. A rule that "
    "is another one begins anew.",
    responses=_CHANGES,
)
async def change_alert(
    alert_id: str, body: AlertChoice, project: MemberProject, services: ServicesOf
) -> NewAlertAnswer:
    old = await services.alerts.get(project.id, alert_id)
    # A rule whose address the server no longer allows can still be paused.
    if body.webhook_url != old.webhook_url:
        _check_hook(body, services)
    fields = await _fields(body, project, services)
    changed = await services.alerts.replace(project.id, alert_id, **fields)
    return _with_secret(changed, is_new=changed.secret != old.secret)


@router.delete(
    "/{alert_id}",
    status_code=204,
    summary="Delete an alert rule",
    description="A message that waits is not sent any more.",
    responses=problem_responses(*OBJECT_PROBLEMS, *CHANGE_PROBLEMS),
)
async def delete_alert(alert_id: str, project: MemberProject, caller: CallerIsUser, services: ServicesOf) -> Response:
    gone = await services.alerts.remove(project.id, alert_id)
    await record(services, caller, "alert.delete", of_project(project.id), {"alert": gone.id, "name": gone.name})
    return Response(status_code=204)


@router.post(
    "/{alert_id}/test",
    summary="Send a test message",
    description="One attempt, now, signed like any other message, of the type `alert.test`. Nothing is kept of it. "
    "A rule without a webhook has nobody to send it to (409).",
    responses=problem_responses(*OBJECT_PROBLEMS, *CHANGE_PROBLEMS, "conflict"),
)
async def test_alert(alert_id: str, project: MemberProject, services: ServicesOf) -> SendingAnswer:
    alert = await services.alerts.get(project.id, alert_id)
    if alert.webhook_url is None:
        raise Conflict("the rule has no webhook")
    text = f'This is a test of the alert rule "{alert.name}"'
    message = Message(id=new_id(), type="alert.test", text=text, made_us=services.clock.now_us())
    sent = await services.webhook.send(alert.webhook_url, alert.secret, content_of(alert, message))
    return SendingAnswer(is_delivered=sent.is_delivered, detail=sent.detail, status=sent.status)


def _with_secret(alert: StoredAlert, *, is_new: bool) -> NewAlertAnswer:
    return NewAlertAnswer(**_answer(alert).model_dump(), secret=alert.secret if is_new else None)


def _check_hook(body: AlertChoice, services: Services) -> None:
    if body.webhook_url is None:
        return
    try:
        services.webhook.check(body.webhook_url)
    except Refused as refused:
        wrong = FieldError("/webhook_url", "address_refused", str(refused))
        raise ValidationFailed("the rule is not valid", errors=[wrong]) from None


async def _fields(body: AlertChoice, project: Project, services: Services) -> dict[str, Any]:
    """As they are kept. The funnel of a rule must be one of the project's."""
    funnel_id = getattr(body.rule, "funnel_id", None)
    if funnel_id is not None:
        funnel = await services.funnels.get(funnel_id)
        if funnel is None or funnel.project_id != project.id:
            wrong = FieldError("/rule/funnel_id", "not_found", "there is no such funnel in this project")
            raise ValidationFailed("the rule is not valid", errors=[wrong])
    return {**body.model_dump(exclude={"rule"}), "rule": body.rule.model_dump()}


def _shown(alert: StoredAlert, caller: SignedIn) -> AlertAnswer:
    """The path of a webhook's address lets whoever knows it post there: viewers see only the host."""
    if alert.webhook_url is None or reaches(caller.user.role, LEAST_ROLE["change_alert"]):
        return _answer(alert)
    parts = urlsplit(alert.webhook_url)
    hidden = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/..."
    return _answer(msgspec.structs.replace(alert, webhook_url=hidden))


def _answer(alert: StoredAlert) -> AlertAnswer:
    shown = {name: getattr(alert, name) for name in AlertAnswer.model_fields if hasattr(alert, name)}
    deliveries = [
        {"at": to_iso(one.at_us), **{name: getattr(one, name) for name in ("type", "outcome", "attempts", "detail")}}
        | {"status": one.status}
        for one in alert.deliveries
    ]
    message = alert.message
    waiting = message and {
        "attempts": message.attempts,
        "detail": message.detail,
        "next_at": to_iso(max(message.due_us, message.made_us)),
    }
    return AlertAnswer.model_validate(
        shown
        | {
            "deliveries": deliveries,
            "is_waiting": message is not None,
            "waiting": waiting,
            "checked_at": iso_or_none(alert.checked_us),
            "changed_at": iso_or_none(alert.changed_us),
            "created_at": to_iso(alert.created_us),
            "updated_at": to_iso(alert.updated_us),
        }
    )
