#!/usr/bin/env python3
"""Makes tests/golden: small networks, batches and what PyTorch computes from them, for machines without PyTorch.

    /usr/bin/python3 tests/parity/make_golden.py tests/golden

Per family: FAMILY.model (initial weights and graph), FAMILY.RECIPE (losses and final parameters of 10 steps; the first
recipe also holds the first step's forward, and gradients); batches are shared. Computed in double, stored in f32.
"""
import argparse
import json
import pathlib

import cases
import graphs
import numpy as np
import run_torch
import safetensors_numpy as safetensors
import torch

BANDS, EDGE, IMAGES, BATCHES = 6, 24, 2, 2
FAMILIES = {
    "classic": graphs.classic(BANDS, base=4, depth=2),
    "bilinear": graphs.classic(BANDS, base=4, depth=2, up="bilinear"),
    "pixel_detector": graphs.pixel_detector(BANDS, width=4, depth=2, wide=6),
}
RECIPES = {
    "sgd": ["--optimizer=sgd", "--lr=0.05", "--momentum=0.9", "--weight-decay=0.001"],
    "nesterov": ["--optimizer=sgd", "--lr=0.05", "--momentum=0.9", "--weight-decay=0.001", "--nesterov"],
    "adamw": ["--optimizer=adamw", "--lr=0.003", "--weight-decay=0.1"],
    "dice": ["--optimizer=sgd", "--lr=0.05", "--momentum=0.9", "--loss=bce_dice"],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path)
    directory = parser.parse_args().directory
    torch.set_num_threads(1)
    random = np.random.default_rng(1)
    batches = cases.make_batches(random, BATCHES, IMAGES, EDGE, BANDS)
    safetensors.save(directory / "batches.safetensors", batches)
    for family, graph in FAMILIES.items():
        model, metadata = cases.make_model(graph, random, batches["images"][0]), {"plume.graph": json.dumps(graph)}
        safetensors.save(directory / f"{family}.model.safetensors", model, metadata)
        for recipe, flags in RECIPES.items():
            files = ["--model=-", "--batches=-", "--out=-"]
            options = run_torch.arguments([*files, *flags, "--steps=10", "--dtype=float64"])
            recorded = run_torch.record(model, metadata, batches, options)
            if recipe != next(iter(RECIPES)):
                recorded = {name: array for name, array in recorded.items() if name[:3] not in ("for", "fam")}
            safetensors.save(directory / f"{family}.{recipe}.safetensors", recorded, run_torch.note(options))


if __name__ == "__main__":
    main()
