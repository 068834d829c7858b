"""plume cloud ... against moto, which verifies signatures and which nobody here wrote.
Usage: moto_test.py PLUME [unittest's arguments]"""
import json
import os
import sys
import unittest
import zipfile

import harness
from harness import PlumeTest
from moto_server import Moto  # which says that botocore is missing

import botocore.exceptions

# Older than what a user would take: moto has a list of its own.
INSTANCE = "ml.g4dn.xlarge"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/plume-infer:cpu"
QUICK = ("--poll", "0.05", "--timeout", "20")


class MotoTest(PlumeTest):
    GATE = False

    @classmethod
    def setUpClass(cls):
        cls.moto = Moto(cls.GATE)
        cls.addClassCleanup(cls.moto.close)
        cls.ENDPOINT = cls.moto.url
        harness.ACCESS_KEY, harness.SECRET = cls.moto.key, cls.moto.secret
        cls.sagemaker = cls.moto.client("sagemaker")
        cls.moto.client("s3").create_bucket(Bucket="bucket")
        cls.role, cls.lambda_role = map(cls.moto.role, ("sagemaker", "lambda"))

    def environment(self):
        environment = super().environment()
        del environment["AWS_SESSION_TOKEN"]
        return environment

    def push(self):
        path = self.folder / "model.tar.gz"
        path.write_bytes(os.urandom(100_000))
        return self.plume("cloud", "push", path, "s3://bucket/models/").strip()

    def deploy(self, name, model, *options, code=0, env=None):
        return self.plume("cloud", "deploy", name, "--model", model, "--image", IMAGE, "--role", self.role,
                          "--instance", INSTANCE, "--yes", *QUICK, *options, code=code, env=env)

    def teardown(self, name, model):
        self.plume("cloud", "teardown", name, "--all", "--yes", *QUICK)
        self.assertEqual(self.sagemaker.list_endpoints()["Endpoints"], [])
        self.assertEqual(self.sagemaker.list_endpoint_configs()["EndpointConfigs"], [])
        self.assertEqual(self.sagemaker.list_models()["Models"], [])
        key = model.removeprefix("s3://bucket/")
        with self.assertRaisesRegex(botocore.exceptions.ClientError, "404"):
            self.moto.client("s3").head_object(Bucket="bucket", Key=key)

    def function(self):
        path = self.folder / "plume-lambda.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("bootstrap", b"program")
        return path

    def create_api(self, *options, code=0, role=None):
        return self.plume("cloud", "api", "create", "smoke-api", "--endpoint", "asked",
                          "--role", role or self.lambda_role, "--function", self.function(), "--poll", "0.05",
                          *options, code=code)


