"""The other plume cloud commands against the scripted fake, and secrets in all that they say.
Usage: commands_test.py PLUME MODEL_FOLDER [unittest's arguments]"""
import base64
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import threading
import urllib.parse

import fake_test
import harness
import fake_aws
import aws_fakes
import cores
from fake_test import IMAGE, MODEL, QUICK, ROLE, FakeTest


class Look(FakeTest):
    def test_status_and_list(self):
        self.deploy("--instance", "ml.g5.xlarge", "--count", "2")
        self.deploy("--serverless", "1024,1", name="idle")
        self.deploy(name="third")
        self.assertIn("smoke: InService, 2 x ml.g5.xlarge", self.plume("cloud", "status", "smoke"))
        status = json.loads(self.plume("cloud", "status", "smoke", "--json"))
        self.assertEqual((status["status"], status["cost_per_hour"]), ("InService", 2.816))
        self.plume("cloud", "status", "none", code=4)
        self.aws.endpoints["third"]["Tags"] = []
        names = [json.loads(line)["endpoint"] for line in self.plume("cloud", "list", "--json").splitlines()]
        self.assertEqual(names, ["idle", "smoke", "third"])  # from two pages
        self.assertEqual(len(self.plume("cloud", "list", "--mine").splitlines()), 2)
        self.assertEqual(len(self.plume("cloud", "list", "--contains", "smo").splitlines()), 1)

    def test_logs(self):
        self.aws.lines["/aws/sagemaker/Endpoints/smoke"] = [f"line {i}" for i in range(80)]
        lines = self.plume("cloud", "logs", "smoke", "--lines", "3").splitlines()
        self.assertEqual([line.split(" ", 1)[1] for line in lines], ["line 77", "line 78", "line 79"])
        self.assertEqual(self.plume("cloud", "logs", "none"), "")

    def test_logs_follow(self):
        group = "/aws/sagemaker/Endpoints/smoke"
        self.aws.lines[group] = ["one", "two"]
        process = subprocess.Popen(self.command("cloud", "logs", "smoke", "--follow", "--poll", "0.05"),
                                   env=self.environment(), stdout=subprocess.PIPE, text=True)
        said = [process.stdout.readline() for _ in range(2)]
        self.aws.lines[group].append("three")
        said.append(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        said.append(process.communicate(timeout=20)[0])
        self.assertEqual([line.split(" ", 1)[-1].strip() for line in said], ["one", "two", "three", ""])

    def test_doctor(self):
        out = self.plume("cloud", "doctor", "--role", ROLE, "--image", IMAGE, "--model", MODEL)
        self.assertEqual([line.split()[1] for line in out.splitlines()], ["ok"] * 8)
        self.assertIn("key ...TEST of environment", out)
        self.assertIn("arn:aws:iam::123456789012:user/tester", out)
        other = ROLE.replace("/sagemaker", "/other")
        out = self.plume("cloud", "doctor", "--role", other, "--image", IMAGE.replace("infer", "none"), code=2)
        self.assertEqual([line.split()[1] for line in out.splitlines()][-2:], ["BAD", "BAD"])
        out = self.plume("cloud", "doctor", env={"AWS_SECRET_ACCESS_KEY": "wrong"}, code=3)
        self.assertIn("SignatureDoesNotMatch", out)

    def test_without_keys(self):
        self.plume("cloud", "status", "smoke", code=3,
                   env={"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": ""})
        self.assertIn("no credentials", self.errors)
        self.plume("cloud", "status", "smoke", code=2, env={"AWS_REGION": ""})
        self.assertIn("--region", self.errors)


    def test_answers_that_are_none(self):
        for answer in ("x", [1], {"Endpoints": 1}, {"Endpoints": [1]}, {"Endpoints": [], "NextToken": 1}):
            self.aws.ListEndpoints = lambda answer=answer, **_: answer
            code = 0 if answer == {"Endpoints": [], "NextToken": 1} else 7
            self.plume("cloud", "list", code=code)
            self.assertNotIn("internal", self.errors)


class Invoke(FakeTest):
    def setUp(self):
        super().setUp()
        self.deploy()
        self.tile = self.folder / "tile.npy"
        self.tile.write_bytes(os.urandom(70_000))

    def test_hands_body_and_answer_through(self):
        mask = os.urandom(1000)
        self.aws.answer = lambda name, headers, body: (200, {"Content-Type": "image/png"}, mask)
        out = self.folder / "mask.png"
        self.plume("cloud", "invoke", "smoke", "--in", self.tile, "--accept", "image/png", "--out", out)
        self.assertEqual(out.read_bytes(), mask)
        (sent,) = self.aws.inputs("invocations")
        self.assertEqual(sent["body"], self.tile.read_bytes())
        self.assertEqual((sent["headers"]["Content-Type"], sent["headers"]["Accept"]),
                         ("application/x-npy", "image/png"))

    def test_many(self):
        out = self.plume("cloud", "invoke", "smoke", "--in", self.tile, "--repeat", "20", "--concurrency", "4",
                         "--json", "--out", self.folder / "answer.json")
        self.assertEqual(json.loads(out)["requests"], 20)
        self.assertEqual(len(self.aws.inputs("invocations")), 20)

    def test_the_models_own_error(self):
        reply = {"Message": 'Received client error (400) from primary with message "other bands than the model\'s"',
                 "OriginalStatusCode": 400}
        self.aws.answer = lambda *_: (424, {"x-amzn-ErrorType": "ModelError", "Content-Type": "application/json"},
                                      json.dumps(reply).encode())
        self.plume("cloud", "invoke", "smoke", "--in", self.tile, code=7)
        self.assertIn("other bands than the model's", self.errors)
        self.assertEqual(len(self.aws.inputs("invocations")), 1)

    def test_not_ready_is_tried_again(self):
        answers = [(429, {"x-amzn-ErrorType": "ModelNotReadyException"}, b'{"Message": "loading"}'),
                   (200, {"Content-Type": "application/json"}, b"{}")]
        self.aws.answer = lambda *_: answers.pop(0)
        self.assertEqual(self.plume("cloud", "invoke", "smoke", "--in", self.tile), "{}")

    def test_refused(self):
        self.plume("cloud", "invoke", "none", "--in", self.tile, code=4)
        large = self.folder / "large.npy"
        large.write_bytes(bytes(7 << 20))
        self.plume("cloud", "invoke", "smoke", "--in", large, code=2)
        self.assertIn("--async", self.errors)
        self.plume("cloud", "invoke", "smoke", "--in", self.folder / "absent.npy", code=3)
        unknown = self.folder / "tile.xyz"
        unknown.write_bytes(b"x")
        self.plume("cloud", "invoke", "smoke", "--in", unknown, code=2)

    def test_async(self):
        self.deploy("--async", "s3://bucket/out/", name="queue")
        config = self.aws.inputs("CreateEndpointConfig")[-1]
        self.assertEqual(config["AsyncInferenceConfig"]["OutputConfig"], {"S3OutputPath": "s3://bucket/out/"})
        self.aws.objects["bucket/in.npy"] = (b"tile", {})
        out = self.folder / "answer"
        said = self.plume("cloud", "invoke", "queue", "--in", "s3://bucket/in.npy", "--async", "--out", out, *QUICK)
        self.assertEqual(said, "s3://bucket/out/1.out\n")
        self.assertEqual(out.read_bytes(), b"answer to tile")


class Push(FakeTest):
    def test_once(self):
        path = self.folder / "model.tar.gz"
        path.write_bytes(os.urandom(300_000))
        name = self.plume("cloud", "push", path, "s3://bucket/models").strip()
        self.assertRegex(name, "^s3://bucket/models/sha256-[0-9a-f]{64}/model.tar.gz$")
        self.assertEqual(self.aws.objects[name.removeprefix("s3://")][0], path.read_bytes())
        puts = [headers for _, operation, headers in self.aws.log if operation == "PUT"]
        self.assertEqual(len(puts), 1)
        again = json.loads(self.plume("cloud", "push", path, "s3://bucket/models", "--json"))
        self.assertEqual((again["object"], again["outcome"]), (name, "is there"))
        self.assertEqual(len([1 for _, operation, _ in self.aws.log if operation == "PUT"]), 1)
        self.deploy(model=name)

    def test_of_a_file_that_changes(self):
        path = self.folder / "model.tar.gz"
        path.write_bytes(b"before")
        real = self.aws.s3

        def s3(method, *rest):
            if method == "PUT":
                path.write_bytes(b"behind")
            return real(method, *rest)

        self.aws.s3 = s3
        self.plume("cloud", "push", path, "s3://bucket/models", code=3)
        self.assertIn("has changed", self.errors)
        self.assertEqual([name for name in self.aws.objects if "sha256-00" not in name], [])

    def test_two_that_go_on_with_one_upload(self):
        path = self.folder / "model.tar.gz"
        path.write_bytes(bytes(20 << 20))
        sha = hashlib.sha256(path.read_bytes()).hexdigest()
        real = self.aws.s3
        other_is_done = True

        def s3(method, target, query, headers, body):
            if query == "uploads=":
                return 200, {}, (b"<InitiateMultipartUploadResult><UploadId>1</UploadId>"
                                 b"</InitiateMultipartUploadResult>")
            if "partNumber" in query:
                if other_is_done:
                    stored = {"x-amz-meta-sha256": sha}
                    self.aws.objects[urllib.parse.unquote(target.lstrip("/"))] = (path.read_bytes(), stored)
                raise fake_aws.Problem("NoSuchUpload", "gone", 404)
            return (204, {}, b"") if "uploadId" in query else real(method, target, query, headers, body)

        self.aws.s3 = s3
        self.plume("cloud", "push", path, "s3://bucket/models")
        self.aws.objects.clear()
        other_is_done = False
        self.plume("cloud", "push", path, "s3://bucket/models", code=4)
        self.assertIn("NoSuchUpload", self.errors)

    def test_of_a_trained_model(self):
        data, config, run = self.folder / "data", self.folder / "config.toml", self.folder / "run"
        config.write_text(f"""[data]
shard = "{data}/tiles.h5"
[model]
base = 2
depth = 1
[train]
steps = 1
batch = 1
crop = 32
""")
        self.plume("data", "synth", "--tiles", "12", "--seed", "1", "-o", data)
        self.plume("data", "pack", "--tiles", data / "tiles", "--masks", data / "masks", "-o", data / "tiles.h5")
        self.plume("train", config, "--out", run)
        exported = self.folder / "model.tar.gz"
        self.plume("export", "sagemaker", run / "best.safetensors", "-o", exported)
        names = {self.plume("cloud", "push", run / "best.safetensors", "s3://bucket/models/") for _ in range(2)}
        (name,) = names
        self.assertEqual(self.aws.objects[name.strip().removeprefix("s3://")][0], exported.read_bytes())
        self.assertEqual(len([1 for _, operation, _ in self.aws.log if operation == "PUT"]), 1)

    def test_options(self):
        path = self.folder / "model.tar.gz"
        path.write_bytes(b"archive")
        self.plume("cloud", "push", path, "s3://bucket", "--sse", "aws:kms", "--kms-key", "k", "--tag", "a=b",
                   "--storage-class", "STANDARD_IA", "--checksum", "sha256")
        (put,) = [value["headers"] for _, operation, value in self.aws.log if operation == "PUT"]
        put = {name.lower(): value for name, value in put.items()}
        self.assertEqual((put["x-amz-server-side-encryption"], put["x-amz-tagging"], put["x-amz-storage-class"]),
                         ("aws:kms", "a=b", "STANDARD_IA"))
        self.assertIn("x-amz-checksum-sha256", put)
        self.plume("cloud", "push", path, "bucket/x", code=2)
        self.plume("cloud", "push", self.folder / "absent.tar.gz", "s3://bucket", code=3)


class Secrets(FakeTest):
    """harness.py looks through every run of all tests above; these are the ones that say the most."""

    def test_debug_shows_what_is_signed(self):
        self.deploy("--debug")
        self.assertIn("canonical request", self.errors)
        self.assertIn("string to sign\nAWS4-HMAC-SHA256", self.errors)
        self.assertIn("x-amz-security-token:[hidden]", self.errors)
        self.plume("cloud", "push", self.file(), "s3://bucket/", "--debug")
        self.plume("cloud", "doctor", "--debug", "--role", ROLE, code=0)
        self.teardown("--all", "--debug")

    def file(self):
        path = self.folder / "model.tar.gz"
        path.write_bytes(b"archive")
        return path

    def test_errors(self):
        for env, code in (({"AWS_SECRET_ACCESS_KEY": harness.SECRET + "x"}, 3), ({"AWS_SESSION_TOKEN": "another"}, 3),
                          ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"}, 6),
                          ({"AWS_ENDPOINT_URL": "nonsense"}, 2)):
            for debug in ([], ["--debug"]):
                self.plume("cloud", "status", "smoke", *debug, env=env, code=code)

    def test_keys_from_a_file(self):
        keys = self.folder / "credentials"
        # Not the name that look_through_files() reads: it holds the secret by right.
        keys = pathlib.Path(self.folder.parent, f"keys-{os.getpid()}")
        keys.write_text(f"[default]\naws_access_key_id = {harness.ACCESS_KEY}\n"
                        f"aws_secret_access_key = {harness.SECRET}\naws_session_token = {harness.TOKEN}\n")
        self.addCleanup(keys.unlink)
        none = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": ""}
        keys.chmod(0o644)
        self.plume("cloud", "list", env=dict(none, AWS_SHARED_CREDENTIALS_FILE=str(keys)))
        self.assertIn(f"{keys} can be read by others: chmod 600 {keys}", self.errors)
        self.plume("cloud", "list", env=dict(none, AWS_CONFIG_FILE=str(keys)))
        self.assertIn("chmod 600", self.errors)
        keys.chmod(0o600)
        out = self.plume("cloud", "doctor", "--debug", env=dict(none, AWS_SHARED_CREDENTIALS_FILE=str(keys)))
        self.assertNotIn("chmod", self.errors)
        self.assertIn("profile default", out)
        keys.write_text(f"[default\naws_secret_access_key = {harness.SECRET}\n")
        self.plume("cloud", "doctor", "--debug", env=dict(none, AWS_SHARED_CREDENTIALS_FILE=str(keys)), code=2)

    def test_fetching_from_an_archive_that_asks_for_none(self):
        key = ("ABI-L1b-RadM/2019/300/20/"
               "OR_ABI-L1b-RadM1-M6C01_G17_s20193002000275_e20193002000332_c20193002000379.nc")
        asked = []

        def archive(request):
            asked.append(dict(request.headers))
            if "list-type" in request.path:
                return request.reply(200, f"<ListBucketResult><Contents><Key>{key}</Key><Size>4</Size></Contents>"
                                          "</ListBucketResult>")
            return request.reply(200, b"data", {"ETag": '"8d777f385d3dfec8815d20f7496026dc"'})

        server = aws_fakes.Server(archive)
        command = ("data", "fetch", "--product", "RadM1", "--satellite", "17", "--start", "2019-10-27T20:00", "--end",
                   "2019-10-27T20:01", "--bands", "1", "-o", self.folder / "abi", "--endpoint")
        self.plume(*command, server.url)
        self.assertEqual((self.folder / "abi" / pathlib.Path(key).name).read_bytes(), b"data")
        # Neither the keys nor what would say whose they are.
        for headers in asked:
            harness.without_secrets(str(headers), "a request to the archive")
            self.assertNotIn(harness.ACCESS_KEY, str(headers))
        self.assertGreaterEqual(len(asked), 2)
        self.plume(*command, self.aws.url, code=3)  # which refuses whoever does not sign
        self.plume(*command, "http://127.0.0.1:1", env={"AWS_MAX_ATTEMPTS": "1"}, code=6)

    def test_no_core_in_the_middle_of_a_transfer(self):
        if why := cores.why_none(self.folder, harness.SECRET):
            self.skipTest(why)
        begun, let_go = threading.Event(), threading.Event()
        self.addCleanup(let_go.set)

        def held(*_):
            begun.set()
            let_go.wait(60)

        self.aws.s3 = held
        process = cores.start(self.command("cloud", "push", self.file(), "s3://bucket/"), self.folder,
                              env=self.environment(), stderr=subprocess.DEVNULL)
        self.assertTrue(begun.wait(60))
        self.assertEqual(cores.abort(process, self.folder), [])

    def test_the_search_finds(self):
        text = b"..." + harness.SECRET.encode() + b"..."
        for found in (text.decode(), text, text.hex(), urllib.parse.quote(text), base64.b64encode(text).decode(),
                      base64.b64encode(b"1" + text).decode(), base64.b64encode(b"12" + text).decode(),
                      "token=IQoJb3JpZ2luX2VjEJr%2F%2Ftoken%2Bof%2Fthis%2Ftest%3D%3D"):
            with self.assertRaises(AssertionError):
                harness.without_secrets(found, "here")
        harness.without_secrets(text[:-4], "here")


class Fake(FakeTest):
    """The fake itself refuses what AWS refuses."""

    def test_refuses_a_wrong_secret_and_a_broken_body(self):
        self.plume("cloud", "status", "smoke", env={"AWS_SECRET_ACCESS_KEY": "wrong"}, code=3)
        self.assertEqual(self.aws.operations(), ["SignatureDoesNotMatch"])

    def test_names_what_is_wrong_with_an_input(self):
        import models
        problems = models.problems(self.aws.model, "CreateEndpoint", {"EndpointName": "a_b", "Other": 1})
        self.assertIn("EndpointConfigName", problems[0])
        self.assertIn("does not match", problems[1])


if __name__ == "__main__":
    fake_test.main()
