"""Health routes, at the root for load balancers and under the API's base for clients."""

from typing import Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from iafa import __version__
from iafa.api.access import public
from iafa.api.answers import json_answer
from iafa.api.problem_docs import problem_responses
from iafa.api.services import Services, ServicesOf
from iafa.errors import StorageUnavailable


class Health(BaseModel):
    status: Literal["ok"]
    version: str = Field(examples=["0.1.0"])
    durability: str = Field(
        description="When an event is synced: `sync` (before the answer), `interval:<ms>` or `off`.", examples=["sync"]
    )


class Readiness(BaseModel):
    model_config = ConfigDict(extra="allow")

    ready: Literal[True]


router = APIRouter(prefix="/health", tags=["operation"], dependencies=[Depends(public)])


@router.get(
    "",
    summary="Is the server there",
    description="200 as soon as the process serves.",
    responses=problem_responses(),
)
async def health(services: ServicesOf) -> Health:
    return _health(services)


@router.get(
    "/live",
    summary="Is the process alive",
    description="The same, under the name that orchestrators ask for.",
    responses=problem_responses(),
)
async def live(services: ServicesOf) -> Health:
    return _health(services)


@router.get(
    "/ready",
    response_model=Readiness,
    summary="May traffic come",
    description="200 only after every journal is replayed; 503 until then.",
    responses=problem_responses("not_ready"),
)
async def ready(services: ServicesOf) -> Response:
    state: dict[str, Any] = await services.readiness()
    if not state.get("ready"):
        raise StorageUnavailable(f"not ready: {state.get('journal', 'starting')}", code="not_ready")
    return json_answer(state)


def _health(services: Services) -> Health:
    return Health(status="ok", version=__version__, durability=services.settings.durability)
