"""Why nothing arrives: the diagnosis of a project's incoming requests."""

import asyncio
from typing import cast

from fastapi import APIRouter, Request

from iafa.api.access import ReadableProject
from iafa.api.bodies import QuestionRoute
from iafa.api.diagnosis_models import DiagnosisAnswer, FindingAnswer, FindingSample, TrafficMinute, TrafficSpan
from iafa.api.problem_docs import problem_responses
from iafa.clock import iso_or_none, to_iso
from iafa.event import DropReason
from iafa.ingest.attempts import BOT, FETCHED, Sample
from iafa.jobs.diagnosis import Counted, Diagnosis, DiagnosisDesk
from iafa.jobs.diagnosis_rules import Finding

router = APIRouter(prefix="/api/v1/projects/{project_id}", tags=["monitor"], route_class=QuestionRoute)


@router.get(
    "/diagnosis",
    summary="Why nothing arrives",
    description="What all workers counted of the project in the last 15 minutes and 24 hours, and findings that say "
    "in words what is wrong and what to do, likeliest first. Requests with a wrong key belong to no project; they are "
    "named here if the key was once the project's, or if they come from its domain or an allowed origin.",
    responses=problem_responses("invalid_credentials", "token_expired", "insufficient_scope", "not_found"),
)
async def diagnose(request: Request, project: ReadableProject) -> DiagnosisAnswer:
    desk = cast(DiagnosisDesk, request.app.state.diagnosis)
    return _answer(project.id, await asyncio.to_thread(desk.of, project))


def _answer(project_id: str, found: Diagnosis) -> DiagnosisAnswer:
    return DiagnosisAnswer(
        project_id=project_id,
        checked_at=to_iso(found.now_us),
        counted_since=to_iso(found.since_us),
        is_receiving=found.lately.accepted > 0,
        last_request_at=iso_or_none(found.last_request_us),
        last_accepted_at=iso_or_none(found.last_accepted_us),
        last_tracker_fetch_at=iso_or_none(found.last_fetched_us),
        last_15_minutes=_span(found.lately),
        last_24_hours=_span(found.day),
        minutes=[
            TrafficMinute(at=to_iso(one.at_us), accepted=one.accepted, not_stored=one.not_stored, refused=one.refused)
            for one in found.minutes
        ],
        findings=[_finding(one) for one in found.findings],
    )


def _span(counted: Counted) -> TrafficSpan:
    reasons = counted.reasons
    return TrafficSpan(
        accepted=counted.accepted,
        bots=reasons[BOT],
        duplicates=reasons[DropReason.DUPLICATE],
        sampled_out=reasons[DropReason.SAMPLED_OUT],
        invalid=counted.invalid,
        rate_limited=reasons[DropReason.RATE_LIMITED],
        quota_exceeded=reasons[DropReason.QUOTA_EXCEEDED],
        refused_requests=counted.refused_requests,
        tracker_fetches=reasons[FETCHED],
        reasons={reason: count for reason, count in sorted(reasons.items()) if count},
    )


def _finding(one: Finding) -> FindingAnswer:
    return FindingAnswer.model_validate(
        {
            "code": one.code,
            "severity": one.severity,
            "title": one.title,
            "advice": one.advice,
            "count": one.count,
            "lately": one.lately,
            "last_at": iso_or_none(one.last_us),
            "samples": [_sample(sample) for sample in one.samples],
        }
    )


def _sample(one: Sample) -> FindingSample:
    return FindingSample.model_validate(
        {
            "at": to_iso(one.last_us),
            "first_at": to_iso(one.first_us),
            "count": one.count,
            "reason": one.what,
            "origin": one.origin,
            "route": one.route,
            "key_kind": one.key_kind,
            "key_last4": one.key_last4,
            "code": one.code,
            "pointer": one.pointer,
            "message": one.message,
            "event_type": one.event_type,
        }
    )
