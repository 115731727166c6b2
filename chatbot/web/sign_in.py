"""Asks people for their key once, and keeps a session that stands for it in a cookie no script can read."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from chatbot.sessions import SESSION_DAYS
from chatbot.web.access import SESSION_COOKIE, SIGN_IN_PATH, SIGN_OUT_PATH, get_service
from chatbot.web.pages import render_sign_in_page

COOKIE_SECONDS = SESSION_DAYS * 24 * 3600
LONGEST_KEY = 200
LONGEST_PATH = 2000

router = APIRouter(include_in_schema=False)


@router.get(SIGN_IN_PATH)
def show_sign_in(next: str = "/") -> HTMLResponse:
    """The page that asks for a key."""
    return HTMLResponse(render_sign_in_page(choose_target(next)))


@router.post(SIGN_IN_PATH)
def sign_in(
    request: Request,
    key: Annotated[str, Form(max_length=LONGEST_KEY)] = "",
    next: Annotated[str, Form(max_length=LONGEST_PATH)] = "/",
) -> Response:
    """Begin a session with a key that is known, and go on to where it was asked for."""
    service = get_service(request)
    target = choose_target(next)
    token = service.sessions.open(key.strip())
    if token is None:
        return HTMLResponse(
            render_sign_in_page(target, problem="This key is not known, or was revoked."), 401
        )
    response = RedirectResponse(target, 303)
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=COOKIE_SECONDS,
        httponly=True,
        samesite="lax",
        secure=(service.settings.public_url or "").startswith("https://"),
    )
    return response


@router.post(SIGN_OUT_PATH)
def sign_out(request: Request) -> Response:
    """End the browser's session."""
    get_service(request).sessions.end(request.cookies.get(SESSION_COOKIE, ""))
    response = RedirectResponse(SIGN_IN_PATH, 303)
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax")
    return response


def choose_target(path: str) -> str:
    """A path of this server to go to; never another site."""
    is_own = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if is_own else "/"
