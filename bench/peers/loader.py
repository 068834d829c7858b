#!/usr/bin/env python3
"""plume's loader and PyTorch's DataLoader over .npy memory maps: tiles of 6x256x256 u16 per second of CPU time.

    build/bin/plume must be built (release); --python has torch
    python3 bench/peers/loader.py --python VENV/bin/python --out bench/results/loader

All sides deliver the same shuffled batches of whole tiles as stored, from the page cache. A round is a process of
plume and one of each of PyTorch's settings, in turn: how tiles lie in .npy files, workers, how batches are collated. In
the first two rounds every setting is measured, in the others those within a quarter of the best of their kind: without
workers the training waits for its tiles; with them, as with plume, it does not.
"""
import argparse
import itertools
import json
import pathlib
import statistics
import tempfile

import numpy as np
from cpu import NEAR_THE_BEST, ROOT, run, run_json
from circumstances import circumstances

EDGE, BANDS = 256, 6
LAYOUTS = {"one": "one .npy of all tiles", "kept": "a .npy a tile, maps kept", "opened": "a .npy a tile"}
COLLATES = {"default": "tiles stacked", "items": "batches at once"}  # items: __getitems__
WORKERS = (0, 1, 2)


def write_tiles(folder, count):
    """Noise, as the tiles' content costs nothing: one shard for plume, and .npy files in every layout."""
    random = np.random.default_rng(0)
    images = random.integers(0, 1 << 16, (count, EDGE, EDGE, BANDS), np.uint16)
    labels = random.integers(0, 2, (count, EDGE, EDGE), np.uint8)
    np.save(folder / "images.npy", images)
    np.save(folder / "labels.npy", labels)
    for kind, tiles in (("tiles", images), ("masks", labels)):
        (folder / kind).mkdir()
        for index, tile in enumerate(tiles):
            np.save(folder / kind / f"t{index:04}.npy", tile)
    split = "".join(f"t{index:04},train\n" for index in range(count))
    (folder / "split.csv").write_text("tile,split\n" + split)


KEY = "tiles_per_cpu_second"
# Where PyTorch reads: in the training's own thread, which waits, or in workers beside it. plume reads beside it.
GROUPS = {"no workers, which the training waits for": lambda workers: workers == 0,
          "workers beside the training": lambda workers: workers > 0}


def name_of(layout, collate, workers):
    return f"{LAYOUTS[layout]}, {workers} workers, {COLLATES[collate]}"


def settings_of(group):
    """{name: (layout, collate, workers)}"""
    return {name_of(*setting): setting for setting in itertools.product(LAYOUTS, COLLATES, WORKERS)
            if GROUPS[group](setting[2])}


def near_the_best(settings, rounds):
    best = max(most(rounds[name]) for name in settings)
    return {name: setting for name, setting in settings.items() if NEAR_THE_BEST * most(rounds[name]) >= best}


def measure(options, folder):
    """{side: [the report of each round]}"""
    groups = [settings_of(group) for group in GROUPS]
    common = ["--batch", options.batch]
    rounds = {}
    for index in range(options.rounds):
        report = run_json([options.plume, "bench", "load", "--data", folder / "tiles.h5", "--repeats", options.epochs,
                           "--json", *common])
        rounds.setdefault("plume", []).append(report)
        for name, (layout, collate, workers) in itertools.chain.from_iterable(group.items() for group in groups):
            report = run_json([options.python, "-B", "-W", "ignore", ROOT / "bench" / "peers" / "loader_peer.py",
                               folder, "--layout", layout, "--collate", collate, "--workers", workers, "--epochs",
                               options.epochs, *common])
            rounds.setdefault(name, []).append(report)
        if index == 1:
            groups = [near_the_best(settings, rounds) for settings in groups]
    return rounds


def most(reports):
    return max(report[KEY] for report in reports)


def median(reports, key=KEY):
    return statistics.median(report[key] for report in reports)


def rows_of(rounds, common):
    ours, rows = rounds["plume"], []
    for group in GROUPS:
        names = list(settings_of(group))
        best = max(names, key=lambda name: median(rounds[name]))
        rows.append({"work": f"load {BANDS}x{EDGE}x{EDGE} u16 tiles, per second of CPU time; {group}",
                     "ours": median(ours), "peer": median(rounds[best]), "at_least": 5.0, "unit": "tiles/s",
                     "best_peer": best, "rounds": {name: [report[KEY] for report in rounds[name]]
                                                   for name in ["plume", *names]}})
    rows.append({"work": "copy such tiles out of a shard, beside memcpy",
                 "ours": median(ours, "copied_bytes_per_second") / 1e9,
                 "peer": median(ours, "memcpy_bytes_per_second") / 1e9, "at_least": 0.8, "unit": "GB/s",
                 "best_peer": "memcpy"})
    return [row | {"ratio": row["ours"] / row["peer"]} | common for row in rows]


def markdown(rows, rounds, options):
    library = next(reports[0]["library"] for name, reports in rounds.items() if name != "plume")
    lines = ["# Loading tiles: plume's loader and PyTorch's DataLoader", "",
             f"{rows[0]['machine']}; plume {rows[0]['commit']}, {library}; `{rows[0]['command']}`", "",
             f"{options.tiles} tiles in the page cache; shuffled batches of {options.batch}, pixels u16 and labels u8",
             f"as stored, {options.epochs} epochs after one that does not count; medians of {options.rounds} rounds,",
             "programs in turn. CPU time is that of all threads and workers. Without workers and with whole",
             "batches at once PyTorch's side is one memcpy of each tile, and plume's is that and the check of its",
             "labels: five times as fast as a memcpy cannot be.", "",
             "| work | plume | peer | which | ratio | asked |", "| --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        lines.append(f"| {row['work']} | {row['ours']:.5g} {row['unit']} | {row['peer']:.5g} {row['unit']} | "
                     f"{row['best_peer']} | {row['ratio']:.2f} | {row['at_least']:.2f} |")
    lines += ["", "## All settings", "", "Not near the best in the first two rounds: not measured again.", "",
              "| setting | tiles per CPU-second | lowest to highest | tiles per second | plume's ratio |",
              "| --- | --- | --- | --- | --- |"]
    for name, reports in sorted(rounds.items(), key=lambda item: -median(item[1])):
        figures = [report[KEY] for report in reports]
        lines.append(f"| {name} | {median(reports):.0f} | {min(figures):.0f} to {max(figures):.0f} | "
                     f"{median(reports, 'tiles_per_second'):.0f} | {median(rounds['plume']) / median(reports):.2f} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True, help="a Python with torch")
    parser.add_argument("--plume", default=str(ROOT / "build" / "bin" / "plume"))
    parser.add_argument("--tiles", type=int, default=512)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", help="write OUT.md and OUT.json")
    options = parser.parse_args()
    common = circumstances()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_tiles(folder, options.tiles)
        run([options.plume, "data", "pack", "--tiles", folder / "tiles", "--masks", folder / "masks", "--split",
             folder / "split.csv", "--mask-values", "0,1", "-o", folder / "tiles.h5"])
        rounds = measure(options, folder)
    rows = rows_of(rounds, common)
    text = markdown(rows, rounds, options)
    print(text)
    if options.out:
        pathlib.Path(options.out).with_suffix(".md").write_text(text)
        pathlib.Path(options.out).with_suffix(".json").write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
