from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.web.fake_service import FakeService
from tests.web.serving import serve


class ServiceSlot:
    """Stands for whichever service the running test uses, so that one application serves all tests."""

    def __init__(self) -> None:
        self.current = FakeService()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.current, name)


@pytest.fixture(scope="session")
def service_slot() -> ServiceSlot:
    return ServiceSlot()


@pytest.fixture(scope="session")
def shared_client(service_slot: ServiceSlot) -> Iterator[TestClient]:
    from chatbot.web.app import create_app

    with TestClient(create_app(service_slot), base_url="http://127.0.0.1:7860") as client:
        yield client


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def client(shared_client: TestClient, service_slot: ServiceSlot, service: FakeService) -> TestClient:
    service_slot.current = service
    return shared_client


@pytest.fixture
def running_server() -> Iterator[tuple[str, FakeService]]:
    """The real server on this machine, over a service that writes slowly."""
    from chatbot.web.app import create_app

    service = FakeService(delay_seconds=0.02)
    with serve(create_app(service)) as url:
        yield url, service
