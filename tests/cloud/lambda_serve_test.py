#!/usr/bin/env python3
"""The tutorial's last chapter: lambda_serve_test.py PLUME PLUME_INFER PLUME_LAMBDA DATA

NASA's model, imported by plume and served by plume-infer, is the endpoint behind the gate of a fake SageMaker;
plume-lambda is asked as the tutorial asks its function, and answers what Keras gave. DATA holds the model, tiles and
what is expected. Exit status 77, with a line that says why: no botocore, numpy or GDAL here, or no data.
"""

import contextlib
import json
import pathlib
import subprocess
import sys
import tempfile


def skip(why):
    print(f"lambda_serve_test.py: {why}")
    sys.exit(77)


sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
from serving import serving

try:
    import aws_fakes
    import tutorial
except ImportError as error:
    skip(f"{error} (python3-botocore, python3-numpy, python3-gdal)")


def main(plume, plume_infer, plume_lambda, data):
    data = tutorial.Data(data)
    if not data.is_there():
        skip("no NASA models and tiles")
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        model = f"{folder}/model.safetensors"
        subprocess.run([plume, "import", "keras", data.keras, "-o", model], check=True, stdout=subprocess.DEVNULL)
        objects = {}
        for tile in tutorial.TILES:
            objects[f"/smoke-dataset-bucket/me/{tile}.npy"] = tutorial.as_npy(data.tile(tile))
            objects[f"/smoke-dataset-bucket/me/{tile}.tif"] = data.tile(tile).read_bytes()
        url = stack.enter_context(serving(plume_infer, model, stderr=subprocess.DEVNULL))
        runtime, s3 = aws_fakes.RuntimeApi(), aws_fakes.S3(objects)
        endpoint = aws_fakes.SageMaker("me-sagemaker-endpoint", aws_fakes.container_at(lambda: url))
        settings = aws_fakes.environment(
            runtime, s3.server.url, endpoint.server.url, ENDPOINT_NAME="me-sagemaker-endpoint"
        )
        function = stack.enter_context(subprocess.Popen([plume_lambda], env=settings, stderr=subprocess.DEVNULL))
        stack.callback(function.kill)

        def infer(**payload):
            """A request as requests.post(URL, json=payload) makes it, behind API Gateway."""
            kind, answer = runtime.ask(tutorial.event(json.dumps(payload)), 30)
            assert kind == "response", answer
            return answer

        for tile in tutorial.TILES:
            by_name = {"file_name": f"me/{tile}.npy"}
            by_type = {"file_name": f"me/{tile}.tif", "content_type": "image/tiff; bands=1-6"}
            for how in (by_name, by_type):
                answer = infer(bucket="smoke-dataset-bucket", **how)
                tutorial.check(how["file_name"], tutorial.probabilities(answer), data.expected(tile))
        # The container's own words reach who asked: this file has seven bands.
        refused = infer(bucket="smoke-dataset-bucket", file_name=f"me/{tutorial.TILES[0]}.tif")
        assert refused["statusCode"] == 422, refused
        assert "bands" in json.loads(refused["body"])["detail"], refused


if __name__ == "__main__":
    main(*sys.argv[1:])
