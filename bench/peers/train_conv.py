#!/usr/bin/env python3
"""Trains with Winograd's convolutions and with direct ones, the same seeds, and writes both to bench/results.

    build/bin/plume data pack --tiles DIR/tiles --masks DIR/masks --split DIR/split.csv -o tiles.h5
    python3 bench/peers/train_conv.py configs/smoke-goes16.toml --shard tiles.h5

Winograd's rounding errors are some times larger. Asked is that they do not show: for IoU and for loss, the means over seeds
are no further apart than the larger of the two standard deviations.
"""
import argparse
import json
import pathlib
import statistics
import tempfile

from circumstances import circumstances
from train import mean_and_deviation, parse_options, train_ours

CHOICES = {"auto": "Winograd where it is faster", "direct": "direct"}
FIGURES = {"val_iou": "validation IoU", "train_iou": "training IoU", "loss": "training loss at the end"}


def last_losses(folder):
    """The mean of the last tenth of the log's rows, each of which is a mean of some steps."""
    losses = [json.loads(line)["loss"] for line in (folder / "log.jsonl").read_text().splitlines()]
    return statistics.mean(losses[-max(1, len(losses) // 10):])


def train(options, conv, seed, folder, log):
    own = argparse.Namespace(**vars(options) | {"overrides": [*options.overrides, f"train.conv={conv}"]})
    folder = pathlib.Path(folder) / conv
    report = train_ours(own, seed, folder, log)
    return report | {"loss": last_losses(folder / f"seed{seed}")}


def summary(options, runs, common):
    rows = []
    for key, name in FIGURES.items():
        (mean, deviation), (other, spread) = (mean_and_deviation(runs[conv], key) for conv in CHOICES)
        row = {"work": f"{pathlib.Path(options.config).name}, mean of {len(options.seeds)} seeds: {name}", "ours": mean,
               "peer": other, "ratio": mean / other, "at_least": None, "unit": "loss" if key == "loss" else "IoU"}
        row |= {"ours_deviation": deviation, "peer_deviation": spread,
                "within_a_deviation": abs(mean - other) <= max(deviation, spread)}
        rows.append(row | common)
    return rows


def markdown(options, runs, rows):
    first = rows[0]
    lines = ["# Trainings with Winograd's convolutions and with direct ones", ""]
    lines += [f"{first['machine']}; plume {first['commit']}; `{first['command']}`", ""]
    lines += ["Real GOES-16 tiles; the same seeds, so the same weights at first, and the same batches. IoU of smoke with the"]
    lines += ["weights of the best validation.", ""]
    lines += ["| seed | convolutions | " + " | ".join(FIGURES.values()) + " |", "| --- " * (2 + len(FIGURES)) + "|"]
    for i, seed in enumerate(options.seeds):
        for conv, name in CHOICES.items():
            figures = " | ".join(f"{runs[conv][i][key]:.4f}" for key in FIGURES)
            lines.append(f"| {seed} | {name} | {figures} |")
    lines += ["", "| mean over seeds | " + " | ".join(CHOICES.values()) + " | within a standard deviation |",
              "| --- | --- | --- | --- |"]
    for row in rows:
        lines.append(f"| {row['work'].partition(': ')[2]} | {row['ours']:.4f} ± {row['ours_deviation']:.4f} | "
                     f"{row['peer']:.4f} ± {row['peer_deviation']:.4f} | {'yes' if row['within_a_deviation'] else 'no'} |")
    return "\n".join([*lines, ""])


def main():
    options = parse_options(__doc__, "bench/results/train-conv")
    runs, log = {conv: [] for conv in CHOICES}, []
    with tempfile.TemporaryDirectory() as folder:
        for seed in options.seeds:
            for conv in CHOICES:
                runs[conv].append(train(options, conv, seed, folder, log))
                print(f"seed {seed}, {conv}: {runs[conv][-1]}", flush=True)
    rows = summary(options, runs, circumstances())
    out = pathlib.Path(options.out)
    out.with_suffix(".json").write_text(json.dumps(rows, indent=2) + "\n")
    out.with_suffix(".md").write_text(markdown(options, runs, rows))


if __name__ == "__main__":
    main()
