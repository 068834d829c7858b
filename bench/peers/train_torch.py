#!/usr/bin/env python3
"""The peer of `plume train`: the same network, sampling law, loss, optimiser and schedule in PyTorch.

Reads the configuration that `plume train` reads and the same packed shard, and prints one JSON line: the intersection
over union (IoU) of each split at threshold 0.5, global over all labelled pixels, of the best and of the last weights.
Same law, not the same random numbers: results agree in distribution over seeds.
"""
import argparse
import copy
import json
import math
import pathlib
import sys
import time
import tomllib

import h5py
import numpy as np
import torch
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "parity"))
from torch_unet import ClassicUNet, PixelDetector  # noqa: E402

IGNORE = 255
SPLITS = ("train", "val", "test")


def read_config(path, overrides):
    """The TOML file with `key.sub=value` overrides, as `plume train --set`."""
    config = tomllib.loads(pathlib.Path(path).read_text())
    for override in overrides:
        key, _, value = override.partition("=")
        *tables, leaf = key.split(".")
        table = config
        for name in tables:
            table = table.setdefault(name, {})
        try:
            table[leaf] = tomllib.loads(f"x = {value}")["x"]
        except tomllib.TOMLDecodeError:
            table[leaf] = value
    return config


class Shard:
    """A packed shard in memory: images [N,H,W,C] as stored, labels [N,H,W], split [N] (0 train, 1 val, 2 test)."""

    def __init__(self, path):
        with h5py.File(path, "r") as file:
            self.images, self.labels, self.split = file["images"][:], file["labels"][:], file["split"][:]
            # value = raw * scale + offset; mean and std are of values, over the training split.
            scale, offset = (np.float32(file.attrs.get(key, default)) for key, default in (("scale", 1), ("offset", 0)))
            mean, std = (np.asarray(file.attrs[key], np.float32) for key in ("mean", "std"))
        self.gain, self.shift = scale / std, (offset - mean) / std

    def tiles(self, split):
        return np.flatnonzero(self.split == SPLITS.index(split))

    def tensors(self, images, labels):
        """Normalised NCHW images (channels last in memory) and NHW labels."""
        pixels = images.astype(np.float32) * self.gain + self.shift
        return torch.from_numpy(pixels).permute(0, 3, 1, 2), torch.from_numpy(np.ascontiguousarray(labels))


class Sampler:
    """plume's law: with a class_share the first max(1, round(class_share * batch)) samples of a batch cycle through the
    tiles that hold the class, the others through all tiles; a sample of the first kind is cropped around a random pixel
    of the class."""

    def __init__(self, shard, train, random):
        self.shard, self.train, self.random = shard, train, random
        tiles = shard.tiles("train")
        fraction = np.array([(shard.labels[tile] == 1).mean() for tile in tiles])
        positive = tiles[(fraction >= train.get("class_threshold", 0.005)) & (fraction > 0)]
        self.all, self.positive = self.cycle(tiles), self.cycle(positive)
        share = train.get("class_share", 0.0) if len(positive) else 0.0
        self.focused = max(1, int(share * train["batch"] + 0.5)) if share > 0 else 0

    def cycle(self, tiles):
        while True:
            yield from self.random.permutation(tiles)

    def corner(self, labels, edge, focus):
        height, width = labels.shape
        low, high = [0, 0], [height - edge, width - edge]
        if focus:
            rows, columns = np.nonzero(labels == 1)
            pick = self.random.integers(len(rows))
            for axis, place in enumerate((rows[pick], columns[pick])):
                low[axis] = max(0, place - edge + 1)
                high[axis] = min(high[axis], place)
        return tuple(self.random.integers(first, last + 1) for first, last in zip(low, high))

    def turned(self, image, label):
        """Mirrored and turned at random; both together draw from all eight symmetries of the square."""
        if self.train.get("flip", True):
            for axis in (0, 1):
                if self.random.random() < 0.5:
                    image, label = np.flip(image, axis), np.flip(label, axis)
        if self.train.get("rotate", False):
            turns = self.random.integers(4)
            image, label = np.rot90(image, turns), np.rot90(label, turns)
        return image, label

    def batch(self):
        images, labels = [], []
        for slot in range(self.train["batch"]):
            focus = slot < self.focused
            tile = next(self.positive if focus else self.all)
            edge = self.train.get("crop", 0) or self.shard.labels.shape[1]
            row, column = self.corner(self.shard.labels[tile], edge, focus)
            window = (tile, slice(row, row + edge), slice(column, column + edge))
            image, label = self.shard.images[window], self.shard.labels[window]
            image, label = self.turned(image, label)
            images.append(image)
            labels.append(label)
        return self.shard.tensors(np.stack(images), np.stack(labels))


def make_network(model, bands):
    classes, base, depth = model.get("classes", 1), model.get("base", 16), model.get("depth", 4)
    if model.get("family", "classic") == "classic":
        network = ClassicUNet(bands, classes, base, depth, model.get("up", "transposed"))
    else:
        network = PixelDetector(bands, classes, base, depth, model.get("wide", 32))
    if model.get("init", "he") == "he":
        network.apply(he_normal)
    elif model["init"] != "pytorch":
        raise SystemExit(f"model.init = {model['init']}: the peer knows he and pytorch")
    return network


