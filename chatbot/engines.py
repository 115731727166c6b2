"""What models in this process run on: OpenVINO on a processor; PyTorch on a GPU and where that is missing."""

from __future__ import annotations

import importlib.util
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from chatbot.errors import ModelError

if TYPE_CHECKING:
    import openvino as ov

Engine = Literal["openvino", "torch"]

NEEDED = ("openvino", "openvino_genai", "openvino_tokenizers")


def choose_engine(setting: Literal["auto", "openvino", "torch"]) -> Engine:
    """The engine of a setting; auto is OpenVINO where it is installed and there is no GPU for PyTorch.

    :raises ModelError: when OpenVINO is asked for and not installed.
    """
    if setting == "torch":
        return "torch"
    if setting == "openvino" and not is_openvino_installed():
        raise ModelError(
            f"OpenVINO is not installed; its packages are built for Linux on x86-64 and Arm, this is "
            f"{platform.system()} on {platform.machine()}.",
            "Run: pip install openvino-genai, or set engine to auto.",
        )
    if setting == "openvino":
        return "openvino"
    return "openvino" if is_openvino_installed() and not has_gpu() else "torch"


def is_openvino_installed() -> bool:
    """Whether all of OpenVINO that is used can be imported; nothing is imported to know."""
    return all(importlib.util.find_spec(name) is not None for name in NEEDED)


def has_gpu() -> bool:
    """Whether PyTorch can compute on a GPU; PyTorch is not imported where no driver can be seen."""
    if not any(map(os.path.exists, ("/proc/driver/nvidia/version", "/dev/dxg", "/dev/kfd"))):
        return False
    import torch

    return bool(torch.cuda.is_available())


def computes_in_bfloat16() -> bool:
    """Whether OpenVINO computes in 16 bits (bfloat16) on this processor."""
    import openvino as ov

    return "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def describe_engine(engine: Engine) -> str:
    """For instance "OpenVINO 2026.4, bfloat16"."""
    from importlib import metadata

    if engine == "openvino":
        precision = "bfloat16" if computes_in_bfloat16() else "float32"
        return f"OpenVINO {metadata.version('openvino')}, {precision}"
    import torch

    if torch.cuda.is_available():
        return f"PyTorch {metadata.version('torch')} on {torch.cuda.get_device_name()}, bfloat16"
    precision = "bfloat16" if torch.ops.mkldnn._is_mkldnn_bf16_supported() else "float32"
    return f"PyTorch {metadata.version('torch')}, {precision}"


def compile_graph(
    graph: ov.Model | Path, *, streams: int = 1, kept_shapes: int | None = None
) -> ov.CompiledModel:
    """A graph made ready to run on this processor, by so many calls at a time, which share the cores.

    :param kept_shapes: so many pieces of code that were made for inputs of a shape are kept; where None, as
        many as OpenVINO keeps by itself, which are thousands.
    """
    import openvino as ov

    properties = make_properties() | ({"NUM_STREAMS": str(streams)} if streams > 1 else {})
    if kept_shapes is not None:
        properties["CPU_RUNTIME_CACHE_CAPACITY"] = str(kept_shapes)
    return ov.Core().compile_model(graph, "CPU", properties)


def make_properties() -> dict[str, str]:
    """How OpenVINO is to compute: in bfloat16 where the processor does, values of 8 bits nowhere."""
    precision = "bf16" if computes_in_bfloat16() else "f32"
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": precision,
        "KV_CACHE_PRECISION": precision,
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0",
    }
