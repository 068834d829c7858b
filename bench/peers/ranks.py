#!/usr/bin/env python3
"""Weak scaling of plume and of PyTorch's DistributedDataParallel (gloo): ranks pinned to a core each, against one
pinned rank.

    build/bin/plume must be built (release) with MPI; --python has torch
    python3 bench/peers/ranks.py --python VENV/bin/python --out bench/results/ranks

A round is one process of each kind in turn: plume on one rank, on --ranks, PyTorch on one, on --ranks. What counts is
the median over rounds of the processes' median steps.
"""
import argparse
import json
import os
import pathlib
import statistics
import tempfile

from cpu import ROOT, peer_environment, run, run_json
from circumstances import circumstances

SIZE = 256
WHAT = """Weak scaling: every rank has a batch of its own, and is pinned to a core. Both programs do the same work: a
classic U-Net on noise, six bands, f32, one thread a rank; forward, loss, backward, AdamW, gradients summed over ranks
while backward runs, the loss over all ranks in every step. A round is a process of each kind in turn; medians over
rounds of the processes' medians."""
EFFICIENCY_ASKED = 0.93


def parse_work(text):
    base, _, batch = text.partition(":")
    return int(base), int(batch or 1)


class Ranks:
    """Starts both programs on so many ranks, each pinned to a core."""

    def __init__(self, options, folder):
        self.options, self.folder, self.port = options, folder, 29600
        self.environment = peer_environment() | {"OMP_NUM_THREADS": "1"}

    def launch(self, ranks):
        return ["mpiexec", "-n", ranks, "-bind-to", "core"]

    def plume(self, ranks, base, batch):
        return self.seconds([*self.launch(ranks), self.options.plume, "bench", "train", "--base", base, "--size", SIZE,
                             "--batch", batch, "--steps", self.options.steps, "--device", "cpu", "--threads", 1,
                             "--out", self.folder, "--json"])

    def peer(self, ranks, base, batch):
        self.port += 1  # the last one's may not be free yet
        command = [*self.launch(ranks), self.options.python, "-B", ROOT / "bench" / "peers" / "ranks_peer.py", "--base",
                   base, "--size", SIZE, "--batch", batch, "--steps", self.options.steps, "--port", self.port]
        return self.seconds(command + (["--compiled"] if self.options.compiled else []))

    def seconds(self, command):
        report = run_json(command, env=self.environment, timeout=600)
        if report["verified"] != "PASS":
            raise SystemExit(f"{' '.join(map(str, command))}: not a training: {report}")
        return report["step_s"]


def measure(ranks, base, batch, count, rounds):
    """Seconds of a step so far, {(program, ranks): [of each round]}, after each round."""
    figures = {}
    for _ in range(rounds):
        for program in (ranks.plume, ranks.peer):
            for number in (1, count):
                figures.setdefault((program.__name__, number), []).append(program(number, base, batch))
        yield figures


def rows_of(base, batch, count, figures):
    """The rows of the .json twin."""
    middle = {key: statistics.median(seconds) for key, seconds in figures.items()}
    ours, peer = (count * batch / middle[program, count] for program in ("plume", "peer"))
    kept, peer_kept = (middle[program, 1] / middle[program, count] for program in ("plume", "peer"))
    work = f"weak scaling, base {base}, {SIZE}x{SIZE}, batch {batch} a rank"
    rounds = {f"{program} on {number}": seconds for (program, number), seconds in figures.items()}
    yield {"work": f"{work}: images per second on {count} ranks", "ours": ours, "peer": peer, "ratio": ours / peer,
           "at_least": 1.0, "unit": "images/s", "rounds": rounds}
    yield {"work": f"{work}: throughput of a rank of {count} against one alone, of 1", "ours": kept, "peer": 1.0,
           "ratio": kept, "at_least": EFFICIENCY_ASKED, "unit": "of one rank", "torch": peer_kept}


def markdown(rows, options, torch_version):
    lines = ["# Weak scaling over ranks, plume and PyTorch", "",
             f"{rows[0]['machine']}; plume {rows[0]['commit']}; {torch_version}, DistributedDataParallel with gloo"
             f"{', compiled' if options.compiled else ''}, channels_last; `{rows[0]['command']}`", "",
             WHAT, "",
             "| work | plume | PyTorch | ratio | asked |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        peer = row.get("torch", row["peer"])
        lines.append(f"| {row['work']} | {row['ours']:.3f} | {peer:.3f} | {row['ratio']:.3f} | {row['at_least']:.2f} |")
    lines += ["", "The second kind of ratio is plume's share of the ideal 1.", ""]
    lines += ["Milliseconds of a step in each round:", ""]
    for row in rows:
        if "rounds" not in row:
            continue
        lines += [row["work"].partition(":")[0], "", "| program | median | rounds |", "| --- | --- | --- |"]
        for name, seconds in row["rounds"].items():
            each = ", ".join(f"{1e3 * value:.1f}" for value in seconds)
            lines.append(f"| {name} | {1e3 * statistics.median(seconds):.1f} | {each} |")
        lines.append("")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True, help="a Python with torch")
    parser.add_argument("--works", nargs="+", type=parse_work, default=[(32, 4)], metavar="BASE:BATCH")
    parser.add_argument("--ranks", type=int, default=os.cpu_count(), help="one a core")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=8, help="of a process, after three that do not count")
    parser.add_argument("--compiled", action="store_true", help="PyTorch's network by torch.compile")
    parser.add_argument("--plume", default=str(ROOT / "build" / "bin" / "plume"))
    parser.add_argument("--out", type=pathlib.Path, help="write OUT.md and OUT.json")
    parser.add_argument("--check", action="store_true", help="fail where a ratio is below the one asked for")
    options = parser.parse_args()
    common = circumstances()
    torch_version = run([options.python, "-c", "import torch; print('PyTorch', torch.__version__)"]).strip()
    done, rows = [], []
    with tempfile.TemporaryDirectory() as folder:
        ranks = Ranks(options, folder)
        for base, batch in options.works:
            for figures in measure(ranks, base, batch, options.ranks, options.rounds):
                rows = done + [row | common for row in rows_of(base, batch, options.ranks, figures)]
                if options.out:  # at once: the next round may fail
                    options.out.with_suffix(".json").write_text(json.dumps(rows, indent=2) + "\n")
                    options.out.with_suffix(".md").write_text(markdown(rows, options, torch_version) + "\n")
            for row in rows[len(done):]:
                print(f"{row['work']}: {row['ours']:.3f}, PyTorch {row.get('torch', row['peer']):.3f} {row['unit']}, "
                      f"ratio {row['ratio']:.3f} (asked {row['at_least']:.2f})", flush=True)
            done = rows
    failed = [row["work"] for row in rows if row["ratio"] < row["at_least"]]
    if options.check and failed:
        raise SystemExit("below what is asked: " + "; ".join(failed))


if __name__ == "__main__":
    main()
