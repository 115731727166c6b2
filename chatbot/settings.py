"""Every setting, with its default, its meaning and its limits.

A value comes from the command line, else from the environment (`CHATBOT_PORT`), else from
`chatbot.toml` in the project folder, else from the default here. Settings are read once, cannot be
changed afterwards, and go no further than `build.py` and `service.py`: the parts take plain values.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from chatbot.errors import SettingsError

SETTINGS_FILE = "chatbot.toml"
FLAGS = ("corpus", "host", "port", "generator")
"""The settings that commands take as options."""
OTHER_VARIABLES = ("CHATBOT_TORCH", "CHATBOT_TEST_")
"""Environment variables, or beginnings of their names, that are read by launch.py and the tests."""
HOST_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
PACKAGE_FOLDER = Path(__file__).resolve().parent


def find_project_folder() -> Path:
    """The folder that holds prompts/ and corpora/: the checkout, else the working folder."""
    checkout = PACKAGE_FOLDER.parent
    return checkout if (checkout / "prompts").is_dir() else Path.cwd()


def find_shipped_folder(name: str) -> Path:
    """Where prompts/ or corpora/ lie: in the project, else inside the installed package."""
    in_project = find_project_folder() / name
    return in_project if in_project.is_dir() else PACKAGE_FOLDER / "_shipped" / name


class Settings(BaseSettings):
    """All settings; see docs/settings.md for the table."""

    model_config = SettingsConfigDict(env_prefix="CHATBOT_", frozen=True, extra="forbid")

    corpora_folder: Annotated[Path, Field(description="Where the corpora lie, a folder each.")] = Field(
        default_factory=lambda: find_shipped_folder("corpora")
    )
    prompts_folder: Annotated[Path, Field(description="Where the prompt texts lie.")] = Field(
        default_factory=lambda: find_shipped_folder("prompts")
    )
    data_folder: Annotated[
        Path, Field(description="Where the library, the chats and the converted models are kept.")
    ] = Field(default_factory=lambda: find_project_folder() / "data")
    corpus: str | None = Field(
        None, description="The corpus that is used when none is named; the first one by default."
    )
    host: str = Field(
        "127.0.0.1",
        description="The address to listen on: this machine's own, or, once there is a key, another one.",
    )
    port: int = Field(7860, ge=1, le=65535, description="The port of the page.")
    public_url: str | None = Field(
        None,
        description="The address under which a proxy shows the chatbot to others; links are made with it.",
    )
    trusted_proxies: str = Field(
        "",
        description="The addresses of proxies, with commas, that say where a request really comes from.",
    )
    parallel_answers: int = Field(
        4, ge=1, le=64, description="How many questions are answered at the same time."
    )
    waiting_questions: int = Field(
        16, ge=0, le=1000, description="How many more questions may wait; the next one is turned away."
    )
    embedder: str = Field(
        "all-minilm-l6-v2",
        description="The embedding model: the packaged one, a hub id, or a folder.",
    )
    generator: str = Field(
        "smollm2-135m-instruct",
        description="The language model: the packaged one, a hub id, a folder, a .gguf file, "
        "or the URL of an OpenAI-compatible server.",
    )
    reader: str = Field(
        "large",
        description="The reading model, which finds the few words that answer a question: large, small, "
        "a .safetensors file made by chatbot train, or off.",
    )
    engine: Literal["auto", "openvino", "torch"] = Field(
        "auto",
        description="What models in this process run on: openvino, torch, or auto: torch where there is a "
        "GPU or OpenVINO is not installed, else openvino.",
    )
    generator_model: str | None = Field(
        None, description="The name of the model on an OpenAI-compatible server; its first by default."
    )
    generator_key: SecretStr | None = Field(None, description="The key of an OpenAI-compatible server.")
    generator_window_tokens: int = Field(
        8192, ge=512, description="The window assumed of an OpenAI-compatible server, in tokens."
    )
    passage_limit: int = Field(6, ge=1, le=20, description="How many passages the model may read.")
    answer_tokens: int = Field(200, ge=16, le=4096, description="The longest answer, in tokens.")
    chunk_tokens: int = Field(
        200, ge=32, le=2048, description="The largest chunk, in tokens of the embedding model."
    )
    answer_style: Literal["auto", "quoting", "free"] = Field(
        "auto",
        description="quoting: the model reads the best sentences only, and they are quoted below its "
        "answer; free: it reads whole passages and writes as it likes; auto: quoting for the packaged model.",
    )
    evidence_floor: float = Field(
        0.65,
        ge=0.0,
        le=2.0,
        description="How well the best sentence must match before an answer is given; 0 answers always.",
    )
    unsupported: Literal["mark", "withhold"] = Field(
        "withhold",
        description="What becomes of a sentence that no passage backs: shown with a mark, or left out.",
    )
    upload_limit_mb: int = Field(50, ge=1, le=2048, description="The largest file that is read, in MB.")
    question_limit_characters: int = Field(
        2000, ge=10, le=100_000, description="The longest question, in characters."
    )
    receipts_kept: int = Field(
        10_000,
        ge=0,
        le=1_000_000,
        description="How many answers can be looked up and repeated by their receipts; 0 keeps none.",
    )
    receipt_days: int = Field(90, ge=1, le=3650, description="For how many days receipts are kept.")
    watch_seconds: float = Field(
        3.0,
        ge=0,
        allow_inf_nan=False,
        description="How often the documents folders are looked at for changes; 0 is never.",
    )
    offline: bool = Field(
        True, description="Never ask a model hub; set to false to use a model from a hub for the first time."
    )

    @field_validator("corpora_folder", "prompts_folder", "data_folder")
    @classmethod
    def expand_home(cls, value: Path) -> Path:
        """Read ~ as the home folder."""
        return value.expanduser()

    @field_validator("host")
    @classmethod
    def check_host(cls, value: str) -> str:
        """Take this machine's own names and any address in numbers."""
        try:
            if value not in LOOPBACK_HOSTS:
                ip_address(value)
        except ValueError:
            raise ValueError(f"must be one of {', '.join(LOOPBACK_HOSTS)} or an IP address") from None
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def check_trusted_proxies(cls, value: str) -> str:
        """Take addresses and networks in numbers."""
        try:
            for part in filter(None, (part.strip() for part in value.split(","))):
                ip_network(part)
        except ValueError:
            raise ValueError("must be addresses such as 127.0.0.1 or 10.0.0.0/8, with commas") from None
        return value

    @field_validator("public_url")
    @classmethod
    def check_public_url(cls, value: str | None) -> str | None:
        """Take the address of a site, without a path: a plain host name or an IP address, and a port."""
        if value is not None and not is_site_address(value):
            raise ValueError("must look like https://chat.example.org")
        return value.rstrip("/") if value else None

    @property
    def is_shared(self) -> bool:
        """Whether others than the users of this machine can reach the chatbot."""
        return self.host not in LOOPBACK_HOSTS or self.public_url is not None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags before environment before chatbot.toml."""
        del dotenv_settings, file_secret_settings
        toml = TomlConfigSettingsSource(settings_cls, find_project_folder() / SETTINGS_FILE)
        return init_settings, env_settings, toml


def is_site_address(text: str) -> bool:
    """Whether a text is the address of a site, without user, path or wildcards."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    # An IPv6 address stands in brackets, which urlsplit takes away and checks.
    shown = f"[{host}]" if ":" in host else host
    expected = f"{parts.scheme}://{shown}" + ("" if port is None else f":{port}")
    is_host = ":" in host or HOST_NAME.fullmatch(host) is not None
    return parts.scheme in ("http", "https") and is_host and text.rstrip("/").lower() == expected


