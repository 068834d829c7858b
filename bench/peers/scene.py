#!/usr/bin/env python3
"""A full disk of six bands predicted by plume: pixels a second beside those of single tiles, and memory.

    build/bin/plume must be built (release)
    /usr/bin/python3 bench/peers/scene.py --sector ABI_FOLDER --model MODEL... --out bench/results/scene

The disk is 10848 x 10848 pixels of 1 km: a GeoTIFF of bytes, and ABI L1b files made of a sector's (full_disk.py), whose
C02 has 21696 x 21696 pixels. A model is a file, or the base of a classic U-Net with random weights. Before and after
each disk, `plume bench infer` says what tiles of 256 x 256 take, one at a time. Results are OUT.md and OUT.json. Needs
numpy, netCDF4 and GDAL's Python package, for a base also torch; 4 GB of disk.
"""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile
import time

import numpy as np

import full_disk
from circumstances import ROOT, circumstances

EDGE = 10848
TILE = 256
REPEATS = 100
WARM_UP = 3  # of plume bench
PASSIVE = {**os.environ, "OMP_WAIT_POLICY": "passive"}  # threads that wait would use CPU


def measured(command):
    """What it printed, and its process's seconds, seconds of CPU and mebibytes."""
    started = time.monotonic()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, env=PASSIVE)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(map(str, command))} failed")
    return output, time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def bench_tiles(plume, model):
    """Pixels a second, and a second of CPU: of so many repeats that starting does not matter."""
    output, _, cpu, _ = measured([plume, "bench", "infer", "--model", model, "--size", TILE, "--batch", 1,
                                  "--repeats", REPEATS - WARM_UP, "--json"])
    return json.loads(output)["images_per_second"] * TILE * TILE, REPEATS * TILE * TILE / cpu


def write_geotiff(path):
    """Drawn clouds: waves and noise, so that what is written is no constant."""
    from osgeo import gdal

    image = gdal.GetDriverByName("GTiff").Create(str(path), EDGE, EDGE, 6, gdal.GDT_Byte,
                                                 ["TILED=YES", "COMPRESS=DEFLATE", "INTERLEAVE=PIXEL"])
    random = np.random.default_rng(0)
    columns = np.arange(EDGE)
    for row in range(0, EDGE, TILE):
        rows = np.arange(row, min(row + TILE, EDGE))[:, None]
        for band in range(6):
            waves = np.sin(rows / (90 + 20 * band)) * np.cos(columns / 130) * 70 + 110
            noisy = waves + random.integers(-20, 20, waves.shape)
            image.GetRasterBand(band + 1).WriteArray(noisy.astype("u1"), 0, row)


def make_base(folder, base):
    from subject import make_model

    folder.mkdir()
    make_model(folder, base)
    return folder / "model.safetensors"


def table(rows):
    yield ("| disk | model | written | pixels/s | of tiles | ratio | pixels per second of CPU | of tiles | ratio | "
           "asked | s | memory, MiB | asked |")
    yield "|" + " --- |" * 13
    for row in rows:
        wall, cpu = ([f"{rate / 1e6:.2f} M" for rate in row[key]] for key in ("rates", "cpu_rates"))
        yield (f"| {row['disk']} | {row['model']} | {row['formats']} | {wall[0]} | {wall[1]} | "
               f"{row['rates'][0] / row['rates'][1]:.2f} | {cpu[0]} | {cpu[1]} | "
               f"{row['cpu_rates'][0] / row['cpu_rates'][1]:.2f} | 0.80 | {row['seconds']:.0f} | "
               f"{row['mebibytes']:.0f} | 4096 |")


def write_results(out, rows):
    about = circumstances()
    text = f"""# A full disk, streamed

{about['machine']}; plume {about['commit']}; `{about['command']}`

Whole processes that read a disk of six bands, {EDGE} x {EDGE} pixels of 1 km, and write its results. Tiles are
{TILE} x {TILE}, one at a time, noise in memory, just before and after. ABI files hold C02 in 21696 x 21696 pixels and
C04 and C06 in 5424 x 5424. Seconds of CPU count on a machine that is shared: others' work makes a process wait, but
costs it few of them. Threads wait passively.

"""
    out.with_suffix(".md").write_text(text + "\n".join(table(rows)) + "\n")
    out.with_suffix(".json").write_text(json.dumps({**about, "measured": rows}, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plume", type=pathlib.Path, default=ROOT / "build" / "bin" / "plume")
    parser.add_argument("--sector", type=pathlib.Path, help="ABI L1b files C01 to C06 of a mesoscale sector")
    parser.add_argument("--model", nargs="+", default=["32"])
    parser.add_argument("--formats", default="tif")
    parser.add_argument("--option", nargs="*", default=[], help="More for plume predict, e.g. tile=1024")
    parser.add_argument("--folder", type=pathlib.Path, help="Where disks are kept from run to run")
    parser.add_argument("--out", type=pathlib.Path)
    arguments = parser.parse_args()
    options = [f"--{option}" for option in arguments.option]
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        kept = arguments.folder or scratch
        disks = {"GeoTIFF": kept / "disk.tif"}
        if not disks["GeoTIFF"].exists():
            write_geotiff(disks["GeoTIFF"])
        if arguments.sector:
            disks["ABI L1b"] = kept / "abi"
            if not disks["ABI L1b"].exists():
                full_disk.write_disk(arguments.sector, disks["ABI L1b"])
        for name in arguments.model:
            model = make_base(scratch / name, int(name)) if name.isdigit() else pathlib.Path(name)
            for disk, path in disks.items():
                before = bench_tiles(arguments.plume, model)
                command = [arguments.plume, "predict", "--model", model, "--input", path, "--output", scratch / "out",
                           "--format", arguments.formats, *options]
                _, seconds, cpu, mebibytes = measured(command)
                after = bench_tiles(arguments.plume, model)
                tiles, cpu_tiles = ((a + b) / 2 for a, b in zip(before, after))
                rows.append({"disk": disk, "model": f"base {name}" if name.isdigit() else model.stem,
                             "formats": arguments.formats, "rates": [EDGE * EDGE / seconds, tiles],
                             "cpu_rates": [EDGE * EDGE / cpu, cpu_tiles], "seconds": seconds, "mebibytes": mebibytes})
                print(*list(table(rows[-1:]))[2:], flush=True)
                if arguments.out:
                    write_results(arguments.out, rows)


if __name__ == "__main__":
    main()
