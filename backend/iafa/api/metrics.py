"""The metrics of all processes of this server, in the text form that Prometheus reads."""

from fastapi import APIRouter, Depends
from starlette.responses import PlainTextResponse

from iafa.api.access import metrics_reader
from iafa.api.problem_docs import problem_responses
from iafa.api.services import ServicesOf
from iafa.metrics import TEXT_TYPE

router = APIRouter(tags=["operation"])


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    summary="What the server counts",
    description="Prometheus text, of all workers and the background process together. `IAFA_METRICS` says who may "
    "read it; by default only programs on the same machine.",
    dependencies=[Depends(metrics_reader)],
    responses={
        200: {"content": {"text/plain": {"example": "# TYPE iafa_process_up gauge\niafa_process_up 1.0\n"}}},
        **problem_responses("insufficient_scope", "not_found"),
    },
)
async def metrics(services: ServicesOf) -> PlainTextResponse:
    text = await services.metrics()
    return PlainTextResponse(text, media_type=TEXT_TYPE, headers={"cache-control": "no-store"})
