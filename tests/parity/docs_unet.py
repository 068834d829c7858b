#!/usr/bin/env python3
"""Runs the code of docs/pytorch.md as it stands there, on a model that plume trained.

    /usr/bin/python3 tests/parity/docs_unet.py MODEL.safetensors CASE.safetensors OUT.safetensors SIZES

CASE has "pixels" [N, H, W, C]; OUT gets "probability" [N, H, W, classes]. SIZES are UNet's arguments as JSON.
"""
import contextlib
import json
import pathlib
import re
import sys
import types

import safetensors_numpy
import torch

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "pytorch.md"


class OpenFile:
    """What the page uses of safetensors.safe_open, for machines that have PyTorch and not that package."""

    def __init__(self, path, framework):
        self._tensors, self._metadata = safetensors_numpy.load(path)

    def metadata(self):
        return self._metadata

    def keys(self):
        return self._tensors.keys()

    def get_tensor(self, name):
        return torch.from_numpy(self._tensors[name])


@contextlib.contextmanager
def safe_open(path, framework):
    yield OpenFile(path, framework)


def main():
    model, case, output, sizes = sys.argv[1:]
    try:
        import safetensors  # noqa: F401
    except ImportError:
        sys.modules["safetensors"] = types.SimpleNamespace(safe_open=safe_open)
    page = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(block, page)
    pixels = torch.from_numpy(safetensors_numpy.load(case)[0]["pixels"]).permute(0, 3, 1, 2)
    with torch.no_grad():
        probability = page["load"](model, **json.loads(sizes))(pixels)
    safetensors_numpy.save(output, {"probability": probability.permute(0, 2, 3, 1).numpy()})


if __name__ == "__main__":
    main()
