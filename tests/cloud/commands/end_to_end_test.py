"""A model's whole way on one machine: end_to_end_test.py PLUME PLUME_INFER PLUME_LAMBDA SOURCE [unittest's arguments]

plume trains one model and imports NASA's; each is pushed to Ceph's S3 and deployed on moto. What moto only notes is
done here: the archive that the endpoint's model names is fetched and unpacked, and plume-infer serves it. The function
that `plume cloud api create` has made on moto is run as Lambda would run it, and asked as the tutorial asks. Nothing
that is said, no log and no file, may hold a secret."""
import base64
import contextlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import unittest
import zipfile

import harness
from moto_server import REGION, Moto  # which says that botocore is missing

try:
    import numpy as np
    import tutorial
except ImportError as error:
    print(f"skipped: {error} (python3-numpy, python3-gdal)")
    sys.exit(77)
import aws_fakes
from serving import serving

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "servers"))
import ceph_gateway

ENDPOINT, API, BUCKET = "smoke", "smoke-api", "smoke-dataset-bucket"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/plume-infer:cpu"
QUICK = ("--poll", "0.05", "--timeout", "20")
TRAINING = """
[model]
family = "classic"
bands = 6
base = 8
depth = 2
[train]
steps = 20
batch = 4
crop = 64
validate_every = 20
"""


