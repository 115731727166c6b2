"""What every test lives in: no way off this machine, no settings of ours, a data folder of its own."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from chatbot.documents.reader import DocumentReader

pytest.register_assert_rewrite("tests.bench")

from tests.bench import Bench  # noqa: E402 - after its assertions were made to explain themselves

REPOSITORY = Path(__file__).resolve().parent.parent
TEST_MODELS = os.environ.get("CHATBOT_TEST_MODELS")
IS_CI = os.environ.get("CI") == "true"
LOOPBACK = ("127.0.0.1", "localhost", "::1", "0.0.0.0", "", "None")

settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("default")
os.environ |= {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "ANONYMIZED_TELEMETRY": "False",
    "TOKENIZERS_PARALLELISM": "true",
}


def refuse_outside(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse every look-up and connection of this process that leads off the machine."""
    if event == "socket.getaddrinfo":
        host = arguments[0].decode() if isinstance(arguments[0], bytes) else str(arguments[0])
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = str(arguments[1][0])
    else:
        return
    if host not in LOOPBACK:
        raise OSError(f"a test asked for {host}; tests do not leave this machine")


sys.addaudithook(refuse_outside)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The long suites are asked for by `--long`; `--seed` repeats what one of them printed."""
    parser.addoption("--long", action="store_true", help="run the long suites: more kills, more bad files")
    parser.addoption("--seed", type=int, help="of what is random; else fixed, and new in the long suites")


@pytest.fixture(scope="session")
def is_long(request: pytest.FixtureRequest) -> bool:
    """Whether the long suites were asked for."""
    return bool(request.config.getoption("--long"))


@pytest.fixture
def seed(request: pytest.FixtureRequest, is_long: bool, capsys: pytest.CaptureFixture[str]) -> int:
    """What random tests start from; printed, so that a failure can be repeated."""
    given = request.config.getoption("--seed")
    if given is None:
        given = random.SystemRandom().randrange(10**9) if is_long else 20261122
    with capsys.disabled():
        print(f"\n{request.node.name}: --seed {given}", end=" ")
    return int(given)


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No CHATBOT_ variable of the person who runs the tests counts; the data folder is a new one."""
    for name in [name for name in os.environ if name.startswith("CHATBOT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CHATBOT_DATA_FOLDER", str(tmp_path / "data"))


@pytest.fixture(scope="session")
def reader() -> Iterator[DocumentReader]:
    """The real reader, whose child process all tests share."""
    with DocumentReader() as reader:
        yield reader


@pytest.fixture
def make_bench(tmp_path: Path, reader: DocumentReader) -> Iterator[Callable[..., Bench]]:
    """Makes libraries over folders below tmp_path: `make_bench("first")`."""
    benches: list[Bench] = []

    def make(name: str = "bench", **options: Any) -> Bench:
        benches.append(Bench(tmp_path / name, reader.read, **options))
        return benches[-1]

    yield make
    for bench in benches:
        bench.close()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    """A library over an empty folder, with real parts but the embedder."""
    return make_bench()


@pytest.fixture(scope="session")
def shared_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder for prepared models: the project's own where it has some, else a new one."""
    own = REPOSITORY / "data"
    return own if (own / "models").is_dir() else tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def models_folder(shared_data: Path) -> Path:
    """The folder of the default language model, prepared."""
    from chatbot.models import DEFAULT_GENERATOR, prepare_generator

    if TEST_MODELS and (Path(TEST_MODELS) / "model.safetensors").is_file():
        return Path(TEST_MODELS)
    return Path(
        prepare_or_skip(
            lambda: prepare_generator(DEFAULT_GENERATOR, data_folder=shared_data, on_progress=lambda _: None)
        )
    )


@pytest.fixture(scope="session")
def large_data(shared_data: Path) -> Path:
    """The data folder that the large reading model's encoder lies in, prepared."""
    from chatbot.reading.base_model import LARGE_BASE, prepare_base

    prepare_or_skip(lambda: prepare_base(LARGE_BASE, data_folder=shared_data, on_progress=lambda _: None))
    return shared_data


def prepare_or_skip(prepare: Callable[[], Any]) -> Any:
    """A prepared model; on a machine that cannot have it the test is skipped, but in CI it fails."""
    from chatbot.errors import ModelError

    try:
        return prepare()
    except ModelError as error:
        if IS_CI:
            raise
        pytest.skip(f"a default model cannot be had: {error}")


@pytest.fixture(scope="session")
def minilm():
    """The real default embedding model."""
    from chatbot.embedding import load_embedder
    from chatbot.models import packaged_embedder_folder

    return load_embedder(packaged_embedder_folder(), offline=True)


@pytest.fixture(scope="session")
def smollm(models_folder: Path):
    """The real default language model."""
    from chatbot.generation.local import load_transformers_generator

    return load_transformers_generator(models_folder, name="smollm2-135m-instruct", offline=True)
