#!/usr/bin/env python3
"""What a user of segmentation_models.pytorch writes to train on the tiles that `plume train` trains on.

    train_smp.py configs/smoke-goes16-best.toml --shard tiles.h5 --seed 0 [--device cuda]

The decoder of its Unet on the configuration's own encoder, plain pairs of convolutions (it has no U-Net without a
classifier for an encoder; this one up-samples to the nearest pixel where plume's has transposed convolutions),
with the steps, batches, sampling, losses, optimiser, schedule and average of weights of the configuration. Prints a
JSON line: IoU of each split asked for, at 0.5, over all pixels, with the weights of the best validation; and seconds
from the first step to the last validation.
"""

import argparse
import copy
import functools
import itertools
import json
import time
import tomllib

import h5py
import numpy as np
import segmentation_models_pytorch as smp
import torch
from segmentation_models_pytorch.base.modules import Conv2dReLU
from segmentation_models_pytorch.decoders.unet.decoder import UnetDecoder
from torch.optim.swa_utils import AveragedModel

SPLITS = ("train", "val", "test")


class Unet(torch.nn.Module):
    def __init__(self, bands, base, depth):
        super().__init__()
        widths = [bands, *(base << level for level in range(depth + 1))]
        self.stages = torch.nn.ModuleList(self.pair(*each) for each in itertools.pairwise(widths))
        self.decoder = UnetDecoder(widths, widths[-2:0:-1], depth)
        self.head = smp.base.SegmentationHead(base, 1, kernel_size=1)

    @staticmethod
    def pair(before, after):
        return torch.nn.Sequential(*(Conv2dReLU(each, after, 3, padding=1) for each in (before, after)))

    def forward(self, image):
        features = [image]
        for level, stage in enumerate(self.stages):
            features.append(stage(torch.nn.functional.max_pool2d(features[-1], 2) if level else image))
        return self.head(self.decoder(features))


class Tiles:
    """A packed shard, normalised, and the order in which a training sees it."""

    def __init__(self, path, train, seed):
        with h5py.File(path) as file:
            self.images, self.labels, self.split = file["images"][:], file["labels"][:], file["split"][:]
            self.mean, self.std = file.attrs["mean"], file.attrs["std"]
        self.random, self.batch, self.crop = np.random.default_rng(seed), train["batch"], train.get("crop", 0)
        chosen = np.flatnonzero(self.split == 0)
        smoke = (self.labels[chosen] == 1).mean((1, 2)) >= train["class_threshold"]
        self.all, self.smoky = self.cycle(chosen), self.cycle(chosen[smoke])
        self.focused = round(train["class_share"] * self.batch)

    def cycle(self, tiles):
        while True:
            yield from self.random.permutation(tiles)

    def tensors(self, chosen):
        images = ((self.images[chosen] - self.mean) / self.std).astype(np.float32)
        return (
            torch.from_numpy(images).permute(0, 3, 1, 2),
            torch.from_numpy(self.labels[chosen].astype(np.int64))[:, None],
        )

    def cropped(self, images, labels):
        """Of each image a square; of the focused ones around a random pixel of smoke."""
        squares, most = [], labels.shape[-1] - self.crop
        for slot, label in enumerate(labels[:, 0]):
            low, high = [0, 0], [most, most]
            if slot < self.focused:
                places = torch.nonzero(label == 1)
                place = places[self.random.integers(len(places))].tolist()
                low = [max(0, at - self.crop + 1) for at in place]
                high = [min(most, at) for at in place]
            row, column = (int(self.random.integers(first, last + 1)) for first, last in zip(low, high))
            squares.append((slot, ..., slice(row, row + self.crop), slice(column, column + self.crop)))
        return torch.stack([images[square] for square in squares]), torch.stack([labels[square] for square in squares])

    def sample(self):
        """A batch, each image in one of the square's eight symmetries."""
        chosen = [next(self.smoky if slot < self.focused else self.all) for slot in range(self.batch)]
        images, labels = self.tensors(chosen)
        if self.crop:
            images, labels = self.cropped(images, labels)
        for image, label in zip(images, labels):
            turns, mirror = self.random.integers(4), self.random.random() < 0.5
            for part in (image, label):
                turned = torch.rot90(part, turns, (-2, -1))
                part.copy_((turned.flip(-1) if mirror else turned).clone())
        return images, labels


def averaged(decay, before, now, updates):
    """The older an average is, the more of it stays, up to `decay`: of the first weights nothing."""
    if not now.is_floating_point():
        return now
    updates = float(updates)
    return torch.lerp(before, now, 1 - min(decay, updates / (updates + 9)))


@torch.no_grad()
def iou(network, tiles, split, device):
    network.eval()
    chosen, sums = np.flatnonzero(tiles.split == SPLITS.index(split)), 0
    for start in range(0, len(chosen), 16):
        images, labels = tiles.tensors(chosen[start : start + 16])
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            logits = network(images.to(device, memory_format=torch.channels_last))
        stats = smp.metrics.get_stats(logits.sigmoid().float().cpu(), labels, mode="binary", threshold=0.5)
        sums = sums + torch.stack(stats).sum((1, 2))
    network.train()
    return float(smp.metrics.iou_score(*sums[:, None, None], reduction="micro"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config")
    parser.add_argument("--shard", required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="instead of the configuration's")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--splits", nargs="*", default=["val"], choices=SPLITS)
    options = parser.parse_args()
    with open(options.config, "rb") as file:
        config = tomllib.load(file)
    train, rates, device = config["train"], config["optimizer"], options.device
    steps = options.steps or train["steps"]
    torch.manual_seed(options.seed)
    torch.backends.cudnn.benchmark = True
    tiles = Tiles(options.shard, train, options.seed)
    network = Unet(tiles.images.shape[-1], config["model"]["base"], config["model"]["depth"])
    network = network.to(device, memory_format=torch.channels_last)
    decay = train.get("ema", 0.0)
    average = AveragedModel(network, avg_fn=functools.partial(averaged, decay), use_buffers=True)
    optimizer = torch.optim.AdamW(network.parameters(), rates["lr"], weight_decay=rates["weight_decay"])
    warmup = max(1, round(config["schedule"]["warmup"] * steps))
    schedule = torch.optim.lr_scheduler.SequentialLR(
        optimizer,
        [
            torch.optim.lr_scheduler.LinearLR(optimizer, 1 / (warmup + 1), total_iters=warmup),
            torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps - warmup, rates["lr"] / 100),
        ],
        [warmup],
    )
    dice = smp.losses.DiceLoss("binary", smooth=1.0)
    entropy = smp.losses.SoftBCEWithLogitsLoss()
    best, weights, start = -1.0, None, time.perf_counter()
    for step in range(1, steps + 1):
        images, labels = (part.to(device, non_blocking=True) for part in tiles.sample())
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            logits = network(images.contiguous(memory_format=torch.channels_last))
        loss = entropy(logits.float(), labels.float()) + dice(logits.float(), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        average.update_parameters(network)
        if step % train["validate_every"] == 0 or step == steps:
            score = iou(average.module, tiles, "val", device)
            if score > best:
                best, weights = score, copy.deepcopy(average.module.state_dict())
    seconds = time.perf_counter() - start
    network.load_state_dict(weights)
    report = {
        "program": f"segmentation_models.pytorch {smp.__version__}, torch {torch.__version__}",
        "seed": options.seed,
    }
    report |= {"seconds": round(seconds, 1), "parameters": sum(part.numel() for part in network.parameters())}
    report |= {f"{split}_iou": iou(network, tiles, split, device) for split in options.splits}
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
