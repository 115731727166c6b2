"""What those who run the chatbot ask: is it alive, can it answer, how much does it do."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from chatbot.metrics import CONTENT_TYPE
from chatbot.web.access import get_service
from chatbot.web.examples import ERRORS, describe_json, describe_text
from chatbot.web.schemas import Json, status_to_json

METRICS_EXAMPLE = "# TYPE chatbot_questions_total counter\nchatbot_questions_total 12.0\n"

router = APIRouter(tags=["Monitoring"])


@router.get("/health", responses=ERRORS | describe_json("health"))
def show_health(request: Request) -> Json:
    """Whether questions can be answered, and what is still awaited."""
    return status_to_json(get_service(request).status())


@router.get("/health/live", responses=describe_json("live"))
async def show_live() -> Json:
    """Whether the server answers at all. Needs no key."""
    return {"live": True}


@router.get("/health/ready", responses=describe_json("ready") | {503: {"description": "Not yet."}})
async def show_ready(request: Request) -> Response:
    """Whether questions can be answered: 200 if so, else 503. Needs no key."""
    ready = get_service(request).status().ready
    return JSONResponse({"ready": ready}, 200 if ready else 503)


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses=ERRORS | describe_text("text/plain", METRICS_EXAMPLE),
)
def show_metrics(request: Request) -> Response:
    """Counts and times since the start, as Prometheus reads them."""
    return Response(get_service(request).metrics.render(), headers={"Content-Type": CONTENT_TYPE})
