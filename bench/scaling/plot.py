#!/usr/bin/env python3
"""Draws what measure.py found: throughput and efficiency over ranks. Needs matplotlib (Debian: python3-matplotlib).

    python3 bench/scaling/plot.py scaling.csv -o scaling.svg
"""
import argparse
import csv
import pathlib


def read(paths):
    """{label: [(ranks, images per second, efficiency)]} of each mode in each file."""
    series = {}
    for path in paths:
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                label = row["mode"] if len(paths) == 1 else f"{path.stem}, {row['mode']}"
                point = int(row["ranks"]), float(row["img_per_s"]), float(row["efficiency"])
                series.setdefault(label, []).append(point)
    return series


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=pathlib.Path, nargs="+")
    parser.add_argument("-o", "--out", type=pathlib.Path, required=True, help="PNG, SVG or PDF")
    options = parser.parse_args()
    try:
        import matplotlib
    except ImportError:
        raise SystemExit("no matplotlib in this Python (Debian and Ubuntu: python3-matplotlib)") from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (throughput, efficiency) = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    counts = set()
    for label, points in read(options.csv).items():
        ranks, rates, kept = zip(*points)
        counts |= set(ranks)
        (line,) = throughput.plot(ranks, rates, "o-", label=label)
        throughput.plot(ranks, [rates[0] * count / ranks[0] for count in ranks], ":", color=line.get_color())
        efficiency.plot(ranks, kept, "o-", label=label)
    throughput.set(xscale="log", yscale="log", ylabel="images per second")
    efficiency.set(xscale="log", ylim=(0, 1.1), ylabel="efficiency")
    efficiency.axhline(1, linestyle=":", color="grey")
    for axes in (throughput, efficiency):
        axes.set_xlabel("ranks")
        axes.set_xticks(sorted(counts), labels=[str(count) for count in sorted(counts)])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    throughput.set_title("dotted: ideal", fontsize="medium")
    throughput.legend()
    figure.savefig(options.out)


if __name__ == "__main__":
    main()