def he_normal(module):
    """He et al. 2015, biases 0: plume's default."""
    if isinstance(module, (torch.nn.Conv2d, torch.nn.ConvTranspose2d)):
        fan_in = module.in_channels * module.kernel_size[0] ** 2
        torch.nn.init.normal_(module.weight, std=math.sqrt(2 / fan_in))
        if module.bias is not None:
            torch.nn.init.zeros_(module.bias)


def make_optimizer(network, config):
    name, rate, decay = config.get("name", "adamw"), config.get("lr", 1e-3), config.get("weight_decay", 0.01)
    if name == "adamw":
        betas = (config.get("beta1", 0.9), config.get("beta2", 0.999))
        return torch.optim.AdamW(network.parameters(), rate, betas, config.get("epsilon", 1e-8), decay)
    momentum, nesterov = config.get("momentum", 0.9), config.get("nesterov", False)
    return torch.optim.SGD(network.parameters(), rate, momentum, weight_decay=decay, nesterov=nesterov)


def cosine(start, end, progress):
    return end + (start - end) * (1 + math.cos(math.pi * min(1.0, max(0.0, progress)))) / 2


def rate_factor(schedule, step, steps):
    """What the highest learning rate is multiplied by in step 0, 1, ..., steps - 1: unet/schedule.hpp's curves."""
    name, floor = schedule.get("name", "cosine"), schedule.get("min_factor", 0.01)
    warm, last = schedule.get("warmup", 0.05) * steps, max(1, steps - 1)
    if step < warm:
        return cosine(1 / 25, 1.0, step / warm) if name == "one_cycle" else (step + 1) / (warm + 1)
    if name == "constant":
        return 1.0
    return cosine(1.0, floor, (step - warm) / (last - warm) if last > warm else 1.0)


def loss_of(logits, labels, config):
    """Weighted sum of binary cross-entropy, mean over the labelled pixels, and 1 - soft Dice of the whole batch."""
    known = labels != IGNORE
    logits, target = logits[:, 0][known], labels[known].float()
    loss = config.get("cross_entropy", 1.0) * F.binary_cross_entropy_with_logits(logits, target)
    if config.get("dice", 0.0) > 0:
        probability, smooth = torch.sigmoid(logits), config.get("dice_smooth", 1.0)
        overlap, total = (probability * target).sum(), probability.sum() + target.sum()
        loss = loss + config["dice"] * (1 - (2 * overlap + smooth) / (total + smooth))
    return loss


@torch.no_grad()
def evaluate(network, shard, split, batch=8):
    """Global IoU over whole tiles."""
    network.eval()
    both = either = 0
    tiles = shard.tiles(split)
    for start in range(0, len(tiles), batch):
        chosen = tiles[start : start + batch]
        images, labels = shard.tensors(shard.images[chosen], shard.labels[chosen])
        found, known = network(images)[:, 0] > 0, labels != IGNORE
        both += int((found & (labels == 1) & known).sum())
        either += int(((found | (labels == 1)) & known).sum())
    network.train()
    return both / max(1, either)


def train(config, shard, seed, verbose):
    settings, steps = config["train"], config["train"]["steps"]
    torch.manual_seed(seed)
    network = make_network(config.get("model", {}), shard.images.shape[-1]).to(memory_format=torch.channels_last)
    optimizer = make_optimizer(network, config["optimizer"])
    highest_rate = config["optimizer"].get("lr", 1e-3)
    sampler = Sampler(shard, settings, np.random.default_rng(seed))
    best, best_weights, total, since = -1.0, None, 0.0, 0
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = highest_rate * rate_factor(config.get("schedule", {}), step, steps)
        images, labels = sampler.batch()
        loss = loss_of(network(images), labels, config.get("loss", {}))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        total, since = total + loss.item(), since + 1
        if (step + 1) % settings["validate_every"] == 0 or step + 1 == steps:
            score = evaluate(network, shard, "val")
            if verbose:
                print(f"step {step + 1} loss {total / since:.4f} val IoU {score:.4f}", file=sys.stderr, flush=True)
            total, since = 0.0, 0
            if score > best:
                best, best_weights = score, copy.deepcopy(network.state_dict())
    return network, best, best_weights, score


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", help="TOML configuration, as of plume train")
    parser.add_argument("--set", action="append", default=[], metavar="key.sub=value", dest="overrides")
    parser.add_argument("--shard", help="packed shard; default: data.shard of the configuration")
    parser.add_argument("--seed", type=int, help="default: train.seed of the configuration")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--verbose", action="store_true", help="a line on stderr at every validation")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    config = read_config(arguments.config, arguments.overrides)
    shard = Shard(arguments.shard or config["data"]["shard"])
    seed = config["train"].get("seed", 0) if arguments.seed is None else arguments.seed

    start = time.perf_counter()
    network, best, best_weights, last = train(config, shard, seed, arguments.verbose)
    seconds = time.perf_counter() - start
    report = {"program": f"torch {torch.__version__}", "seed": seed, "steps": config["train"]["steps"]}
    report |= {"seconds": round(seconds, 1), "val_iou_last": last, "val_iou": best}
    network.load_state_dict(best_weights)
    report |= {f"{split}_iou": evaluate(network, shard, split) for split in ("train", "test")}
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
