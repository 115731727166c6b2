"""What the launcher and the frame ask for. No cookie and no key counts here, only tickets and tokens."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse

from chatbot.conversation.page_topic import find_page_topic
from chatbot.errors import AccessDenied, AccessError, ChatbotError, CorpusError, LimitReached, QuestionError
from chatbot.forgetting import find_sources
from chatbot.record_file import write_now
from chatbot.site_records import RatedAnswer
from chatbot.sites import Site
from chatbot.types import Document, FinishedAnswer
from chatbot.web.access import get_service
from chatbot.web.failures import find_status
from chatbot.web.pages import ViewerLinks
from chatbot.web.running import RunningAnswer
from chatbot.web.schemas import Json
from chatbot.web.streams import EVENTS, AnswerStream, wait_for_beginning, write_events
from chatbot.web.viewer import Offset, draw_page, show_text
from chatbot.web.widget.blocks import MakeLink
from chatbot.web.widget.bodies import PageBody, QuestionBody, RatingBody, VisitBody
from chatbot.web.widget.events import describe_error, describe_kept_turn, list_visitor_events
from chatbot.web.widget.limits import MinuteLimits, ParallelLimits
from chatbot.web.widget.pages import (
    DEMO_POLICY,
    REFUSED_POLICY,
    make_frame_policy,
    render_demo,
    render_frame,
    render_refusal,
)
from chatbot.web.widget.passes import Passes
from chatbot.web.widget.snippet import LAUNCHER_FILE
from chatbot.web.widget.visits import VISIT_SECONDS, Conversation, Turn, Visit, Visits

TICKETS_PER_MINUTE = 60
PICTURES_PER_MINUTE = 30
"""How often one address may open the chat; a school or an office may share one."""
LAUNCHER_SECONDS = 300

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Reception:
    """What is known of all visitors at present."""

    visits: Visits = field(default_factory=Visits)
    minutes: MinuteLimits = field(default_factory=MinuteLimits)
    parallel: ParallelLimits = field(default_factory=ParallelLimits)
    passes: Passes = field(default_factory=Passes)


def get_reception(request: Request) -> Reception:
    """The reception of the application."""
    reception: Reception = request.app.state.reception
    return reception


# Loading


@router.get("/widget.js")
def send_launcher() -> FileResponse:
    """The script that a page's tag names."""
    headers = {"Cache-Control": f"public, max-age={LAUNCHER_SECONDS}"}
    return FileResponse(LAUNCHER_FILE, media_type="text/javascript", headers=headers)


