#!/usr/bin/env python3
"""plume-lambda as AWS runs it: lambda_test.py PLUME_LAMBDA [--alone]

Under a fake Runtime API, beside fakes of S3 and SageMaker that check signatures by botocore. With --alone the program
runs where there is no other file: no library, no loader. Exit status 77, with a line that says why: no botocore here.
"""

import base64
import contextlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

try:
    import aws_fakes
    import cores
    import leaks
    from aws_fakes import KEY_ID, SECRET, TOKEN
except ImportError as error:
    print(f"lambda_test.py: {error} (python3-botocore)")
    sys.exit(77)

IMAGE = bytes(range(256)) * 40
PREDICTIONS = json.dumps({"predictions": [[[[0.25]]]]})


def version_1(body, headers=None, **more):
    return {
        "resource": "/", "path": "/", "httpMethod": "POST", "headers": headers or {"Content-Type": "application/json"},
        "multiValueHeaders": {}, "queryStringParameters": None, "requestContext": {"httpMethod": "POST"},
        "body": body, "isBase64Encoded": False, **more,
    }  # fmt: skip


def version_2(body, headers=None, method="POST", **more):
    return {
        "version": "2.0", "routeKey": "$default", "rawPath": "/", "rawQueryString": "",
        "headers": headers or {"content-type": "application/json"},
        "requestContext": {"http": {"method": method, "path": "/", "protocol": "HTTP/1.1"}},
        "body": body, "isBase64Encoded": False, **more,
    }  # fmt: skip


def encoded(version, image, content_type, **headers):
    event = version(base64.b64encode(image).decode(), {"content-type": content_type, **headers})
    event["isBase64Encoded"] = True
    return event


def model_error(status, message):
    body = {"ErrorCode": "x", "LogStreamArn": "", "Message": "see there", "OriginalStatusCode": status}
    return 424, json.dumps({**body, "OriginalMessage": message}), {"x-amzn-ErrorType": "ModelError"}


