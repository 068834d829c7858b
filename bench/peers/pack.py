#!/usr/bin/env python3
"""plume data pack --abi --hms and a script on netCDF4 and rasterio that does the same: time and memory.

    build/bin/plume must be built (release); this Python has h5py, and --python netCDF4, rasterio and
    fiona
    python3 bench/peers/pack.py --python VENV/bin/python --out bench/results/pack

Four drawn scenes, and GOES-17's real six-band set from ../shared/data (or --night) with one drawn outline of smoke.
Both sides cut the same tiles, which must agree before a time counts. A round is a process of each, in turn.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import h5py
import numpy as np
from cpu import ROOT, run
from circumstances import circumstances

ASKED = 3.0
WORKERS = (1, 2)


def timed(command):
    """Seconds of wall and CPU, MiB at most of the largest process, and what it printed."""
    with tempfile.TemporaryFile("w+") as output:
        start = time.perf_counter()
        with subprocess.Popen(list(map(str, command)), stdout=output, stderr=subprocess.STDOUT) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - start
        output.seek(0)
        text = output.read()
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}:\n{text[-2000:]}")
    return {"seconds": wall, "cpu_seconds": usage.ru_utime + usage.ru_stime, "mebibytes": usage.ru_maxrss / 1024}, text


def pack_ours(options, folder, workers):
    (folder / "tiles.h5").unlink(missing_ok=True)
    return timed([options.plume, "data", "pack", "--abi", folder / "abi", "--hms", folder / "hms", "--val", 0, "--test",
                  0, "--threads", workers, "-o", folder / "tiles.h5"])[0]


def pack_theirs(options, folder, workers):
    return timed([options.python, "-B", "-W", "ignore", ROOT / "bench" / "peers" / "pack_peer.py", folder / "abi",
                  folder / "hms", folder / "tiles.json", folder, "--workers", workers])


def list_tiles(folder):
    """Writes what plume cut for the other side to cut; the number of tiles."""
    with h5py.File(folder / "tiles.h5") as shard:
        tiles = [(name.split("_s")[1].split("_")[0], name, transform.tolist())
                 for name, transform in zip(map(bytes.decode, shard["tile_name"][:]), shard["geotransform"][:])]
    (folder / "tiles.json").write_text(json.dumps(tiles))
    return len(tiles)


def check_alike(folder):
    """Resampling differs in detail and at borders, byte scaling and outlines do not; says by how much."""
    theirs, their_labels = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("images", "labels"))
    sums = np.zeros(3)  # of differences, agreeing labels, and pixels that both measured; little is held at a time,
    with h5py.File(folder / "tiles.h5") as shard:  # as a process begins with its parent's memory on its account
        for image, label, their_image, their_label in zip(shard["images"], shard["labels"], theirs, their_labels):
            both = (label != 255) & (their_label != 255)
            sums += np.abs(image[both].astype(int) - their_image[both]).sum(), (label == their_label).sum(), both.sum()
    difference = sums[0] / sums[2] / image.shape[-1]
    agreed, both = sums[1:] / their_labels.size
    if not (difference < 2 and agreed > 0.98 and both > 0.3):
        raise SystemExit(f"the two did not do the same: bytes differ by {difference:.2f}, labels agree {agreed:.4f}")
    return f"bytes differ by {difference:.2f} on average, {100 * agreed:.2f} % of the labels agree"


def make_drawn(options, folder):
    run([options.plume, "data", "synth", "--scenes", 4, "--seed", 1, "-o", folder])


def make_real(options, folder):
    os.symlink(options.night, folder / "abi")
    (folder / "hms").mkdir()
    ring = [[-119, 35], [-116, 35], [-116, 37], [-119, 37], [-119, 35]]
    smoke = {"type": "Feature", "properties": {"Density": "Light", "Start": "2019335 0900", "End": "2019335 1200"},
             "geometry": {"type": "Polygon", "coordinates": [ring]}}
    for day in ("20191130", "20191201"):
        collection = {"type": "FeatureCollection", "features": [smoke]}
        (folder / "hms" / f"hms_smoke{day}.geojson").write_text(json.dumps(collection))


def rows_of(options, title, folder, common):
    rows = []
    pack_ours(options, folder, 1)
    tiles = list_tiles(folder)
    for workers in WORKERS:
        ours, theirs = [], []
        for _ in range(options.rounds):
            ours.append(pack_ours(options, folder, workers))
            report, text = pack_theirs(options, folder, workers)
            theirs.append(report)
        median = [{key: statistics.median(report[key] for report in side) for key in side[0]}
                  for side in (ours, theirs)]
        each = f"{workers} thread{'s' * (workers > 1)} and worker{'s' * (workers > 1)}"
        row = {"work": f"pack {title}, {tiles} tiles; {each}", "ours": median[0]["seconds"],
               "peer": median[1]["seconds"], "ratio": median[1]["seconds"] / median[0]["seconds"], "at_least": ASKED,
               "unit": "s", "library": json.loads(text.splitlines()[-1])["library"], "alike": check_alike(folder),
               "medians": {"ours": median[0], "peer": median[1]}, "rounds": {"ours": ours, "peer": theirs}}
        rows.append(row | common)
        print(f"{row['work']}: {row['ours']:.2f} s, {row['peer']:.2f} s, ratio {row['ratio']:.2f}; {row['alike']}",
              flush=True)
    return rows


def markdown(rows, options):
    lines = ["# Packing satellite files: plume and a script on netCDF4 and rasterio", "",
             f"{rows[0]['machine']}; plume {rows[0]['commit']}; {rows[0]['library']}; `{rows[0]['command']}`", "",
             "From ABI L1b files C01 to C06 and smoke polygons to tiles of 256x256 bytes with labels: whole processes,",
             f"files in the page cache, medians of {options.rounds} rounds in turn. plume also writes checksums,",
             "statistics and splits. Memory is that of the largest process; a script's workers each need as much.", "",
             "| work | plume, s | script, s | ratio | asked | CPU s | memory, MiB | alike |",
             "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        ours, peer = row["medians"]["ours"], row["medians"]["peer"]
        lines.append(f"| {row['work']} | {row['ours']:.2f} | {row['peer']:.2f} | {row['ratio']:.2f} | "
                     f"{row['at_least']:.2f} | {ours['cpu_seconds']:.2f}, {peer['cpu_seconds']:.2f} | "
                     f"{ours['mebibytes']:.0f}, {peer['mebibytes']:.0f} | {row['alike']} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True, help="a Python with netCDF4, rasterio and fiona")
    parser.add_argument("--plume", default=str(ROOT / "build" / "bin" / "plume"))
    parser.add_argument("--night", type=pathlib.Path, default=ROOT.parent / "shared" / "data" / "goes17_night",
                        help="folder of a real scene's C01 to C06")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", help="write OUT.md and OUT.json")
    options = parser.parse_args()
    common = circumstances()
    rows = []
    for title, make in (("four drawn scenes", make_drawn), ("a real night of GOES-17", make_real)):
        if make is make_real and not options.night.exists():
            print(f"no real scene at {options.night}: left out")
            continue
        with tempfile.TemporaryDirectory() as name:
            make(options, pathlib.Path(name))
            rows += rows_of(options, title, pathlib.Path(name), common)
    if options.out:
        pathlib.Path(options.out).with_suffix(".md").write_text(markdown(rows, options))
        pathlib.Path(options.out).with_suffix(".json").write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
