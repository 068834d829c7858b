#!/usr/bin/env python3
"""The model of scale (bench/scaling_model.py) against measurements of two and more ranks on this machine, and what it
says of A100s.

    python3 bench/scaling/check_model.py --plume build/bin/plume --out bench/results/scaling

For each number of ranks and each network: as many processes of `plume bench layers` at once, each pinned to a core,
give the time of a step without an exchange; `plume bench exchange` over as many ranks gives rates; from both the
model predicts a step, and then `plume bench train` is measured. Nothing of that last measurement goes into the
prediction.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "bench"), str(ROOT / "bench" / "peers")]
import scaling_model  # noqa: E402
from cpu import run_json  # noqa: E402
from circumstances import circumstances  # noqa: E402

BUCKET = 2  # MiB, what plume takes on a CPU


def parse_work(text):
    base, _, batch = text.partition(":")
    return int(base), int(batch or 1)


class Machine:
    """Runs plume on so many ranks, each pinned to a core; more ranks than cores share them in turn."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.environment = os.environ | {"OMP_NUM_THREADS": "1"}

    def step(self, base, batch):
        return ["--base", base, "--size", self.options.size, "--batch", batch]

    def layers(self, ranks, base, batch):
        """The report of the middle one of as many processes at once."""
        cores = sorted(os.sched_getaffinity(0))
        command = [self.options.plume, "bench", "layers", *self.step(base, batch), "--repeats", self.options.steps,
                   "--device", "cpu", "--threads", 1, "--json"]
        started = [subprocess.Popen(["taskset", "-c", str(cores[rank % len(cores)]), *map(str, command)], text=True,
                                    stdout=subprocess.PIPE, env=self.environment) for rank in range(ranks)]
        reports = [json.loads(process.communicate()[0]) for process in started]
        return sorted(reports, key=lambda report: report["milliseconds"])[len(reports) // 2]

    def on_ranks(self, ranks, *arguments):
        return run_json(["mpiexec", "-n", ranks, "-bind-to", "core", self.options.plume, "bench", *arguments,
                         "--device", "cpu", "--threads", 1, "--out", self.folder, "--json"], env=self.environment)

    def exchange(self, ranks, mebibytes):
        return self.on_ranks(ranks, "exchange", "--mebibytes", mebibytes, "--repeats", 2 * self.options.steps)

    def train(self, ranks, base, batch):
        return self.on_ranks(ranks, "train", *self.step(base, batch), "--steps", self.options.steps)


def compare(measured, ranks, base, batch):
    """A row: milliseconds of a step, predicted and measured."""
    report = measured.layers(ranks, base, batch)
    step = scaling_model.Step.of_layers(report)
    mebibytes = max(1, round(step.parameters[-1].end * scaling_model.FLOAT / scaling_model.MEBIBYTE))
    links = scaling_model.HostLinks.fitted(measured.exchange(ranks, mebibytes))
    predicted = step.with_exchange(links, ranks, BUCKET)
    found = measured.train(ranks, base, batch)
    return {"work": f"model of scale: step of {ranks} ranks, base {base}, batch {batch} a rank",
            "ours": 1e3 * found["step_s"], "peer": 1e3 * predicted, "ratio": predicted / found["step_s"],
            "at_least": None, "unit": "ms", "without_exchange": 1e3 * step.seconds,
            "exchange": 1e3 * (predicted - step.seconds), "exposed_comm": found["exposed_comm"], "links": vars(links)}


def markdown(rows, layers, options):
    first = rows[0]
    cores = len(os.sched_getaffinity(0))
    size = f"{options.size}x{options.size}"
    lines = ["# The model of scale, against measurements and for A100s", "",
             f"{first['machine']}; plume {first['commit']}; `{first['command']}`", "",
             f"Measured: ranks of one thread on {cores} cores, {size}, f32, gradients summed through MPI while",
             "backward runs. Predicted from the layers of as many processes at once and the rates of `plume bench",
             f"exchange`. More than {cores} ranks share cores, and wait for each other by polling, which the model",
             "does not know.", "",
             "| ranks, network | layers, ms | exchange, ms | predicted step, ms | measured step, ms | of it |",
             "| --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        name = row["work"].partition("step of ")[2]
        lines.append(f"| {name} | {row['without_exchange']:.1f} | {row['exchange']:.1f} | {row['peer']:.1f} | "
                     f"{row['ours']:.1f} | {row['ratio']:.3f} |")
    errors = [abs(row["ratio"] - 1) for row in rows]
    lines += ["", f"Mean error of the predictions: {statistics.mean(errors):.1%}.", ""]
    lines += ["## Predicted for A100s, not measured", "",
              f"A classic U-Net of base {layers['base']}, {size}, {layers['batch']} images a GPU (weak) or",
              f"{options.strong} over all (strong), at {options.utilisation:.0%} of the tensor cores' peak, gradients",
              f"in {options.wire}, buckets of {options.bucket:g} MiB. The assumptions, with sources:", "", "```"]
    lines += scaling_model.__doc__.partition("The assumptions")[2].partition(":\n")[2].strip().splitlines()
    return "\n".join(lines + ["```", "", scaling_model.table(layers, options), ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plume", default=str(ROOT / "build" / "bin" / "plume"))
    parser.add_argument("--ranks", type=int, nargs="+", default=[2, 3, 4])
    parser.add_argument("--works", type=parse_work, nargs="+", default=[(16, 1), (32, 1)], metavar="BASE:BATCH")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--gpu-work", type=parse_work, default=(64, 16), metavar="BASE:BATCH", help="of an A100")
    parser.add_argument("--out", type=pathlib.Path, help="write OUT.md and OUT.json")
    scaling_model.add_options(parser)
    options = parser.parse_args()
    common = circumstances()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        measured = Machine(options, folder)
        for ranks in options.ranks:
            for base, batch in options.works:
                rows.append(compare(measured, ranks, base, batch) | common)
                row = rows[-1]
                print(f"{row['work']}: predicted {row['peer']:.1f} ms, measured {row['ours']:.1f} ms", flush=True)
        base, batch = options.gpu_work
        one_image = measured.layers(1, base, 1)
    # Operations and shares of the time, which is all that the model takes of it, grow alike with the batch.
    layers = one_image | {"base": base, "batch": batch}
    layers["rows"] = [row | ({"gflop": batch * row["gflop"]} if "gflop" in row else {}) for row in layers["rows"]]
    if options.out:
        options.out.with_suffix(".json").write_text(json.dumps(rows, indent=2) + "\n")
        options.out.with_suffix(".md").write_text(markdown(rows, layers, options))
    else:
        print(scaling_model.table(layers, options))


if __name__ == "__main__":
    main()
