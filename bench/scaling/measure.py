#!/usr/bin/env python3
"""Weak and strong scaling of `plume bench train`: a row of CSV for each number of ranks.

    python3 bench/scaling/measure.py --ranks 1 2 --modes weak strong --out scaling.csv -- --base 32 --device cpu
    python3 bench/scaling/plot.py scaling.csv -o scaling.svg

What follows `--` goes to plume. Weak: each rank has --batch images; strong: all together have --global-batch. How
ranks are started is --launch, in which {ranks} and {nodes} stand for their numbers; scaling.sbatch has Slurm's form.
Efficiency is of each rank's share of the throughput, against the fewest ranks of the same mode.
"""
import argparse
import csv
import json
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COLUMNS = ("mode", "system", "job", "nodes", "ranks", "device", "global_batch", "steps", "comm", "step_s", "img_per_s",
           "img_per_s_per_rank", "efficiency", "exposed_comm", "data_wait_s", "loss_first", "loss_last",
           "time_to_report_s", "verified")


def measure(options, mode, ranks):
    nodes = -(-ranks // options.ranks_per_node) if options.ranks_per_node else 1
    launch = shlex.split(options.launch.format(ranks=ranks, nodes=nodes))
    batch = ["--batch", options.batch] if mode == "weak" else ["--global-batch", options.global_batch]
    command = [*launch, options.plume, "bench", "train", "--steps", options.steps, *batch, "--json"]
    command += options.plume_options
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{shlex.join(map(str, command))}: ended with {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1]) | {"mode": mode}


def main():
    arguments, plume_options = sys.argv[1:], []
    if "--" in arguments:
        place = arguments.index("--")
        arguments, plume_options = arguments[:place], arguments[place + 1:]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ranks", type=int, nargs="+", required=True)
    parser.add_argument("--modes", nargs="+", choices=("weak", "strong"), default=["weak"])
    parser.add_argument("--batch", type=int, default=4, help="images of a rank, weak scaling")
    parser.add_argument("--global-batch", type=int, default=16, help="images of all ranks, strong scaling")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--launch", default="mpiexec -n {ranks} -bind-to core")
    parser.add_argument("--ranks-per-node", type=int, default=0, help="for {nodes}; 0: all on one")
    parser.add_argument("--plume", default=str(ROOT / "build" / "bin" / "plume"))
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the CSV")
    options = parser.parse_args(arguments)
    options.plume_options = plume_options
    rows = []
    for mode in options.modes:
        base = None
        for ranks in sorted(options.ranks):
            row = measure(options, mode, ranks)
            base = base or row["img_per_s_per_rank"]
            row["efficiency"] = row["img_per_s_per_rank"] / base
            print(f"{mode}, {ranks} ranks: {row['img_per_s']:.4g} images/s, efficiency {row['efficiency']:.3f}",
                  flush=True)
            rows.append(row)
            with options.out.open("w", newline="") as file:  # at once: the next one may fail
                writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
                writer.writeheader()
                writer.writerows(rows)


if __name__ == "__main__":
    main()
