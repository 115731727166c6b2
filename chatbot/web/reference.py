"""The description of the HTTP interface as a page of our own, without a script or a foreign address."""

from __future__ import annotations

import json
from html import escape

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from chatbot.web.pages import render_page
from chatbot.web.schemas import Json

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def show_reference(request: Request) -> HTMLResponse:
    """Every route with an example of what it takes and what it answers."""
    return HTMLResponse(render_reference(request.app.openapi()))


def render_reference(description: Json) -> str:
    """An OpenAPI description to read."""
    routes = [
        _render_route(method.upper(), path, route, description)
        for path, methods in description["paths"].items()
        for method, route in methods.items()
    ]
    title = "HTTP interface"
    header = (
        f'<header><p class="brand">Chatbot</p><h1>{title}</h1>'
        '<nav><a href="/">Back to the chat</a><a href="/openapi.json">OpenAPI description</a></nav></header>'
    )
    return render_page(title, f"{header}<main>{''.join(routes)}</main>")


def _render_route(method: str, path: str, route: Json, description: Json) -> str:
    parts = [f"<h2>{method} {escape(path)}</h2>", _render_text(route.get("description", ""))]
    body = route.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    schema = description.get("components", {}).get("schemas", {}).get(body.get("$ref", "").split("/")[-1], {})
    parts += [_render_example("Request", example) for example in schema.get("examples", [])]
    for status, response in route["responses"].items():
        for media_type, content in response.get("content", {}).items():
            if status.startswith("2") and "example" in content:
                parts.append(_render_example(f"Response {status}, {media_type}", content["example"]))
    errors = [
        f"<li>{status}: {escape(response.get('description', ''))}</li>"
        for status, response in route["responses"].items()
        if not status.startswith("2")
    ]
    return f"<section>{''.join(parts)}<ul>{''.join(errors)}</ul></section>"


def _render_text(text: str) -> str:
    return "".join(f"<p>{escape(paragraph)}</p>" for paragraph in text.split("\n\n"))


def _render_example(name: str, example: object) -> str:
    text = example if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False)
    return f"<h3>{escape(name)}</h3><pre>{escape(text)}</pre>"
