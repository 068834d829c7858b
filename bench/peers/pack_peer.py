"""What plume data pack --abi --hms does, by netCDF4 and rasterio: a process of pack.py; prints its seconds as JSON.

    VENV/bin/python bench/peers/pack_peer.py ABI HMS TILES.json OUT [--workers 2]

TILES.json: [[scene's start, name, geotransform], ...] of the tiles to cut. Writes OUT/images.npy [N, 256, 256, 6] u8
and OUT/labels.npy [N, 256, 256] u8. A band is read once a scene and warped tile by tile, by GDAL's warper: the mean
where a tile's pixels are larger than the band's, else bilinear. A worker takes a scene at a time.
"""
import argparse
import datetime
import functools
import json
import multiprocessing
import pathlib
import time

import fiona
import netCDF4
import numpy as np
import rasterio.features
import rasterio.warp
from rasterio.transform import Affine

BANDS, EDGE, IGNORED = 6, 256, 255
NONE = -1.0  # not measured


def read_band(path):
    """Reflectance [height, width], its transform and its projection."""
    with netCDF4.Dataset(path) as file:
        radiance = file["Rad"][:]
        values = np.ma.filled(radiance.astype(np.float32) * np.float32(file["kappa0"][:]), NONE)
        values[file["DQF"][:].filled(255) > 2] = NONE
        projection = file["goes_imager_projection"]
        height = projection.perspective_point_height
        x, y = (np.asarray(file[axis][:], np.float64) * height for axis in ("x", "y"))
        crs = (f"+proj=geos +sweep=x +lon_0={projection.longitude_of_projection_origin} +h={height} "
               f"+a={projection.semi_major_axis} +b={projection.semi_minor_axis} +units=m")
    step_x, step_y = (x[-1] - x[0]) / (len(x) - 1), (y[-1] - y[0]) / (len(y) - 1)
    return values, Affine(step_x, 0, x[0] - step_x / 2, 0, step_y, y[0] - step_y / 2), crs


def warp(band, transform):
    values, from_transform, crs = band
    degree = 111e3  # metres
    shrinks = transform.a * degree > from_transform.a
    resampling = rasterio.warp.Resampling.average if shrinks else rasterio.warp.Resampling.bilinear
    tile = np.empty((EDGE, EDGE), np.float32)
    rasterio.warp.reproject(values, tile, src_transform=from_transform, src_crs=crs, src_nodata=NONE,
                            dst_transform=transform, dst_crs="EPSG:4326", dst_nodata=NONE, resampling=resampling)
    return tile


def parse_time(text):
    return datetime.datetime.strptime(text, "%Y%j %H%M")


def smoke_at(hms, moment):
    """Outlines of the smoke that was seen at a moment."""
    shapes = []
    for path in sorted(hms.iterdir()):
        if path.suffix not in (".shp", ".geojson"):
            continue
        with fiona.open(path) as features:
            shapes += [(feature["geometry"], 1) for feature in features
                       if parse_time(feature["properties"]["Start"]) <= moment <=
                       parse_time(feature["properties"]["End"])]
    return shapes


def pack_scene(abi, hms, scene):
    """[tiles, 256, 256, 6] bytes and [tiles, 256, 256] labels."""
    start, tiles = scene
    paths = [next(abi.glob(f"OR_ABI-L1b-Rad*C{band:02}_*_s{start[:13]}*.nc")) for band in range(1, BANDS + 1)]
    transforms = [Affine.from_gdal(*transform) for transform in tiles]
    images = np.zeros((len(tiles), EDGE, EDGE, BANDS), np.uint8)
    measured = np.ones((len(tiles), EDGE, EDGE), bool)
    for index, path in enumerate(paths):  # a band at a time, to hold one
        band = read_band(path)
        for tile, transform in enumerate(transforms):
            values = warp(band, transform)
            measured[tile] &= values != NONE
            images[tile, ..., index] = np.floor(np.sqrt(100 * np.clip(values, 0, 1)) * 25.5)
    images[~measured] = 0
    shapes = smoke_at(hms, datetime.datetime.strptime(start[:13], "%Y%j%H%M%S"))
    labels = np.zeros((len(tiles), EDGE, EDGE), np.uint8)
    for tile, transform in enumerate(transforms):
        if shapes:
            rasterio.features.rasterize(shapes, out=labels[tile], transform=transform)
    labels[~measured] = IGNORED
    return images, labels


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("abi", "hms", "tiles", "out"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    start = time.perf_counter()
    scenes = {}
    for moment, _, transform in json.loads(options.tiles.read_text()):
        scenes.setdefault(moment, []).append(transform)
    work = functools.partial(pack_scene, options.abi, options.hms)
    if options.workers > 1:
        with multiprocessing.Pool(options.workers) as pool:
            packed = pool.map(work, scenes.items(), chunksize=1)
    else:
        packed = [work(scene) for scene in scenes.items()]
    for name, parts in zip(("images", "labels"), zip(*packed)):
        np.save(options.out / f"{name}.npy", np.concatenate(parts))
    print(json.dumps({"seconds": time.perf_counter() - start, "library": f"netCDF4 {netCDF4.__version__}, "
                      f"rasterio {rasterio.__version__} with GDAL {rasterio.__gdal_version__}"}))


if __name__ == "__main__":
    main()
