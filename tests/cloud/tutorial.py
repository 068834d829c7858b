"""What NASA-IMPACT's tutorial asks its API, and the answer it should get, by NASA's model and tiles."""

import io
import json
import pathlib

import numpy as np
from osgeo import gdal

gdal.UseExceptions()
MODEL = "smoke_wmts_ref_3layer"
TILES = ["48_19", "50_21"]
TOLERANCE = 1e-4


class Data:
    def __init__(self, folder):
        self.models = pathlib.Path(folder) / "pixel_detector"
        self.tiles = pathlib.Path(folder) / "goes16_tiles" / "original_float32"

    def is_there(self):
        return self.models.exists() and self.tiles.exists()

    @property
    def keras(self):
        return self.models / f"{MODEL}.h5"

    def tile(self, name):
        return self.tiles / f"OR_ABI-L1b-RadF-M6_G16_s20212642250204_{name}.tif"

    def expected(self, name):
        """What Keras gave, [256, 256]."""
        return np.load(self.models / "expected" / f"{MODEL}__{name}.npy").reshape(256, 256)


def as_npy(tile):
    """The first six bands, [rows, columns, 6]: what the tutorial saves."""
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(gdal.Open(str(tile)).ReadAsArray()[:6].transpose(1, 2, 0)))
    return file.getvalue()


def event(body, content_type="application/json", encoded=False):
    """What API Gateway hands over of requests.post(URL, data=body)."""
    headers = {"Content-Type": content_type}
    return {"httpMethod": "POST", "path": "/", "headers": headers, "body": body, "isBase64Encoded": encoded}


def probabilities(answer):
    """Of a function's answer in JSON, [rows, columns]."""
    assert answer["statusCode"] == 200, answer
    assert answer["headers"]["Content-Type"].startswith("application/json"), answer["headers"]
    predictions = np.asarray(json.loads(answer["body"])["predictions"], np.float32)
    assert predictions.ndim == 4 and predictions.shape[0] == predictions.shape[3] == 1, predictions.shape
    return predictions[0, :, :, 0]


def check(what, found, expected):
    assert found.shape == expected.shape, (found.shape, expected.shape)
    difference = float(abs(found - expected).max())
    print(f"{what}: {difference:.2g} from what was expected")
    assert difference <= TOLERANCE, difference
