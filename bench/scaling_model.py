#!/usr/bin/env python3
"""How long a training step takes on many GPUs, and how much of each is kept: a prediction, not a measurement.

    build/bin/plume bench layers --base 32 --batch 16 --device cpu --json > layers.json
    python3 bench/scaling_model.py layers.json

The model (class Step): backward writes gradients in reverse layer order, as the rows of `plume bench layers` lie in
time. Gradients go in buckets of whole parameters (dist/buckets.cpp). A bucket is begun when its last gradient is
written and the one before has been summed; where the exchange has cores or copy engines of its own, it runs beside
backward, and only what is left of it afterwards is exposed. Then the running statistics follow, and the optimiser
updates. bench/scaling/check_model.py compares it with measurements of ranks on one machine.

The assumptions for A100s, none of which was measured here:
* a rank's step is its layers' operations (direct convolutions) at `--utilisation` of the 312 TFLOP/s that NVIDIA's
  A100 data sheet (2020) gives for bf16 tensor cores, spread over the step as on the CPU that was measured; all ranks
  take equally long;
* links: NVLink 3 has 600 GB/s per GPU, 300 GB/s each way (same data sheet); a node has four GPUs and four HDR200
  InfiniBand adapters of 200 Gbit/s each (JUWELS Booster; Kesselheim et al. 2021, "JUWELS Booster - A Supercomputer
  for Large-Scale AI Research", section 2); 80 % of that is reached, and other jobs take none of it;
* an all-reduce over P ranks moves 2 (P - 1) / P of the bytes through the narrowest link of a ring (Patarasuk and Yuan
  2009) or of a double binary tree (Sanders, Speck and Traff 2009), and takes the latency of the better one, by NCCL's
  own constants (src/graph/tuning.cc of NCCL 2.19, protocol Simple);
* a rank with few images computes as well as one with many, which flatters strong scaling;
* the optimiser's update and reading data cost what is in the layers' times; nobody writes checkpoints.
"""
import argparse
import dataclasses
import json
import math
import pathlib
import sys

MEBIBYTE = 1048576
FLOAT = 4  # bytes of a gradient
A100_FLOPS = 312e12


@dataclasses.dataclass(frozen=True)
class Parameter:
    start: int  # of its gradient in the flat buffer, in elements
    end: int  # where the next one begins
    written: float  # seconds from the step's begin to its gradient's last value


@dataclasses.dataclass(frozen=True)
class Step:
    """One rank's step without an exchange."""

    seconds: float
    update: float  # of these for the optimiser, at the end
    parameters: tuple

    @staticmethod
    def of_layers(report, seconds=None):
        """From the JSON of `plume bench layers`, whose rows lie in time's order; stretched to `seconds` if given."""
        rows = report["rows"]
        whole = 1e-3 * report["milliseconds"]
        scale = (seconds or whole) / sum(row["milliseconds"] for row in rows)
        written, now, update = {}, 0.0, 0.0
        for row in rows:
            now += scale * row["milliseconds"]
            if row["pass"] in ("weight gradient", "backward"):
                written[row["layer"]] = now
            if row["layer"] == "optimizer":
                update += scale * row["milliseconds"]
        listed = report["parameters"]
        ends = [other["offset"] for other in listed[1:]] + [listed[-1]["offset"] + listed[-1]["elements"]]
        parameters = tuple(Parameter(one["offset"], end, written[one["name"].rpartition(".")[0]])
                           for one, end in zip(listed, ends))
        return Step(seconds or whole, update, parameters)

    def buckets(self, mebibytes):
        """[(bytes, seconds at which the last gradient is written)], in the order in which they are begun."""
        least, buckets = mebibytes * MEBIBYTE / FLOAT, []
        end, written = self.parameters[-1].end, 0.0
        for parameter in reversed(self.parameters):
            written = max(written, parameter.written)
            if end - parameter.start >= least or parameter.start == 0:
                buckets.append(((end - parameter.start) * FLOAT, written))
                end, written = parameter.start, 0.0
        return buckets

    def with_exchange(self, links, ranks, bucket_mebibytes, wire=1.0):
        """Seconds of a step; `wire`: bytes that travel for each of a gradient's."""
        if ranks == 1:
            return self.seconds
        buckets = self.buckets(bucket_mebibytes)
        statistics = links.seconds(0, ranks)  # of batch normalisation: a small bucket more, at the end
        if not links.beside_compute:
            return self.seconds + sum(links.seconds(wire * size, ranks) for size, _ in buckets) + statistics
        done = 0.0
        for size, written in buckets:
            done = max(done, written) + links.seconds(wire * size, ranks)
        done = max(done, self.seconds - self.update) + statistics
        return done + self.update


