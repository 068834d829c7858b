#!/usr/bin/env python3
"""What netCDF4-python and pyproj make of an ABI file: tests/parity/abi.py FILE FOLDER.

Writes arrays of float64, row by row, to FOLDER: radiance and value (reflectance or brightness temperature; NaN where
masked), byte (the reference's scaling, of reflective bands), longitude and latitude (of each pixel's centre, NaN in
space). A fire mask has value, longitude and latitude.
"""

import os
import sys

import netCDF4
import numpy
import pyproj


def masked(file, name):
    """A variable by netCDF4-python's own masking and scaling, in float64 from the packed numbers."""
    variable = file[name]
    packed = numpy.ma.masked_array(variable[:])
    variable.set_auto_scale(False)
    raw = numpy.ma.getdata(variable[:]).astype(numpy.int64)
    if getattr(variable, "_Unsigned", "false") == "true":
        raw &= 0xFFFF
    scale = float(getattr(variable, "scale_factor", 1))
    offset = float(getattr(variable, "add_offset", 0))
    values = raw * scale + offset
    scaled = numpy.ma.getdata(packed).astype(numpy.float64)
    mask = numpy.ma.getmaskarray(packed)
    # float32 arithmetic of the library, and the same in float64, must agree before either is called right.
    assert numpy.allclose(values[~mask], scaled[~mask], rtol=1e-5, atol=1e-5)
    return numpy.where(mask, numpy.nan, values)


def places(file):
    projection = file["goes_imager_projection"]
    height = float(projection.perspective_point_height)
    geos = pyproj.Proj(proj="geos", h=height, lon_0=float(projection.longitude_of_projection_origin),
                       a=float(projection.semi_major_axis), b=float(projection.semi_minor_axis),
                       sweep=projection.sweep_angle_axis)
    axes = []
    for name in ("x", "y"):
        variable = file[name]
        variable.set_auto_scale(False)
        scale = float(getattr(variable, "scale_factor", 1))
        offset = float(getattr(variable, "add_offset", 0))
        axes.append(variable[:].astype(numpy.float64) * scale + offset)
    x, y = numpy.meshgrid(*axes)
    longitude, latitude = geos(x * height, y * height, inverse=True)
    space = ~numpy.isfinite(longitude)
    longitude[space] = latitude[space] = numpy.nan
    return longitude, latitude


def main(path, folder):
    def save(name, values):
        numpy.asarray(values, numpy.float64).tofile(os.path.join(folder, name))

    with netCDF4.Dataset(path) as file:
        for name, values in zip(("longitude", "latitude"), places(file)):
            save(name, values)
        if "Mask" in file.variables:
            save("value", masked(file, "Mask"))
            return
        radiance = masked(file, "Rad")
        file["DQF"].set_auto_mask(False)
        quality = file["DQF"][:].astype(numpy.uint8)
        radiance[quality > 2] = numpy.nan
        save("radiance", radiance)
        if int(file["band_id"][0]) <= 6:
            value = radiance * float(file["kappa0"][()])
            save("byte", numpy.floor(numpy.sqrt(100 * numpy.clip(value, 0, 1)) * 25.5))
        else:
            fk1, fk2, bc1, bc2 = (float(file["planck_" + name][()]) for name in ("fk1", "fk2", "bc1", "bc2"))
            with numpy.errstate(invalid="ignore", divide="ignore"):
                value = (fk2 / numpy.log(fk1 / radiance + 1) - bc1) / bc2
            value[~(radiance > 0)] = numpy.nan
        save("value", value)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