@router.get("/widget/frame")
def show_frame(request: Request, site: str = "", origin: str = "") -> HTMLResponse:
    """The chat itself, which only the pages of the site can show."""
    try:
        found = find_listed_site(request, site, origin)
    except AccessError as error:
        page = render_refusal(error, "../ui/viewer.css")
        return HTMLResponse(page, find_status(error), {"Content-Security-Policy": REFUSED_POLICY})
    headers = {
        "Content-Security-Policy": make_frame_policy(found),
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return HTMLResponse(render_frame(origin), headers=headers)


@router.get("/widget-demo")
def show_demo(request: Request, site: str = "") -> HTMLResponse:
    """How a site's chat looks, for the owner."""
    service = get_service(request)
    url = service.settings.public_url or str(request.base_url).rstrip("/")
    sites = [known for known in service.sites.list_sites() if url in known.origins]
    chosen = next((known for known in sites if known.name == site), sites[0] if sites else None)
    return HTMLResponse(render_demo(sites, chosen, url), headers={"Content-Security-Policy": DEMO_POLICY})


@router.post("/widget/sites/{name}", status_code=204)
def admit_page(request: Request, name: str) -> None:
    """Whether the page that asks may show the chat, by the origin that its browser tells.

    It takes a POST, because with a GET browsers tell no origin to the page's own server.
    """
    find_listed_site(request, name, request.headers.get("origin", ""))


# Visits


@router.post("/widget/sites/{name}/ticket")
def make_ticket(request: Request, name: str) -> Json:
    """A ticket for the page that asks, if the browser says that its origin is listed."""
    address = get_address(request)
    reception = get_reception(request)
    reception.minutes.count((f"tickets {address}",), TICKETS_PER_MINUTE)
    site = find_listed_site(request, name, request.headers.get("origin", ""))
    return {
        "ticket": reception.visits.make_ticket(site.name, request.headers["origin"], address),
    }


@router.post("/widget/visit")
def open_visit(request: Request, body: VisitBody) -> Json:
    """Change a ticket for a token; what was said before comes with it."""
    token, visit, conversation = get_reception(request).visits.open_visit(
        body.ticket, get_address(request), body.conversation
    )
    site = find_listed_site(request, visit.site, visit.origin)
    forget_deleted(request, conversation)
    make_link = make_linker(request, site)
    corpora = get_service(request).catalogue.list_corpora()
    corpus = next((known for known in corpora if known.name == site.corpus), None)
    if corpus is None:
        raise CorpusError("There is nothing to ask here.", "The corpus of this site was taken away.")
    return {
        "token": token,
        "seconds": VISIT_SECONDS,
        "conversation": visit.conversation_id,
        "title": corpus.title,
        "starters": list(corpus.starter_questions),
        "longest_question": find_longest_question(request, site),
        "turns": [describe_kept_turn(turn, make_link) for turn in conversation.turns],
    }


@router.post("/widget/new")
def start_over(request: Request) -> Json:
    """Forget what was said."""
    check_visit(request)
    visits = get_reception(request).visits
    return {"conversation": visits.start_over(get_token(request), get_address(request))}


@router.post("/widget/rating")
def rate(request: Request, body: RatingBody) -> Json:
    """Keep what a visitor makes of an answer, with the question and the answer."""
    site, _, conversation = check_visit(request)
    turn = conversation.find_turn(body.turn)
    if turn is None:
        raise CorpusError("This answer is not there any more.", "Ask again.")
    records = get_service(request).site_records
    if body.rating is None:
        records.take_back(turn.id)
    else:
        rated = RatedAnswer(turn.id, site.name, turn.question, turn.answer.text, body.rating, write_now())
        records.rate(rated, find_sources(turn.answer))
    turn.rating = body.rating
    return {"rating": body.rating}


# Questions


@router.post("/widget/ask", response_class=StreamingResponse)
async def ask(request: Request, body: QuestionBody) -> Response:
    """Answer a visitor's question while it is written; see `list_visitor_events`."""
    try:
        turn_id, running, make_link = await run_in_threadpool(start_turn, request, body)
        await wait_for_beginning(request, running, tells_place=True)
    except LimitReached as error:
        headers = {"Retry-After": str(error.retry_after_seconds)}
        return JSONResponse({"error": describe_error(error)}, find_status(error), headers)
    events = list_visitor_events(request, running, turn_id, make_link)
    return AnswerStream(running, write_events(events), EVENTS)


@router.post("/widget/stop")
def stop(request: Request) -> Json:
    """Stop what is being written in this conversation; the events then end as always."""
    _, visit, _ = check_visit(request)
    get_reception(request).parallel.stop(visit.conversation_id)
    return {"stopped": True}


def start_turn(request: Request, body: QuestionBody) -> tuple[str, RunningAnswer, MakeLink]:
    """Begin to answer within the limits; (turn id, answer, how to link documents).

    :raises LimitReached: when the visitor or the site has asked as much as it may.
    """
    service, reception = get_service(request), get_reception(request)
    site, visit, conversation = check_visit(request)
    longest = find_longest_question(request, site)
    if not body.question.strip() or len(body.question) > longest:
        raise QuestionError(
            f"A question has 1 to {longest} characters.", "Write it in fewer words, but write something."
        )
    names = (f"{site.name} {visit.address}", visit.conversation_id)
    reception.minutes.count(names, site.limits.questions_per_minute)
    turn_id = secrets.token_urlsafe(12)
    topic = describe_page(body.page)
    history, history_sources = conversation.list_messages(topic), conversation.find_sources()

    def keep(answer: FinishedAnswer) -> None:
        conversation.append_turn(Turn(turn_id, body.question, topic, answer))
        if is_any_deleted(request, history_sources):  # the receipt repeats what was said before
            service.records.receipts.forget_words([answer.receipt])

    def start() -> RunningAnswer:
        spend_budget(request, site)
        return RunningAnswer(
            lambda stop: service.ask(body.question, corpus=site.corpus, history=history, stop=stop),
            keep,
            admission=service.admission,
            metrics=service.metrics,
        ).start()

    running = reception.parallel.start(names, site.limits.parallel_answers, start)
    return turn_id, running, make_linker(request, site)


def spend_budget(request: Request, site: Site) -> None:
    """Count a question of a site's day.

    :raises LimitReached: when there were too many already.
    """
    now = datetime.now(UTC)
    records = get_service(request).site_records
    if not records.count_question(site.name, now.date().isoformat(), site.limits.questions_per_day):
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        seconds = int((midnight - now).total_seconds()) + 1
        raise LimitReached("This chat has answered as much as it may today.", "Come back tomorrow.", seconds)


def describe_page(page: PageBody | None) -> str:
    """What the page is about that a question is asked on; empty where it does not tell."""
    return find_page_topic(page.title, page.address) if page else ""


# Documents


@router.get("/widget/documents/{document_id}")
def show_document(
    request: Request,
    document_id: str,
    start: Offset = 0,
    end: Offset = 0,
    key: Annotated[str, Query(alias="pass")] = "",
) -> HTMLResponse:
    """A document that a visitor was shown words of, with these marked."""
    try:
        document = find_passed_document(request, document_id, key)
    except ChatbotError as error:
        return HTMLResponse(render_refusal(error, "../../ui/viewer.css"), find_status(error))
    picture = f"{document_id}/pages/{{page}}.png?start={start}&end={end}&pass={key}"
    links = ViewerLinks(style="../../ui/viewer.css", picture=picture, original=None)
    return show_text(document, start, end, links)


@router.get("/widget/documents/{document_id}/pages/{page_number}.png")
def show_page(
    request: Request,
    document_id: str,
    page_number: int,
    start: Offset = 0,
    end: Offset = 0,
    key: Annotated[str, Query(alias="pass")] = "",
) -> Response:
    """A page of such a document as a picture."""
    document = find_passed_document(request, document_id, key)
    get_reception(request).minutes.count((f"pictures {get_address(request)}",), PICTURES_PER_MINUTE)
    return draw_page(get_service(request), document, page_number, start, end)


def find_passed_document(request: Request, document_id: str, given: str) -> Document:
    """The document that a pass opens, while its site is there and answers from the document's corpus.

    :raises AccessError: when it does not.
    """
    name = get_reception(request).passes.check_pass(given, document_id)
    service = get_service(request)
    site = service.sites.find_site(name)
    document = service.catalogue.get_document(document_id)
    if site is None or site.corpus != document.record.corpus:
        raise AccessError("This link is not valid any more.", "Ask again in the chat, then open it there.")
    return document


def make_linker(request: Request, site: Site) -> MakeLink:
    """Makes addresses of documents, as seen from the frame."""
    passes = get_reception(request).passes

    def make_link(document_id: str, start: int, end: int) -> str:
        key = passes.make_pass(site.name, document_id)
        return f"documents/{document_id}?start={start}&end={end}&pass={key}#quote"

    return make_link


# What is asked of a request


def get_address(request: Request) -> str:
    """Where a request comes from; behind a proxy that is named in the settings, the visitor's own address."""
    return request.client.host if request.client else ""


def get_token(request: Request) -> str:
    """The token of a visit; empty without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def check_visit(request: Request) -> tuple[Site, Visit, Conversation]:
    """The visit that a request belongs to, while its site still lists the page's origin.

    :raises AccessError: when there is none, or not any more.
    """
    visit, conversation = get_reception(request).visits.find_visit(get_token(request), get_address(request))
    site = find_listed_site(request, visit.site, visit.origin)
    forget_deleted(request, conversation)
    return site, visit, conversation


def forget_deleted(request: Request, conversation: Conversation) -> None:
    """Forget what was said once a document is gone that any of it was taken from; answers repeat others."""
    if is_any_deleted(request, conversation.find_sources()):
        conversation.turns.clear()


def is_any_deleted(request: Request, document_ids: set[str]) -> bool:
    """Whether a document of these is not in the library any more."""
    return not document_ids <= get_service(request).catalogue.find_revisions(document_ids).keys()


def find_listed_site(request: Request, name: str, origin: str) -> Site:
    """The site of that name, if it lists the origin.

    :raises AccessDenied: when there is none, or it does not.
    """
    site = get_service(request).sites.find_site(name)
    if site is None or origin not in site.origins:
        raise AccessDenied(
            "This page may not show this chat.",
            "Whoever runs the chat can list its origin: chatbot sites add.",
        )
    return site


def find_longest_question(request: Request, site: Site) -> int:
    """How many characters a visitor's question may have."""
    return min(site.limits.question_characters, get_service(request).settings.question_limit_characters)