class Checking(MotoTest):
    def test_a_models_whole_life(self):
        model = self.push()
        self.assertEqual(self.push_again(), model)
        out = self.deploy("smoke", model)
        self.assertIn("0.74 $/h", out)
        state = self.sagemaker.describe_endpoint(EndpointName="smoke")
        self.assertEqual(state["EndpointStatus"], "InService")
        config = self.sagemaker.describe_endpoint_config(EndpointConfigName=state["EndpointConfigName"])
        name = config["ProductionVariants"][0]["ModelName"]
        self.assertEqual(self.sagemaker.describe_model(ModelName=name)["PrimaryContainer"]["ModelDataUrl"], model)
        self.assertIn("InService", self.plume("cloud", "status", "smoke"))
        self.assertIn("smoke", self.plume("cloud", "list", "--mine"))
        self.assertIn("unchanged", self.deploy("smoke", model))
        tile = self.folder / "tile.npy"
        tile.write_bytes(b"tile")
        self.assertEqual(self.plume("cloud", "invoke", "smoke", "--in", tile), "body")
        self.teardown("smoke", model)

    def push_again(self):
        return self.plume("cloud", "push", self.folder / "model.tar.gz", "s3://bucket/models/").strip()

    def test_serverless(self):
        model = self.push()
        self.deploy("idle", model, "--serverless", "2048,3")
        config = self.sagemaker.describe_endpoint(EndpointName="idle")["EndpointConfigName"]
        variant = self.sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0]
        self.assertEqual(variant["ServerlessConfig"]["MemorySizeInMB"], 2048)
        self.teardown("idle", model)

    def test_autoscaling(self):
        model = self.push()
        self.deploy("busy", model, "--autoscale", "1,3,200")
        scaling = self.moto.client("application-autoscaling")
        (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        self.assertEqual((target["ResourceId"], target["MaxCapacity"]), ("endpoint/busy/variant/plume", 3))
        (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
        self.assertEqual(policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"], 200)
        self.teardown("busy", model)
        self.assertEqual(scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"], [])

    def test_refusals(self):
        wrong = {"AWS_SECRET_ACCESS_KEY": "wrong"}
        self.plume("cloud", "status", "smoke", env=wrong, code=3)
        self.assertIn("SignatureDoesNotMatch", self.errors)
        self.assertEqual(self.errors.count("\n"), 1)
        self.plume("cloud", "status", "absent", code=4)
        model = self.push()
        self.plume("cloud", "deploy", "bad", "--model", model, "--image", IMAGE, "--role", self.role, "--yes",
                   "--instance", "ml.none.xlarge", *QUICK, code=2)
        self.assertEqual(self.sagemaker.list_models()["Models"], [])  # rolled back

    def test_doctor(self):
        out = self.plume("cloud", "doctor", "--role", self.role)
        self.assertEqual([line.split()[1] for line in out.splitlines()], ["ok"] * 6)
        self.assertIn(":user/tester", out)

    def test_dry_run_sends_nothing(self):
        before = self.moto.said().count("HTTP/1.1")
        self.deploy("dry", "s3://bucket/m/model.tar.gz", "--dry-run")
        self.assertIn("CreateIntegration", self.create_api("--dry-run"))
        self.assertEqual(self.moto.said().count("HTTP/1.1"), before)
        self.assertGreater(before, 0)


class BehindGate(MotoTest):
    GATE = True

    def test_async(self):
        model = self.push()
        self.deploy("queue", model, "--async", "s3://bucket/out/")
        self.moto.client("s3").put_object(Bucket="bucket", Key="in.npy", Body=b"tile")
        out = self.folder / "answer"
        self.plume("cloud", "invoke", "queue", "--in", "s3://bucket/in.npy", "--async", "--out", out, *QUICK)
        self.assertTrue(out.read_bytes())
        self.moto.client("s3").delete_object(Bucket="bucket", Key="in.npy")
        self.teardown("queue", model)

    def test_api(self):
        model = self.push()
        self.create_api(code=4)
        self.assertIn("endpoint asked does not exist", self.errors)
        self.deploy("asked", model)
        self.create_api(role=self.role, code=2)
        self.assertIn("lambda.amazonaws.com", self.errors)
        lines = self.create_api("--bucket", "images", "--tag", "team=fire").splitlines()
        self.assertRegex(lines[0], r"^https?://.*/predict$")
        self.assertTrue(lines[1].startswith("curl ") and lines[1].endswith(lines[0]))

        function = self.moto.client("lambda").get_function(FunctionName="smoke-api")
        self.assertEqual(function["Configuration"]["Environment"]["Variables"],
                         {"ENDPOINT_NAME": "asked", "PLUME_BUCKET": "images"})
        self.assertEqual(function["Configuration"]["CodeSize"], self.function().stat().st_size)
        self.assertRegex(function["Tags"].pop("plume-run"), "^[0-9TZ]+-[0-9a-f]{8}$")
        self.assertEqual(function["Tags"], {"team": "fire", "plume-endpoint": "asked"})
        gateway = self.moto.client("apigatewayv2")
        (api,) = gateway.get_apis()["Items"]
        (integration,) = gateway.get_integrations(ApiId=api["ApiId"])["Items"]
        self.assertEqual(integration["IntegrationUri"], function["Configuration"]["FunctionArn"])
        (route,) = gateway.get_routes(ApiId=api["ApiId"])["Items"]
        self.assertEqual((route["RouteKey"], route["Target"]),
                         ("POST /predict", "integrations/" + integration["IntegrationId"]))
        (stage,) = gateway.get_stages(ApiId=api["ApiId"])["Items"]
        self.assertEqual((stage["StageName"], stage["AutoDeploy"]), ("$default", True))
        policy = json.loads(self.moto.client("lambda").get_policy(FunctionName="smoke-api")["Policy"])
        self.assertIn(f":{api['ApiId']}/*/*/predict", json.dumps(policy))
        logs = self.moto.client("logs")
        (group,) = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/smoke-api")["logGroups"]
        self.assertEqual(group["retentionInDays"], 14)

        self.create_api(code=5)
        self.plume("cloud", "api", "delete", "smoke-api", "--yes")
        self.assertEqual(gateway.get_apis()["Items"], [])
        self.assertEqual(self.moto.client("lambda").list_functions()["Functions"], [])
        self.assertEqual(logs.describe_log_groups(logGroupNamePrefix="/aws/lambda")["logGroups"], [])
        self.plume("cloud", "api", "delete", "smoke-api", "--yes", code=4)

        gateway.create_api(Name="smoke-api", ProtocolType="HTTP")  # not plume's
        self.plume("cloud", "api", "delete", "smoke-api", "--yes", code=5)
        self.assertIn("plume did not make it", self.errors)
        self.assertEqual(len(gateway.get_apis()["Items"]), 1)
        self.plume("cloud", "api", "delete", "smoke-api", "--yes", "--foreign")
        self.assertEqual(gateway.get_apis()["Items"], [])
        self.teardown("asked", model)

    def test_wrong_secret(self):
        self.plume("cloud", "api", "delete", "smoke-api", "--yes", env={"AWS_SECRET_ACCESS_KEY": "wrong"}, code=3)


if __name__ == "__main__":
    harness.PLUME = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], warnings="ignore")  # botocore leaves sockets to the collector