@dataclasses.dataclass(frozen=True)
class HostLinks:
    """Between processes of one machine, by the cores that compute: measured by `plume bench exchange`."""

    latency: float  # seconds of a bucket
    rate: float  # bytes per second
    beside_compute = False

    @staticmethod
    def fitted(report):
        """Least squares of seconds = buckets * latency + bytes / rate, for one number of ranks. Buckets that do not
        stay in caches, far beyond those in use, are left out."""
        size = report["mebibytes"] * MEBIBYTE
        points = [(report["mebibytes"] / row["bucket_mebibytes"], row["seconds"]) for row in report["buckets"]
                  if row["bucket_mebibytes"] <= 8]
        count = len(points)
        mean_buckets, mean_seconds = (sum(values) / count for values in zip(*points))
        spread = sum((buckets - mean_buckets) ** 2 for buckets, _ in points)
        shared = sum((buckets - mean_buckets) * (seconds - mean_seconds) for buckets, seconds in points)
        latency = max(0.0, shared / spread)
        return HostLinks(latency, size / (mean_seconds - latency * mean_buckets))

    def seconds(self, size, _ranks):
        return self.latency + size / self.rate


@dataclasses.dataclass(frozen=True)
class GpuLinks:
    """NCCL over nodes of A100s; see above for the sources."""

    gpus: int = 4  # of a node
    nvlink: float = 300e9  # bytes per second and GPU, each way
    network: float = 4 * 25e9  # and node, each way
    reached: float = 0.8
    start: float = 8.4e-6
    hop_inside: float = 3.4e-6
    hop_between: float = 14e-6
    beside_compute = True

    def seconds(self, size, ranks):
        nodes = math.ceil(ranks / self.gpus)
        rate = self.reached * (self.nvlink if nodes == 1 else min(self.nvlink, self.network))
        ring = 2 * (ranks - nodes) * self.hop_inside + 2 * (nodes - 1) * self.hop_between
        tree = 2 * (ranks / nodes - 1) * self.hop_inside + 2 * math.ceil(math.log2(nodes)) * self.hop_between
        return self.start + min(ring, tree) + 2 * (ranks - 1) / ranks * size / rate


def a100_step(report, utilisation):
    gflop = sum(row.get("gflop", 0) for row in report["rows"])
    return Step.of_layers(report, 1e9 * gflop / (utilisation * A100_FLOPS))


def rank_counts(most):
    return [2**power for power in range(int(math.log2(most)) + 1)]


def rows_of(report, options):
    """(ranks, seconds of a weak step, efficiency, seconds of a strong step, efficiency) of each number of ranks. Weak:
    each rank keeps the batch that was measured; strong: `--strong` images are shared by all, while each has one."""
    links, step = GpuLinks(), a100_step(report, options.utilisation)
    wire = {"f32": 1.0, "bf16": 0.5}[options.wire]
    for ranks in rank_counts(options.most):
        weak = step.with_exchange(links, ranks, options.bucket, wire)
        share, strong, kept = options.strong / ranks, None, None
        if share >= 1:
            one_image = step.seconds / report["batch"]
            part = a100_step(report, options.utilisation * report["batch"] / share)
            strong = part.with_exchange(links, ranks, options.bucket, wire)
            kept = options.strong * one_image / (ranks * strong)
        yield ranks, weak, step.seconds / weak, strong, kept


def table(report, options):
    lines = ["| A100s | weak: step, ms | efficiency | strong: step, ms | efficiency |",
             "| --- | --- | --- | --- | --- |"]
    for ranks, weak, kept, strong, strong_kept in rows_of(report, options):
        cells = [f"{1e3 * weak:.2f}", f"{kept:.3f}"]
        cells += [f"{1e3 * strong:.2f}", f"{strong_kept:.3f}"] if strong else ["", ""]
        lines.append(f"| {ranks} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def add_options(parser):
    parser.add_argument("--utilisation", type=float, default=0.4, help="share of 312 TFLOP/s that a step reaches")
    parser.add_argument("--bucket", type=float, default=25, help="MiB of gradients that are summed at a time")
    parser.add_argument("--wire", choices=("f32", "bf16"), default="f32", help="how gradients travel")
    parser.add_argument("--strong", type=int, default=1024, help="images of the step that all ranks share")
    parser.add_argument("--most", type=int, default=1024, help="A100s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("layers", type=pathlib.Path, help="what `plume bench layers --json` printed of a training step")
    add_options(parser)
    options = parser.parse_args()
    report = json.loads(options.layers.read_text())
    if report["work"] != "train":
        sys.exit(f"{options.layers}: these are layers of an inference; take bench layers --work train")
    print(table(report, options))


if __name__ == "__main__":
    main()
