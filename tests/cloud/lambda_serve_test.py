#!/usr/bin/env python3
"""The tutorial's last chapter, end to end: lambda_serve_test.py PLUME PLUME_INFER PLUME_LAMBDA DATA

NASA's model, imported by plume and served by plume-infer, is the endpoint behind the gate of a fake SageMaker; plume-lambda
is asked as the tutorial asks its function, and answers what Keras gave. DATA holds the model, tiles and what is expected.
Exit status 77, with a line that says why: no botocore, numpy or GDAL here, or no data.
"""

import contextlib
import io
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request


def skip(why):
    print(f"lambda_serve_test.py: {why}")
    sys.exit(77)


try:
    import aws_fakes
    import numpy as np
    from osgeo import gdal
except ImportError as error:
    skip(f"{error} (python3-botocore, python3-numpy, python3-gdal)")

MODEL = "smoke_wmts_ref_3layer"
TILES = ["48_19", "50_21"]
TOLERANCE = 1e-4


@contextlib.contextmanager
def serving(plume_infer, model):
    """The address of plume-infer serve, once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([plume_infer, "serve", model, "--port", str(port)], stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(500):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/ping") as reply:
                if reply.status == 200:
                    break
            time.sleep(0.02)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=40)


def behind_sagemaker(url):
    """What SageMaker does with a request that it has let in: the container's refusals come back as ModelError."""

    def answer(request):
        headers = {name: request.headers[name] for name in ("Content-Type", "Accept") if name in request.headers}
        onward = urllib.request.Request(f"{url}/invocations", request.body, headers)
        try:
            with urllib.request.urlopen(onward) as reply:
                return request.reply(200, reply.read(), {"Content-Type": reply.headers["Content-Type"]})
        except urllib.error.HTTPError as refusal:
            body = {"OriginalStatusCode": refusal.code, "OriginalMessage": refusal.read().decode(), "Message": "see there"}
            return request.reply(424, json.dumps(body), {"x-amzn-ErrorType": "ModelError"})

    return answer


def as_npy(tile):
    """The first six bands, [256, 256, 6]: what the tutorial saves."""
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(gdal.Open(str(tile)).ReadAsArray()[:6].transpose(1, 2, 0)))
    return file.getvalue()


def main(plume, plume_infer, plume_lambda, data):
    data = pathlib.Path(data)
    models, tiles = data / "pixel_detector", data / "goes16_tiles" / "original_float32"
    if not models.exists() or not tiles.exists():
        skip(f"no NASA models and tiles at {data}")
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        model = f"{folder}/model.safetensors"
        subprocess.run(
            [plume, "import", "keras", models / f"{MODEL}.h5", "-o", model], check=True, stdout=subprocess.DEVNULL
        )
        objects = {}
        for tile in TILES:
            file = tiles / f"OR_ABI-L1b-RadF-M6_G16_s20212642250204_{tile}.tif"
            objects[f"/smoke-dataset-bucket/me/{tile}.npy"] = as_npy(file)
            objects[f"/smoke-dataset-bucket/me/{tile}.tif"] = file.read_bytes()
        url = stack.enter_context(serving(plume_infer, model))
        runtime, s3 = aws_fakes.RuntimeApi(), aws_fakes.S3(objects)
        endpoint = aws_fakes.SageMaker("me-sagemaker-endpoint", behind_sagemaker(url))
        settings = aws_fakes.environment(runtime, s3, endpoint, ENDPOINT_NAME="me-sagemaker-endpoint")
        function = stack.enter_context(subprocess.Popen([plume_lambda], env=settings, stderr=subprocess.DEVNULL))
        stack.callback(function.kill)

        def infer(**payload):
            """A request as requests.post(URL, json=payload) makes it, behind API Gateway."""
            event = {"httpMethod": "POST", "path": "/", "headers": {"Content-Type": "application/json"}}
            event |= {"body": json.dumps(payload), "isBase64Encoded": False}
            kind, answer = runtime.ask(event, 30)
            assert kind == "response", answer
            return answer

        for tile in TILES:
            expected = np.load(models / "expected" / f"{MODEL}__{tile}.npy").reshape(256, 256)
            for how in ({"file_name": f"me/{tile}.npy"}, {"file_name": f"me/{tile}.tif", "content_type": "image/tiff; bands=1-6"}):
                answer = infer(bucket="smoke-dataset-bucket", **how)
                assert answer["statusCode"] == 200, answer
                assert answer["headers"]["Content-Type"].startswith("application/json"), answer["headers"]
                predictions = np.asarray(json.loads(answer["body"])["predictions"], np.float32)
                assert predictions.shape == (1, 256, 256, 1), predictions.shape
                difference = float(abs(predictions.reshape(256, 256) - expected).max())
                print(f"{how['file_name']}: {difference:.2g} from what Keras gave")
                assert difference <= TOLERANCE, difference
        # The container's own words reach who asked: this file has seven bands.
        refused = infer(bucket="smoke-dataset-bucket", file_name=f"me/{TILES[0]}.tif")
        assert refused["statusCode"] == 422, refused
        assert "bands" in json.loads(refused["body"])["detail"], refused


if __name__ == "__main__":
    main(*sys.argv[1:])
