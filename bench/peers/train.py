#!/usr/bin/env python3
"""Trains with plume and with PyTorch by the same configuration, seeds in turn, and writes both to bench/results.

    build/bin/plume data pack --tiles DIR/tiles --masks DIR/masks --split DIR/split.csv -o tiles.h5
    /usr/bin/python3 bench/peers/train.py configs/smoke-goes16.toml --shard tiles.h5

Runs ours, PyTorch's, ours, ... with a seed each, so that a busy moment of the machine meets both. What is compared: IoU
of smoke on the validation split (best of the validations, as both programs keep it), and wall time.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from circumstances import ROOT, commit, machine

PYTHON = "/usr/bin/python3"
SPLITS = ("train", "val", "test")


def run(command, log):
    """Runs it, keeps command and output in the log, and returns standard output."""
    log.append("$ " + " ".join(map(str, command)))
    done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, check=False)
    log.append((done.stdout + done.stderr).rstrip())
    if done.returncode != 0:
        raise SystemExit("\n".join(log[-2:]))
    return done.stdout


def train_ours(options, seed, folder, log):
    output = pathlib.Path(folder) / f"seed{seed}"
    settings = [f"--set={setting}" for setting in options.overrides]
    settings += [f"--set=data.shard={options.shard}", f"--set=train.seed={seed}"]
    if options.threads:
        settings.append(f"--set=train.threads={options.threads}")
    start = time.perf_counter()
    run([options.plume, "train", options.config, *settings, "--out", output], log)
    report = {"seconds": round(time.perf_counter() - start, 1)}
    for split in SPLITS:
        model = output / "best.safetensors"
        text = run([options.plume, "eval", "--model", model, "--data", options.shard, "--split", split, "--json"], log)
        report[f"{split}_iou"] = json.loads(text)["iou"]
    return report


def train_peer(options, seed, log):
    command = [PYTHON, "bench/peers/train_torch.py", options.config, "--shard", options.shard]
    command += [f"--set={setting}" for setting in options.overrides]
    command += [f"--seed={seed}", f"--threads={options.threads or os.cpu_count()}", "--verbose"]
    return json.loads(run(command, log))


def mean_and_deviation(runs, key):
    values = [report[key] for report in runs]
    return statistics.mean(values), statistics.stdev(values) if len(values) > 1 else 0.0


def summary(options, ours, peer, commit, command):
    """The objects of the .json twin; at_least of the IoU is the peer's mean less its standard deviation."""
    work = f"{pathlib.Path(options.config).name}, mean of {len(options.seeds)} seeds"
    common = {"machine": machine(), "commit": commit, "command": command}
    rows = []
    for key, name in (("val_iou", "validation IoU"), ("train_iou", "training IoU"), ("test_iou", "test IoU")):
        (mean, deviation), (other, spread) = mean_and_deviation(ours, key), mean_and_deviation(peer, key)
        row = {"work": f"{work}: {name}, teacher labels", "ours": mean, "peer": other, "ratio": mean / other}
        row |= {"at_least": (other - spread) / other if key == "val_iou" else None, "unit": "IoU"}
        rows.append(row | {"ours_deviation": deviation, "peer_deviation": spread} | common)
    mean, other = mean_and_deviation(ours, "seconds")[0], mean_and_deviation(peer, "seconds")[0]
    row = {"work": f"{work}: wall time with validations", "ours": mean, "peer": other, "ratio": other / mean}
    rows.append(row | {"at_least": None, "unit": "s"} | common)
    return rows


def markdown(options, ours, peer, rows, log):
    lines = ["# Training on real GOES-16 tiles, plume and PyTorch", ""]
    lines += [f"{rows[0]['machine']}; plume {rows[0]['commit']}; {peer[0]['program']}; `{rows[0]['command']}`", ""]
    lines += ["IoU of smoke at threshold 0.5, over all pixels of a split, with the weights of the best validation. The"]
    lines += ["labels are a teacher model's, not a human's, and few: four of the 194 training tiles hold three"]
    lines += ["quarters of the smoke, and one tile decides most of the validation figure.", ""]
    lines += ["| seed | program | val IoU | train IoU | test IoU | seconds |", "| --- | --- | --- | --- | --- | --- |"]
    for seed, *reports in zip(options.seeds, ours, peer):
        for program, report in zip(("plume", "PyTorch"), reports):
            figures = " | ".join(f"{report[key]:.4f}" for key in ("val_iou", "train_iou", "test_iou"))
            lines.append(f"| {seed} | {program} | {figures} | {report['seconds']:.1f} |")
    lines += ["", "| mean over seeds | plume | PyTorch |", "| --- | --- | --- |"]
    for row in rows:
        name = row["work"].partition(": ")[2]
        if row["unit"] == "s":
            lines.append(f"| {name} | {row['ours']:.1f} s | {row['peer']:.1f} s |")
        else:
            ours_text = f"{row['ours']:.4f} ± {row['ours_deviation']:.4f}"
            lines.append(f"| {name} | {ours_text} | {row['peer']:.4f} ± {row['peer_deviation']:.4f} |")
    configuration = pathlib.Path(options.config).read_text().rstrip()
    lines += ["", "Configuration:", "", "```toml", configuration, "```", "", "Commands and logs:", "", "```"]
    return "\n".join(lines + log + ["```", ""])


def parse_options(description, out):
    """What a comparison of trainings by one configuration is told; `out` is where its results go by default."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("--shard", required=True)
    parser.add_argument("--set", action="append", default=[], metavar="key.sub=value", dest="overrides")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=0, help="of all trainings; default: all cores")
    parser.add_argument("--plume", default="build/bin/plume")
    parser.add_argument("--out", default=out, help="results are OUT.md and OUT.json")
    return parser.parse_args()


def main():
    options = parse_options(__doc__, "bench/results/train-goes16")
    ours, peer, log = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for seed in options.seeds:
            ours.append(train_ours(options, seed, folder, log))
            peer.append(train_peer(options, seed, log))
            print(f"seed {seed}: plume {ours[-1]}, PyTorch {peer[-1]}", flush=True)
        log = [line.replace(folder, "runs") for line in log]
    coretype = os.environ.get("OPENBLAS_CORETYPE")
    prefix = f"OPENBLAS_CORETYPE={coretype} " if coretype else ""
    command = prefix + "/usr/bin/python3 bench/peers/train.py " + " ".join(sys.argv[1:])
    rows = summary(options, ours, peer, commit(), command)
    out = pathlib.Path(options.out)
    out.with_suffix(".json").write_text(json.dumps(rows, indent=2) + "\n")
    out.with_suffix(".md").write_text(markdown(options, ours, peer, rows, log))


if __name__ == "__main__":
    main()
