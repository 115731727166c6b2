"""Averages the adapters of two trainings of the large reading model, weight by weight.

    python benchmarks/average_readers.py BEFORE.safetensors AFTER.safetensors --out MIXED.safetensors

A model that was taught something more forgets a little of what it knew. Between its weights before and after
lie models that know both better than either (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
"""

from __future__ import annotations

import argparse
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import load_file, save_file


def main() -> None:
    """Write the average, described as the second training is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--share", type=float, default=0.7, help="of the second training (default 0.7)")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    before, after = load_file(options.before), load_file(options.after)
    if before.keys() != after.keys():
        parser.error("the two hold different weights")
    mixed = {
        name: ((1 - options.share) * before[name].float() + options.share * weights.float()).to(weights.dtype)
        for name, weights in after.items()
    }
    with safe_open(options.after, "pt") as file:
        description = file.metadata()
    save_file(mixed, options.out, metadata={**description, "share_of_second_training": str(options.share)})
    print(f"{options.out}: {options.share:.0%} of {options.after.name}")


if __name__ == "__main__":
    main()
