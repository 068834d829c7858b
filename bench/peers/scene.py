#!/usr/bin/env python3
"""A full disk of six bands predicted by plume: pixels a second beside those of single tiles, and memory.

    build/bin/plume must be built (release)
    /usr/bin/python3 bench/peers/scene.py --sector ABI_FOLDER --model MODEL... --out bench/results/scene

The disk is 10848 x 10848 pixels of 1 km: a GeoTIFF of bytes, and ABI L1b files made of a sector's (full_disk.py), whose C02 has
21696 x 21696 pixels. A model is a file, or the base of a classic U-Net with random weights. Before and after each disk, `plume
bench infer` says what tiles of 256 x 256 take, one at a time. Results are OUT.md and OUT.json. Needs numpy, netCDF4 and GDAL's
Python package, for a base also torch; 4 GB of disk.
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


def bench_tiles(plume, model):
    """Pixels a second."""
    command = [plume, "bench", "infer", "--model", model, "--size", str(TILE), "--batch", "1", "--repeats", "30", "--json"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["images_per_second"] * TILE * TILE


def predict(plume, model, disk, formats, folder, options):
    """Seconds and mebibytes of the process."""
    command = [plume, "predict", "--model", model, "--input", disk, "--output", folder, "--format", formats, *options]
    started = time.monotonic()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(map(str, command))} failed")
    return time.monotonic() - started, usage.ru_maxrss / 1024


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


def table(measured):
    yield "| disk | model | written | pixels/s | tiles, pixels/s | ratio | asked | s | memory, MiB | asked |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for row in measured:
        yield (f"| {row['disk']} | {row['model']} | {row['formats']} | {row['pixels_per_second'] / 1e6:.2f} M | "
               f"{row['tile_pixels_per_second'] / 1e6:.2f} M | {row['ratio']:.2f} | 0.80 | {row['seconds']:.0f} | "
               f"{row['mebibytes']:.0f} | 4096 |")


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
    measured = []
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
                seconds, mebibytes = predict(arguments.plume, model, path, arguments.formats, scratch / "out", options)
                tiles = (before + bench_tiles(arguments.plume, model)) / 2
                rate = EDGE * EDGE / seconds
                measured.append({"disk": disk, "model": f"base {name}" if name.isdigit() else model.stem,
                                 "formats": arguments.formats, "pixels_per_second": rate,
                                 "tile_pixels_per_second": tiles, "ratio": rate / tiles, "seconds": seconds,
                                 "mebibytes": mebibytes})
                print(*list(table(measured[-1:]))[2:], flush=True)
    if not arguments.out:
        return
    about = circumstances()
    lines = ["# A full disk, streamed", "",
             f"{about['machine']}; plume {about['commit']}; `{about['command']}`", "",
             f"Whole processes that read a disk of six bands, {EDGE} x {EDGE} pixels of 1 km, and write its results. Tiles are "
             f"{TILE} x {TILE}, one at a time,", "noise in memory, just before and after. ABI files hold C02 in "
             "21696 x 21696 pixels and C04 and C06 in 5424 x 5424.", "", *table(measured)]
    arguments.out.with_suffix(".md").write_text("\n".join(lines) + "\n")
    arguments.out.with_suffix(".json").write_text(json.dumps({**about, "measured": measured}, indent=1) + "\n")


if __name__ == "__main__":
    main()