class Function(unittest.TestCase):
    program, alone = None, False

    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        self.folder = pathlib.Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.answer = lambda request: request.reply(200, PREDICTIONS, {"Content-Type": "application/json"})
        self.runtime = aws_fakes.RuntimeApi()
        self.s3 = aws_fakes.S3({"/smoke/a b/tile+1.npy": IMAGE, "/smoke/large.npy": bytes((1 << 20) + 1)})
        self.endpoint = aws_fakes.SageMaker("smoke-finder", lambda request: self.answer(request))

    def start(self, **more):
        settings = {"ENDPOINT_NAME": "smoke-finder", "PLUME_MAX_PAYLOAD": "1", **more}
        environment = aws_fakes.environment(self.runtime, self.s3.server.url, self.endpoint.server.url, **settings)
        self.log = self.folder / "log"
        command = [self.program]
        if self.alone:
            root = self.folder / "root"
            (root / "etc").mkdir(parents=True, exist_ok=True)
            (root / "etc" / "hosts").write_text("127.0.0.1 localhost\n")
            shutil.copy(self.program, root / "bootstrap")
            if "AWS_CA_BUNDLE" in environment:
                shutil.copy(environment["AWS_CA_BUNDLE"], root / "etc" / "trusted.pem")
                environment["AWS_CA_BUNDLE"] = "/etc/trusted.pem"
            chroot = shutil.which("chroot", path="/usr/sbin:/usr/bin")
            command = ["unshare", "--map-root-user", chroot, root, "/bootstrap"]
        with self.log.open("w") as log:
            self.process = cores.start(command, self.folder, env=environment, stdout=log, stderr=log)
        self.stack.callback(self.stop)

    def stop(self):
        self.process.kill()
        self.process.wait()
        # Whatever was tested, nobody's keys and nobody's image are in a log, and no keys in an answer.
        text = self.log.read_bytes()
        leaks.expect_none((SECRET, TOKEN, KEY_ID), text, "the log")
        for name in (b"tile+1", b"predictions", base64.b64encode(IMAGE)[:40]):
            self.assertNotIn(name, text)
        for said in self.runtime.said:
            leaks.expect_none((SECRET, TOKEN, KEY_ID), said, "an answer")

    def ask(self, event, seconds=10):
        kind, answer = self.runtime.ask(event, seconds)
        self.assertEqual(kind, "response")
        self.assertEqual(set(answer), {"statusCode", "headers", "body", "isBase64Encoded"})
        return answer

    def refusal(self, status, event, part, seconds=10):
        answer = self.ask(event, seconds)
        self.assertEqual(answer["statusCode"], status, answer)
        self.assertEqual(answer["headers"]["Content-Type"], "application/json")
        problem = json.loads(answer["body"])
        self.assertIn(part, problem["detail"])
        self.assertEqual(problem["request_id"], f"request-{self.runtime.count}")
        return answer

    def log_lines(self):
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def test_takes_an_image_by_its_name_as_the_tutorial_does(self):
        self.start()
        for version in (version_1, version_2):
            answer = self.ask(version(json.dumps({"bucket": "smoke", "file_name": "a b/tile+1.npy"})))
            self.assertEqual(answer["statusCode"], 200)
            self.assertEqual(answer["headers"], {"Content-Type": "application/json"})
            self.assertEqual(answer["body"], PREDICTIONS)
            self.assertIs(answer["isBase64Encoded"], False)
            self.assertEqual(self.endpoint.requests[-1].body, IMAGE)
            self.assertEqual(self.endpoint.requests[-1].headers["Content-Type"], "application/x-npy")
        self.assertEqual(self.s3.asked, ["/smoke/a%20b/tile%2B1.npy"] * 2)
        # Called without an API before it, and with a type of its own.
        event = {"bucket": "smoke", "file_name": "a b/tile+1.npy", "content_type": "application/x-npy; x=1"}
        self.assertEqual(self.ask(event)["body"], PREDICTIONS)
        self.assertEqual(self.endpoint.requests[-1].headers["Content-Type"], "application/x-npy; x=1")
        logged = [(line["status"], line["source"], line["bytes_in"]) for line in self.log_lines()]
        self.assertEqual(logged, [(200, "s3", len(IMAGE))] * 3)

    def test_takes_an_image_in_the_body(self):
        self.start()
        attributes = {"x-amzn-sagemaker-custom-attributes": "tile=7", "accept": "image/png"}
        mask = b"\x89PNG\r\n\x1a\n\x00\xff"
        headers = {"Content-Type": "image/png", "X-Amzn-SageMaker-Custom-Attributes": "tile=7"}
        self.answer = lambda request: request.reply(200, mask, headers)
        for version in (version_1, version_2):
            answer = self.ask(encoded(version, IMAGE, "image/tiff", **attributes))
            self.assertEqual(answer["statusCode"], 200)
            self.assertIs(answer["isBase64Encoded"], True)
            self.assertEqual(base64.b64decode(answer["body"]), mask)
            self.assertEqual(answer["headers"]["X-Amzn-SageMaker-Custom-Attributes"], "tile=7")
            sent = self.endpoint.requests[-1]
            self.assertEqual(sent.body, IMAGE)
            for name, value in {"content-type": "image/tiff", **attributes}.items():
                self.assertEqual(sent.headers[name], value)
        # Nested lists are an image too.
        lists = json.dumps([[[1, 2, 3]]])
        self.ask(version_1(lists))
        self.assertEqual(self.endpoint.requests[-1].body.decode(), lists)
        self.assertEqual(self.s3.asked, [])

    def test_says_what_is_wrong_with_a_request(self):
        self.start()
        named = lambda **body: version_2(json.dumps(body))
        self.refusal(404, named(bucket="smoke", file_name="none.npy"), "no such object")
        self.refusal(400, named(file_name="none.npy"), "bucket")
        self.refusal(400, named(bucket="smoke", file_name=7), "file_name")
        self.refusal(400, named(bucket="smoke", file_name=""), "empty")
        self.refusal(400, version_1(""), "empty")
        self.refusal(400, "[1, 2]", "no JSON object")
        self.refusal(400, {**version_1("%%%"), "isBase64Encoded": True}, "base64")
        self.refusal(413, named(bucket="smoke", file_name="large.npy"), "1048577")
        self.refusal(413, version_1("x" * ((1 << 20) + 1), {"content-type": "text/plain"}), "1048577")
        allow = self.refusal(405, version_2("", method="GET"), "POST")["headers"]
        self.assertEqual(allow["Allow"], "POST")
        self.assertEqual(self.endpoint.requests, [])
        # A type that would be two headers goes nowhere, and does not end the function.
        self.assertEqual(self.ask(version_1("x", {"content-type": "a\r\nX-Evil: 1"}))["statusCode"], 502)
        self.assertEqual(self.endpoint.requests, [])
        self.assertEqual(self.ask(version_1("[]"))["statusCode"], 200)

    def test_is_let_in_by_its_signature_alone(self):
        self.start(AWS_SECRET_ACCESS_KEY="another")
        self.refusal(403, version_1(json.dumps({"bucket": "smoke", "file_name": "a b/tile+1.npy"})), "may not read")
        self.refusal(502, version_1("[]"), "SignatureDoesNotMatch")

    def test_speaks_tls_with_whom_it_trusts(self):
        certificate, key = self.folder / "certificate.pem", self.folder / "key.pem"
        make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        make += ["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate]
        subprocess.run(make, check=True, capture_output=True)
        endpoint = aws_fakes.SageMaker("smoke-finder", lambda request: self.answer(request), (certificate, key))
        url = f"https://localhost:{endpoint.server.server_port}"
        self.start(AWS_CA_BUNDLE=str(certificate), AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=url)
        self.assertEqual(self.ask(version_1("[]"))["body"], PREDICTIONS)
        self.assertEqual(self.ask(version_1("[]"))["body"], PREDICTIONS)
        self.stop()
        self.runtime = aws_fakes.RuntimeApi()  # the one before still waits with an answer
        self.start(AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=url)  # the system's certificates, which are others
        self.refusal(502, version_1("[]"), "cannot be reached")
        self.assertEqual(len(endpoint.requests), 2)

    def test_serves_one_bucket_where_it_is_told_so(self):
        self.start(PLUME_BUCKET="smoke")
        self.assertEqual(self.ask(version_1(json.dumps({"file_name": "a b/tile+1.npy"})))["statusCode"], 200)
        self.refusal(403, version_1(json.dumps({"bucket": "other", "file_name": "x"})), "smoke alone")

    def test_passes_on_what_the_endpoint_says(self):
        self.start()
        event = version_1("[]")
        problem = json.dumps({"error": "unprocessable content", "detail": "7 bands, not 6", "request_id": "x"})
        cases = [
            (422, model_error(422, problem), "7 bands, not 6"),
            (400, model_error(400, "no array"), "no array"),
            (502, model_error(500, "segmentation fault at 0x1"), "container failed"),
            (503, model_error(503, "queue"), "busy"),
            (413, (413, "", {}), "too large"),
            (502, (400, '{"Message": "not found"}', {"x-amzn-ErrorType": "ValidationError"}), "ValidationError"),
            (502, (403, "<Error><Code>AccessDenied</Code></Error>", {}), "AccessDenied"),
            (502, (530, "", {"x-amzn-ErrorType": "InternalDependencyException"}), "InternalDependencyException"),
        ]
        for status, reply, part in cases:
            with self.subTest(status=status, part=part):
                count = len(self.endpoint.requests)
                self.answer = lambda request: request.reply(*reply)
                self.refusal(status, event, part)
                self.assertEqual(len(self.endpoint.requests), count + 1)  # not worth another try

    def test_tries_again_and_says_when_to_come_back(self):
        self.start()
        replies = [(503, "", {}), (500, "", {}), (200, PREDICTIONS, {"Content-Type": "application/json"})]
        self.answer = lambda request: request.reply(*replies.pop(0))
        self.assertEqual(self.ask(version_1("[]"))["statusCode"], 200)
        self.assertEqual(len(self.endpoint.requests), 3)
        throttle = {"x-amzn-ErrorType": "ThrottlingException"}
        self.answer = lambda request: request.reply(400, '{"message": "Rate exceeded"}', throttle)
        answer = self.refusal(429, version_1("[]"), "busy")
        self.assertEqual(answer["headers"]["Retry-After"], "1")
        not_ready = {"x-amzn-ErrorType": "ModelNotReadyException", "Retry-After": "0"}
        self.answer = lambda request: request.reply(429, "", not_ready)
        answer = self.refusal(429, version_1("[]"), "busy")
        self.assertEqual(answer["headers"]["Retry-After"], "0")

    def test_answers_before_its_time_is_over(self):
        self.start()
        let_go = threading.Event()
        self.stack.callback(let_go.set)
        self.answer = lambda request: let_go.wait(20)
        begin = time.monotonic()
        self.refusal(504, version_1("[]"), "in time", seconds=1.5)
        self.assertLess(time.monotonic() - begin, 1.5)
        # Whether it fails or stalls, what is left is what is left.
        self.answer = lambda request: request.reply(503, "", {"Retry-After": "20"})
        begin = time.monotonic()
        self.refusal(503, version_1("[]"), "busy", seconds=1.5)
        self.assertLess(time.monotonic() - begin, 1.5)

    def test_says_that_an_answer_is_too_large_for_lambda(self):
        self.start()
        large = b"x" * (5 << 20)
        self.answer = lambda request: request.reply(200, large, {"Content-Type": "application/octet-stream"})
        self.refusal(502, version_1("[]"), "6291456")

    def test_leaves_no_core(self):
        if self.alone:
            self.skipTest("its folder is another one")
        if why := cores.why_none(self.folder, SECRET):
            self.skipTest(why)
        asked, let_go = threading.Event(), threading.Event()
        self.stack.callback(let_go.set)

        def held(request):
            asked.set()
            let_go.wait(60)

        self.answer = held
        self.start()
        self.runtime.events.put((json.dumps(version_1("[]")), 10))
        self.assertTrue(asked.wait(10))
        self.assertEqual(cores.abort(self.process, self.folder), [])

    def test_survives_what_the_runtime_does(self):
        self.start()
        self.runtime.faults = ["reset", 500, "reset"]
        self.assertEqual(self.ask(version_1("[]"))["body"], PREDICTIONS)
        self.assertEqual(self.runtime.posts, ["invocation/request-1/response"] * 4)
        # Refused for good: an error stands in its place, and the next event is served.
        self.runtime.faults = [413]
        kind, answer = self.runtime.ask(version_1("[]"))
        self.assertEqual((kind, answer["errorType"]), ("error", "Runtime.AnswerRefused"))
        self.assertEqual(self.ask(version_1("[]"))["body"], PREDICTIONS)
        # Nothing gets through: it is said in the log, and the next event is served.
        self.runtime.faults = ["reset"] * 6
        self.runtime.events.put((json.dumps(version_1("[]")), 10))
        self.assertEqual(self.ask(version_1("[]"))["body"], PREDICTIONS)
        self.assertIn("was not taken", self.log.read_text())
        self.assertIsNone(self.process.poll())

    def test_tells_why_it_cannot_start(self):
        for settings in ({"ENDPOINT_NAME": ""}, {"PLUME_MAX_PAYLOAD": "much"}):
            self.start(**settings)
            self.assertEqual(self.process.wait(timeout=10), 1)
            kind, said = self.runtime.started_wrong
            self.assertEqual(kind, "Runtime.WrongSettings")
            self.assertIn(next(iter(settings)), said["errorMessage"])
            self.assertEqual(said["errorType"], kind)

    def test_waits_for_an_event_as_long_as_it_takes(self):
        self.start()
        time.sleep(2.5)  # longer than any limit that it has for other requests to the runtime
        self.assertEqual(self.ask(version_1("[]"))["statusCode"], 200)
        self.assertLessEqual(self.runtime.asked, 2)  # the first was not asked for twice


if __name__ == "__main__":
    Function.program = pathlib.Path(sys.argv.pop(1)).resolve()
    if "--alone" in sys.argv:
        sys.argv.remove("--alone")
        Function.alone = True
    unittest.main()
