"""Which reading model a setting names, the encoder that it was made from, and what stands in for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from chatbot.errors import ModelError
from chatbot.model_preparing import ReportProgress
from chatbot.models import DEFAULT_EMBEDDER, EMBEDDER_SHA256, locate_embedder
from chatbot.reading.base_model import LARGE_BASE, locate_base, prepare_base
from chatbot.reading.weights import read_base_sha256

LARGE_READER, SMALL_READER, READER_OFF = "large", "small", "off"
PACKAGED_WEIGHTS = {
    name: Path(__file__).parent / f"{name}.safetensors" for name in (LARGE_READER, SMALL_READER)
}


@dataclass(frozen=True, slots=True)
class ReaderFiles:
    """What a reading model is loaded from: an encoder's folder and hash, and what training changed in it.

    `note` says in a sentence why it is not the one that was asked for; empty where it is.
    """

    name: str
    weights: Path
    base: Path
    base_sha256: str
    note: str = ""


def locate_reader(setting: str) -> Path | None:
    """The file of the reading model's weights that `setting` names, None for off.

    :raises ModelError: where it is not there.
    """
    if setting == READER_OFF:
        return None
    path = PACKAGED_WEIGHTS.get(setting) or Path(setting).expanduser()
    if not path.is_file() or path.suffix != ".safetensors":
        raise ModelError(
            f"There is no reading model “{setting}”.",
            f"Set CHATBOT_READER to {LARGE_READER}, {SMALL_READER}, {READER_OFF} or a file made by: "
            "chatbot train reader.",
        )
    return path


def prepare_reader(setting: str, *, data_folder: Path, on_progress: ReportProgress) -> ReaderFiles | None:
    """All that is needed to load a reading model, fetched where that has to be done; None for off.

    Where the large one cannot be had, it is the small one, with a note.

    :raises ModelError: for one that does not exist, and where the encoder of an own one cannot be had.
    """
    weights = locate_reader(setting)
    if weights is None:
        return None
    try:
        base, sha256 = prepare_reader_base(weights, data_folder=data_folder, on_progress=on_progress)
    except ModelError as error:
        if setting != LARGE_READER:
            raise
        small = prepare_reader(SMALL_READER, data_folder=data_folder, on_progress=on_progress)
        if small is None:
            raise
        note = (
            f"The small reading model stands in for the large one: {error.message} "
            "It is tried again at the next start."
        )
        return ReaderFiles(small.name, small.weights, small.base, small.base_sha256, note)
    return ReaderFiles(setting if setting in PACKAGED_WEIGHTS else weights.name, weights, base, sha256)


def prepare_reader_base(weights: Path, *, data_folder: Path, on_progress: ReportProgress) -> tuple[Path, str]:
    """The folder and the hash of the encoder that weights were made from.

    :raises ModelError: where it is not known or cannot be had.
    """
    sha256 = read_base_sha256(weights)
    if sha256 == LARGE_BASE.sha256:
        return prepare_base(LARGE_BASE, data_folder=data_folder, on_progress=on_progress), sha256
    return Path(locate_embedder(DEFAULT_EMBEDDER, data_folder=data_folder)), EMBEDDER_SHA256


def find_reader_in_use(setting: str, data_folder: Path) -> tuple[str, Path | None]:
    """Name and weights of the model that reads with this setting once all is loaded.

    That is the small one for as long as the large one's encoder could not be fetched.

    :raises ModelError: for a setting that names none.
    """
    weights = locate_reader(setting)
    if setting == LARGE_READER and locate_base(LARGE_BASE, data_folder) is None:
        return SMALL_READER, PACKAGED_WEIGHTS[SMALL_READER]
    return (setting if weights is None or setting in PACKAGED_WEIGHTS else weights.name), weights