def load_settings(**flags: Any) -> Settings:  # noqa: ANN401 - the types are checked by pydantic
    """Settings from flags, environment and chatbot.toml; flags that are None are not given.

    :raises SettingsError: naming the key, its value and what is allowed.
    """
    given = {key: value for key, value in flags.items() if value is not None}
    check_variables(os.environ)
    try:
        return Settings(**given)
    except ValidationError as error:
        raise describe_invalid_setting(error) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{SETTINGS_FILE} is not valid TOML: {error}.", "Mend that line, or remove the file."
        ) from None


def check_variables(environment: Mapping[str, str]) -> None:
    """Refuse a CHATBOT_ variable that is no setting: it is most likely misspelt.

    :raises SettingsError: naming it.
    """
    for name in sorted(environment):
        key = name.removeprefix("CHATBOT_")
        if key != name and not name.startswith(OTHER_VARIABLES) and key.lower() not in Settings.model_fields:
            known = ", ".join(sorted(Settings.model_fields))
            raise SettingsError(f"There is no setting {name}.", f"The settings are: {known}.")


def describe_invalid_setting(error: ValidationError) -> SettingsError:
    """The first complaint of pydantic in our words."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = ", ".join(sorted(Settings.model_fields))
        return SettingsError(f"There is no setting {key!r}.", f"The settings are: {known}.")
    field = Settings.model_fields.get(key)
    meaning = field.description if field else ""
    reason = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    flag = f", or with --{key}" if key in FLAGS else ""
    value = "what it is" if key == "generator_key" else repr(first["input"])
    return SettingsError(
        f"The setting {key} cannot be {value}: {reason}.",
        f"{meaning} Change it in {SETTINGS_FILE}, in CHATBOT_{key.upper()}{flag}.",
    )
