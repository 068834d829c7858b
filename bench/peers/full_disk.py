"""A full disk of GOES-R's imager at its real size, drawn from files of a smaller sector.

    python3 bench/peers/full_disk.py SECTOR_FOLDER OUT_FOLDER    # ABI L1b files C01 to C06, as NOAA names them

The sector's counts are repeated over the disk, so chunks compress as real ones do; projection, calibration and packing
stay the files' own. Needs numpy and netCDF4.
"""
import argparse
import pathlib

import netCDF4
import numpy as np

STEPS = {1: 28, 2: 14, 3: 28, 4: 56, 5: 28, 6: 56}  # microradians of a pixel
EXTENT = 10848 * 28e-6  # radians
CHUNK = 226  # rows and columns, as in NOAA's files


def repeat(image, size):
    """Mirrored at each border, so that no edge shows that a real scene would not have."""
    tile = np.concatenate([image, image[::-1]], 0)
    tile = np.concatenate([tile, tile[:, ::-1]], 1)
    times = -(-size // min(tile.shape))
    return np.tile(tile, (times, times))[:size, :size]


def copy_attributes(source, target):
    target.setncatts({name: source.getncattr(name) for name in source.ncattrs() if name != "_FillValue"})


def write_axis(target, name, size, step):
    direction = 1 if name == "x" else -1
    axis = target.createVariable(name, "i2", (name,))
    axis.setncatts({"scale_factor": np.float32(direction * step), "units": "rad",
                    "add_offset": np.float32(direction * (step / 2 - EXTENT / 2))})
    axis.set_auto_scale(False)
    axis[:] = np.arange(size, dtype="i2")


def write_band(source_path, target_path, channel):
    step = STEPS[channel] * 1e-6
    size = round(EXTENT / step)
    with netCDF4.Dataset(source_path) as source, netCDF4.Dataset(target_path, "w") as target:
        copy_attributes(source, target)
        for name, dimension in source.dimensions.items():
            target.createDimension(name, size if name in ("x", "y") else len(dimension))
        for name, variable in source.variables.items():
            variable.set_auto_maskandscale(False)
            if name in ("x", "y"):
                write_axis(target, name, size, step)
            elif variable.dimensions == ("y", "x"):
                image = target.createVariable(name, variable.dtype, ("y", "x"), zlib=True, complevel=1,
                                              chunksizes=(CHUNK, CHUNK), fill_value=variable._FillValue)
                image.set_auto_maskandscale(False)
                copy_attributes(variable, image)
                image[:] = repeat(variable[:], size)
            else:
                small = target.createVariable(name, variable.dtype, variable.dimensions)
                small.set_auto_maskandscale(False)
                copy_attributes(variable, small)
                small[...] = variable[...]


def write_disk(sector, out):
    out.mkdir(parents=True)
    for channel in STEPS:
        source = sorted(sector.glob(f"OR_ABI-L1b-RadM?-M?C{channel:02}_*.nc"))[0]
        mesoscale = source.name.split("-")[2]
        write_band(source, out / source.name.replace(mesoscale, "RadF"), channel)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sector", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    arguments = parser.parse_args()
    write_disk(arguments.sector, arguments.out)


if __name__ == "__main__":
    main()
