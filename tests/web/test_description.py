"""The HTTP interface keeps what its description promises, whatever it is sent."""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from chatbot.web.app import create_app
from tests.web.fake_service import FakeService

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

APP = create_app(FakeService())


async def answer_locally(scope, receive, send):
    """The application under the host name of this machine; another one is refused."""
    if scope["type"] == "http":
        others = [(name, value) for name, value in scope["headers"] if name != b"host"]
        scope = {**scope, "headers": [*others, (b"host", b"127.0.0.1")]}
    await APP(scope, receive, send)


schema = schemathesis.openapi.from_asgi("/openapi.json", answer_locally)


@schema.parametrize()
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_that_is_described(case):
    case.call_and_validate(checks=CHECKS)
