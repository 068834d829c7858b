"""What is measured: a plume model as a PyTorch module, tiles of noise, and what plume makes of them.

    VENV/bin/python bench/peers/subject.py FOLDER [--base 32]    # a random classic U-Net, and the tiles

FOLDER then holds model.safetensors (with --base; else others put it there) and tiles/0.npy to 7.npy [256, 256, 6].
cpu.py adds expected/*_probability.npy, plume's.
"""
import argparse
import json
import pathlib
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "parity"))

BANDS, DEPTH, EDGE, TILES = 6, 4, 256, 8


def load_module(folder):
    """The model in the folder, written by hand in PyTorch, in evaluation mode."""
    import safetensors_numpy
    import torch
    from families import handwritten

    weights, metadata = safetensors_numpy.load(pathlib.Path(folder) / "model.safetensors")
    tensors = {name: torch.from_numpy(array) for name, array in weights.items()}
    module = handwritten(json.loads(metadata["plume.graph"]), tensors)
    if module is None:
        raise SystemExit(f"{folder}/model.safetensors is of no family that is written by hand in PyTorch")
    return module.eval()


def load_tiles(folder, count):
    """[count, bands, height, width]"""
    tiles = [np.load(pathlib.Path(folder) / "tiles" / f"{index}.npy") for index in range(count)]
    return np.ascontiguousarray(np.stack(tiles).transpose(0, 3, 1, 2))


def load_expected(folder, count):
    """plume's probabilities, [count, classes, height, width]"""
    files = [pathlib.Path(folder) / "expected" / f"{index}_probability.npy" for index in range(count)]
    return np.stack([np.load(file) for file in files]).transpose(0, 3, 1, 2)


def make_model(folder, base):
    import graphs
    import safetensors_numpy
    import torch
    from torch_unet import ClassicUNet

    torch.manual_seed(0)
    state = ClassicUNet(BANDS, 1, base, DEPTH).state_dict()
    weights = {name: value.numpy() for name, value in state.items() if not name.endswith("num_batches_tracked")}
    metadata = {"plume.graph": json.dumps(graphs.classic(BANDS, base=base, depth=DEPTH))}
    safetensors_numpy.save(pathlib.Path(folder) / "model.safetensors", weights, metadata)


def make_tiles(folder):
    random = np.random.default_rng(0)
    tiles = pathlib.Path(folder) / "tiles"
    tiles.mkdir(parents=True, exist_ok=True)
    for index in range(TILES):
        np.save(tiles / f"{index}.npy", random.standard_normal((EDGE, EDGE, BANDS), np.float32))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--base", type=int)
    options = parser.parse_args()
    make_tiles(options.folder)
    if options.base:
        make_model(options.folder, options.base)


if __name__ == "__main__":
    main()