class Hosting:
    """SageMaker's own part, as moto's endpoint says: a container on the model's archive, and another one when the
    endpoint has another configuration."""

    def __init__(self, plume_infer, sagemaker, s3, folder):
        self.plume_infer, self.sagemaker, self.s3, self.folder = plume_infer, sagemaker, s3, folder
        self.configuration, self.url, self.running = None, None, contextlib.ExitStack()

    def address(self):
        name = self.sagemaker.describe_endpoint(EndpointName=ENDPOINT)["EndpointConfigName"]
        if name != self.configuration:
            self.close()
            (variant,) = self.sagemaker.describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"]
            self.start(self.sagemaker.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"], name)
        return self.url

    def start(self, container, name):
        bucket, key = container["ModelDataUrl"].removeprefix("s3://").split("/", 1)
        archive = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        model = self.folder / "opt" / name
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(model)
        log = self.running.enter_context((self.folder / f"{name}.log").open("w"))
        environment = dict(os.environ, **container.get("Environment", {}))
        self.url = self.running.enter_context(serving(self.plume_infer, model, stderr=log, env=environment))
        self.configuration = name

    def close(self):
        self.running.close()


class EndToEnd(harness.PlumeTest):
    PLUME_INFER = PLUME_LAMBDA = SOURCE = None

    def setUp(self):
        super().setUp()
        self.data = tutorial.Data(self.SOURCE / ".." / "shared" / "data")
        if not self.data.is_there():
            self.skipTest("no NASA models and tiles")
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        moto = Moto(gate=True)
        stack.callback(moto.close)
        self.moto, self.ENDPOINT = moto, moto.url
        harness.ACCESS_KEY, harness.SECRET = moto.key, moto.secret
        self.account = aws_fakes.Account(moto.key, moto.secret, None, REGION)
        # Not among what plume leaves, for Ceph keeps the secret.
        own = self.folder.with_name(f"{self.folder.name}-ceph")
        self.store = stack.enter_context(ceph_gateway.gateway(own, moto.key, moto.secret))
        self.s3 = moto.client("s3", url=self.store)
        self.s3.create_bucket(Bucket=BUCKET)
        self.hosting = Hosting(self.PLUME_INFER, moto.client("sagemaker"), self.s3, self.folder)
        stack.callback(self.hosting.close)
        self.front = aws_fakes.SageMaker(ENDPOINT, aws_fakes.container_at(self.hosting.address), account=self.account)
        self.runtime = aws_fakes.RuntimeApi()

    def environment(self):
        environment = super().environment()
        del environment["AWS_SESSION_TOKEN"]
        return environment | {"AWS_ENDPOINT_URL_S3": self.store,
                              "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": self.front.server.url}

    def train(self):
        tiles, shard, run, config = (self.folder / name for name in ("tiles", "tiles.h5", "run", "config.toml"))
        config.write_text(TRAINING)
        self.plume("data", "synth", "--tiles", "12", "--seed", "1", "-o", tiles)
        self.plume("data", "pack", "--tiles", tiles / "tiles", "--masks", tiles / "masks", "-o", shard)
        self.plume("train", config, "--set", f"data.shard={shard}", "--out", run)
        return run / "best.safetensors", min((tiles / "tiles").iterdir())

    def deploy(self, model):
        pushed = self.plume("cloud", "push", model, f"s3://{BUCKET}/models/").strip()
        self.plume("cloud", "deploy", ENDPOINT, "--model", pushed, "--image", IMAGE, "--instance", "ml.g4dn.xlarge",
                   "--role", self.moto.role("sagemaker"), "--yes", *QUICK)

    def teardown(self):
        self.plume("cloud", "teardown", ENDPOINT, "--all", "--yes", *QUICK)
        self.assertEqual(self.moto.client("sagemaker").list_endpoints()["Endpoints"], [])
        left = self.s3.list_objects_v2(Bucket=BUCKET, Prefix="models/")
        self.assertEqual(left["KeyCount"], 0)

    def create_api(self):
        """The function's settings, as Lambda has them now."""
        archive = self.folder / "plume-lambda.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.write(self.PLUME_LAMBDA, "bootstrap")
        self.plume("cloud", "api", "create", API, "--endpoint", ENDPOINT, "--role", self.moto.role("lambda"),
                   "--function", archive, "--bucket", BUCKET, "--poll", "0.05")
        function = self.moto.client("lambda").get_function(FunctionName=API)["Configuration"]
        self.assertEqual(function["CodeSize"], archive.stat().st_size)
        return function["Environment"]["Variables"]

    @contextlib.contextmanager
    def function(self, settings):
        environment = aws_fakes.environment(self.runtime, self.store, self.front.server.url, self.account, **settings)
        with (self.folder / "function.log").open("w") as log:
            process = subprocess.Popen([self.PLUME_LAMBDA], env=environment, stderr=log, stdout=log)
        try:
            yield
        finally:
            process.kill()
            process.wait()

    def ask(self, event):
        kind, answer = self.runtime.ask(event, 60)
        self.assertEqual(kind, "response", answer)
        return tutorial.probabilities(answer)

    def named(self, key, content_type=None):
        payload = {"bucket": BUCKET, "file_name": key} | ({"content_type": content_type} if content_type else {})
        return tutorial.event(json.dumps(payload))

    def test_from_training_to_the_tutorials_request(self):
        trained, drawn = self.train()
        self.plume("predict", "--model", trained, "--input", drawn, "--output", self.folder / "here", "--format", "npy")
        (here,) = (self.folder / "here").glob("*.npy")
        self.deploy(trained)
        self.s3.put_object(Bucket=BUCKET, Key="drawn.tif", Body=drawn.read_bytes())
        for tile in tutorial.TILES:
            self.s3.put_object(Bucket=BUCKET, Key=f"me/{tile}.npy", Body=tutorial.as_npy(self.data.tile(tile)))
        with self.function(self.create_api()):
            tutorial.check("the trained model", self.ask(self.named("drawn.tif")), np.load(here).squeeze())
            # The same API, and another model behind it; moto knows no UpdateEndpoint.
            self.teardown()
            nasa = self.folder / "nasa.safetensors"
            self.plume("import", "keras", self.data.keras, "-o", nasa)
            self.deploy(nasa)
            for tile in tutorial.TILES:
                expected = self.data.expected(tile)
                tutorial.check(f"{tile} by its name", self.ask(self.named(f"me/{tile}.npy")), expected)
                body = base64.b64encode(self.data.tile(tile).read_bytes()).decode()
                image = tutorial.event(body, "image/tiff; bands=1-6", encoded=True)
                tutorial.check(f"{tile} in the body", self.ask(image), expected)
        self.invoke_from_here()
        self.plume("cloud", "api", "delete", API, "--yes")
        self.teardown()
        for said in self.runtime.said:
            harness.without_secrets(said, "an answer")
        self.look_through_files()

    def invoke_from_here(self):
        tile = tutorial.TILES[0]
        sent, got = self.folder / "tile.npy", self.folder / "answer.json"
        sent.write_bytes(tutorial.as_npy(self.data.tile(tile)))
        self.plume("cloud", "invoke", ENDPOINT, "--in", sent, "--out", got)
        found = np.asarray(json.loads(got.read_text())["predictions"], np.float32).squeeze()
        tutorial.check("plume cloud invoke", found, self.data.expected(tile))


if __name__ == "__main__":
    if (program := ceph_gateway.missing()) is not None:
        print(f"skipped: no {program}: cmake/install_packages.sh cloud")
        sys.exit(77)
    harness.PLUME, EndToEnd.PLUME_INFER, EndToEnd.PLUME_LAMBDA = map(os.path.abspath, sys.argv[1:4])
    EndToEnd.SOURCE = pathlib.Path(sys.argv[4]).resolve()
    unittest.main(argv=[sys.argv[0], *sys.argv[5:]], warnings="ignore")  # botocore leaves sockets to the collector
