"""What tests against the scripted fake share."""
import os
import sys
import threading
import unittest

try:
    import botocore  # noqa: F401
except ImportError:
    print("skipped: python3-botocore is not installed, so nobody could verify signatures")
    sys.exit(77)

import harness
import fake_aws

ROLE = "arn:aws:iam::123456789012:role/sagemaker"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/plume-infer:cpu"
MODEL = "s3://bucket/models/sha256-00/model.tar.gz"
QUICK = ("--poll", "0.01", "--timeout", "20")


class FakeTest(harness.PlumeTest):
    MODELS = None

    def setUp(self):
        super().setUp()
        self.aws = fake_aws.FakeAws({harness.ACCESS_KEY: (harness.SECRET, harness.TOKEN)}, self.MODELS)
        self.addCleanup(self.aws.close)
        self.ENDPOINT = self.aws.url
        self.aws.objects["bucket/models/sha256-00/model.tar.gz"] = (b"archive", {})
        self.addCleanup(lambda: self.assertEqual(self.aws.violations, []))

    def deploy(self, *options, name="smoke", code=0, model=MODEL, yes=True, env=None, timing=QUICK, role=ROLE):
        return self.plume("cloud", "deploy", name, "--model", model, "--image", IMAGE, "--role", role, *timing,
                          *(["--yes"] if yes else []), *options, code=code, env=env)

    def teardown(self, *options, name="smoke", code=0):
        return self.plume("cloud", "teardown", name, "--yes", *QUICK, *options, code=code)

    def nothing_is_left(self):
        self.assertEqual((self.aws.models, self.aws.configs, self.aws.endpoints), ({}, {}, {}))


def main():
    """The arguments: PLUME MODEL_FOLDER [unittest's]"""
    harness.PLUME = os.path.abspath(sys.argv[1])
    FakeTest.MODELS = sys.argv[2]
    threading.excepthook = lambda *_: None  # of connections that a killed client leaves
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
