"""One PyTorch DataLoader over .npy memory maps: a process of loader.py; prints tiles per second as JSON.

    VENV/bin/python bench/peers/loader_peer.py FOLDER --layout one --workers 0 --collate items --batch 8 --epochs 10

FOLDER holds images.npy [N, 256, 256, 6] u16 with labels.npy [N, 256, 256] u8, and the same as tiles/*.npy, masks/*.npy.
"""
import argparse
import json
import os
import pathlib
import resource
import time

import numpy as np
import torch

from loader import COLLATES, LAYOUTS, WORKERS


class Tiles(torch.utils.data.Dataset):
    """Whole tiles as stored. u16 goes as i16, which every torch.stack knows."""

    def __init__(self, folder, layout):
        self.one = layout == "one"
        if self.one:
            self.images = np.load(folder / "images.npy", mmap_mode="r")
            self.labels = np.load(folder / "labels.npy", mmap_mode="r")
            return
        self.images = sorted((folder / "tiles").iterdir())
        self.labels = sorted((folder / "masks").iterdir())
        if layout == "kept":
            self.images = [np.load(path, mmap_mode="r") for path in self.images]
            self.labels = [np.load(path, mmap_mode="r") for path in self.labels]

    def __len__(self):
        return len(self.images)

    @staticmethod
    def read(tiles, index):
        tile = tiles[index]
        return np.load(tile, mmap_mode="r") if isinstance(tile, pathlib.Path) else tile

    def __getitem__(self, index):
        image = self.read(self.images, index).view(np.int16)
        return torch.from_numpy(image), torch.from_numpy(self.read(self.labels, index))

    def batch(self, indices):
        if self.one:
            images, labels = self.images[indices], self.labels[indices]
        else:
            images = np.stack([self.read(self.images, index) for index in indices])
            labels = np.stack([self.read(self.labels, index) for index in indices])
        return torch.from_numpy(images.view(np.int16)), torch.from_numpy(labels)


class Batches(Tiles):
    def __getitems__(self, indices):
        return self.batch(indices)


def loader_of(options):
    dataset = (Batches if options.collate == "items" else Tiles)(options.folder, options.layout)
    whole = {"collate_fn": lambda batch: batch} if options.collate == "items" else {}
    kept = {"persistent_workers": True} if options.workers else {}
    order = torch.Generator().manual_seed(1)
    return torch.utils.data.DataLoader(dataset, batch_size=options.batch, shuffle=True, generator=order,
                                       num_workers=options.workers, **whole, **kept)


def cpu_seconds(workers):
    """Of this process, and of the loader's workers, which are still running."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = usage.ru_utime + usage.ru_stime
    for worker in workers:
        fields = pathlib.Path(f"/proc/{worker.pid}/stat").read_text().rsplit(")", 1)[1].split()
        seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--layout", choices=LAYOUTS, required=True)
    parser.add_argument("--collate", choices=COLLATES, required=True)
    parser.add_argument("--workers", type=int, choices=WORKERS, required=True)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args()
    torch.set_num_threads(1)  # a second one spins
    torch.set_warn_always(False)
    loader = loader_of(options)
    for _ in loader:  # the epoch that does not count
        pass
    workers = getattr(getattr(loader, "_iterator", None), "_workers", [])
    cpu, wall, tiles = cpu_seconds(workers), time.perf_counter(), 0
    for _ in range(options.epochs):
        for images, _ in loader:
            tiles += len(images)
    wall, cpu = time.perf_counter() - wall, cpu_seconds(workers) - cpu
    print(json.dumps({"library": f"PyTorch {torch.__version__.split('+')[0]}", "tiles_per_second": tiles / wall,
                      "tiles_per_cpu_second": tiles / cpu}))


if __name__ == "__main__":
    main()
