#!/usr/bin/env python3
"""Makes a full-size parity case and what PyTorch computes from it: model, batches and a record per recipe.

    /usr/bin/python3 tests/parity/live.py classic OUT_DIRECTORY [--seed N]
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

BANDS, EDGE, IMAGES, BATCHES = 6, 64, 2, 4
CASES = {
    "classic": graphs.classic(BANDS, base=16, depth=4),
    "pixel_detector": graphs.pixel_detector(BANDS, width=24, depth=4, wide=32),
}
# A step multiplies rounding errors, the more the larger it is: at a rate of 0.01, 20 steps of the pixel-detector drive
# PyTorch in f32 wholly apart from PyTorch in f64. So long runs, in f32 on both sides, have small rates, and what needs
# exactness (each gradient, two large steps) is f64 here.
SMALL_RATES = {"classic": (1e-3, 3e-4), "pixel_detector": (1e-4, 3e-5)}


def recipes(family):
    sgd, adamw = SMALL_RATES[family]
    yield "exact", ["--optimizer=sgd", "--lr=0.01", "--steps=2", "--dtype=float64", "--store=float64"]
    yield "sgd", ["--optimizer=sgd", f"--lr={sgd}", "--steps=20", "--dtype=float32"]
    yield "adamw", ["--optimizer=adamw", f"--lr={adamw}", "--weight-decay=0.01", "--steps=20", "--dtype=float32"]


def make_case(family, seed):
    random = np.random.default_rng(seed)
    batches = cases.make_batches(random, BATCHES, IMAGES, EDGE, BANDS)
    return cases.make_model(CASES[family], random, batches["images"][0]), batches


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("family", choices=CASES)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(2)
    family, directory = options.family, options.directory
    model, batches = make_case(family, options.seed)
    metadata = {"plume.graph": json.dumps(CASES[family])}
    safetensors.save(directory / "batches.safetensors", batches)
    safetensors.save(directory / f"{family}.model.safetensors", model, metadata)
    for recipe, flags in recipes(family):
        files = ["--model=-", "--batches=-", "--out=-"]
        recording = run_torch.arguments([*files, *flags])
        recorded = run_torch.record(model, metadata, batches, recording)
        safetensors.save(directory / f"{family}.{recipe}.safetensors", recorded, run_torch.note(recording))


if __name__ == "__main__":
    main()
