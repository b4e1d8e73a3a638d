"""How the server is doing, for the people who run it."""

import asyncio
from typing import cast

from fastapi import APIRouter, Request, Response

from iafa.api.access import CallerIsUser
from iafa.api.answers import json_answer
from iafa.api.bodies import QuestionRoute
from iafa.api.problem_docs import problem_responses
from iafa.api.services import ServicesOf
from iafa.api.system_models import SystemAnswer
from iafa.jobs.system import SystemDesk

router = APIRouter(prefix="/api/v1", tags=["monitor"], route_class=QuestionRoute)


@router.get(
    "/system",
    response_model=SystemAnswer,
    summary="How the server is doing",
    description="Rates, what waits, processes, disk, the background's runs and slow questions, of all workers. Nothing "
    "is measured for this answer: it reads what the processes published. Of single projects only those of your "
    "organization are named.",
    responses=problem_responses("invalid_credentials", "token_expired", "insufficient_scope"),
)
async def read_system(request: Request, caller: CallerIsUser, services: ServicesOf) -> Response:
    desk = cast(SystemDesk, request.app.state.system)
    own = await services.projects.of_organization(caller.user.organization_id)
    return json_answer(await asyncio.to_thread(desk.of, {one.id: one.name for one in own}))
