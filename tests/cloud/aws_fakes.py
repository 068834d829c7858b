"""Servers of a test's own that speak like AWS: Lambda's Runtime API, and a gate that lets in who signs as botocore does."""

import calendar
import hashlib
import http.server
import json
import queue
import socket
import ssl
import struct
import threading
import time
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials

KEY_ID, SECRET, TOKEN = "AKIDEXAMPLE0000000000", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "IQoJb3JpZ2luX2VjEXAMPLE=="
REGION = "eu-central-1"


class Server(http.server.ThreadingHTTPServer):
    """Calls handle(request), a Handler, for every request."""

    daemon_threads = True

    def __init__(self, handle, tls=None):
        """`tls` is (certificate's file, key's file)."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.handle = handle
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.server_port}"

    def handle_error(self, *_):  # a client that goes away is no news
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.handle(self)

    do_GET = do_POST = do_PUT = do_HEAD = do

    def reply(self, status, body=b"", headers=None):
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in {"Content-Length": len(body), **(headers or {})}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, *_):
        pass


def signed_right(request, service):
    """Why the request is not signed as it should be, by botocore's own arithmetic; None: it is."""
    authorization = request.headers.get("Authorization", "")
    if not authorization.startswith("AWS4-HMAC-SHA256 "):
        return "MissingAuthenticationToken"
    fields = dict(field.strip().split("=", 1) for field in authorization.split(" ", 1)[1].split(","))
    key_id, date, region, scope_service, _ = fields["Credential"].split("/")
    if (key_id, region, scope_service) != (KEY_ID, REGION, service):
        return "InvalidClientTokenId"
    if request.headers.get("X-Amz-Security-Token") != TOKEN:
        return "UnrecognizedClientException"
    names = fields["SignedHeaders"].split(";")
    for name in ("host", "x-amz-date", "x-amz-security-token") + (("x-amz-content-sha256",) if service == "s3" else ()):
        if name not in names:
            return f"{name} is not signed"
    claimed = request.headers.get("X-Amz-Content-Sha256")
    if claimed and claimed != hashlib.sha256(request.body).hexdigest():
        return "XAmzContentSHA256Mismatch"
    url = f"http://{request.headers['Host']}{request.path}"
    headers = {name: request.headers[name] for name in names}
    signer = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
    auth = signer(botocore.credentials.Credentials(KEY_ID, SECRET, TOKEN), service, region)
    copy = botocore.awsrequest.AWSRequest(method=request.command, url=url, headers=headers, data=request.body)
    copy.context["timestamp"] = request.headers["X-Amz-Date"]
    signature = auth.signature(auth.string_to_sign(copy, auth.canonical_request(copy)), copy)
    sent = calendar.timegm(time.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ"))
    if abs(sent - time.time()) > 300:
        return "RequestTimeTooSkewed"
    return None if signature == fields["Signature"] else "SignatureDoesNotMatch"


class S3:
    """Objects by their paths; GET alone."""

    def __init__(self, objects):
        self.objects, self.asked = objects, []
        self.server = Server(self.handle)

    def handle(self, request):
        self.asked.append(request.path)
        why = signed_right(request, "s3")
        if why:
            return request.reply(403, f"<Error><Code>{why}</Code><Message></Message></Error>")
        path = urllib.parse.unquote(request.path)
        if path not in self.objects:
            return request.reply(404, "<Error><Code>NoSuchKey</Code></Error>")
        return request.reply(200, self.objects[path], {"ETag": '"x"', "Content-Type": "binary/octet-stream"})


class SageMaker:
    """An endpoint: answer(request) for what is signed as it should be."""

    def __init__(self, name, answer, tls=None):
        self.name, self.answer, self.requests = name, answer, []
        self.server = Server(self.handle, tls)

    def handle(self, request):
        self.requests.append(request)
        why = signed_right(request, "sagemaker")
        if why:
            return request.reply(403, json.dumps({"message": why}), {"x-amzn-ErrorType": why})
        if request.path != f"/endpoints/{self.name}/invocations":
            body = {"Message": f"Endpoint of {request.path} not found."}
            return request.reply(400, json.dumps(body), {"x-amzn-ErrorType": "ValidationError:http://amazon.com/"})
        return self.answer(request)


class RuntimeApi:
    """Hands out events, one at a time, and takes what a function answers."""

    def __init__(self):
        self.events, self.answers, self.posts = queue.Queue(), queue.Queue(), []
        self.faults = []  # what happens to the next POSTs: "reset", or a status
        self.started_wrong = None
        self.asked, self.count = 0, 0  # events asked for, and handed out
        self.server = Server(self.handle)

    def handle(self, request):
        prefix = "/2018-06-01/runtime/"
        assert request.path.startswith(prefix), request.path
        path = request.path[len(prefix) :]
        if path == "invocation/next":
            self.asked += 1
            event, seconds = self.events.get()
            self.count += 1
            deadline = int((time.time() + seconds) * 1000)
            headers = {
                "Lambda-Runtime-Aws-Request-Id": f"request-{self.count}",
                "Lambda-Runtime-Deadline-Ms": deadline,
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:123456789012:function:f",
                "Lambda-Runtime-Trace-Id": f"Root=1-{self.count}",
                "Content-Type": "application/json",
            }
            return request.reply(200, event, headers)
        self.posts.append(path)
        fault = self.faults.pop(0) if self.faults else None
        if fault == "reset":
            return request.reset()
        if fault:
            return request.reply(fault, json.dumps({"errorType": "Fault"}))
        if path == "init/error":
            self.started_wrong = (request.headers["Lambda-Runtime-Function-Error-Type"], json.loads(request.body))
        else:
            self.answers.put((path.rsplit("/", 1)[1], json.loads(request.body)))
        return request.reply(202, json.dumps({"status": "OK"}))

    def ask(self, event, seconds=10):
        """("response" or "error", what was said)."""
        self.events.put((event if isinstance(event, (str, bytes)) else json.dumps(event), seconds))
        return self.answers.get(timeout=seconds + 2)


def environment(runtime, s3=None, sagemaker=None, **more):
    found = {
        "AWS_LAMBDA_RUNTIME_API": runtime.server.address,
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": TOKEN,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL_S3": f"http://{s3.server.address}" if s3 else "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": f"http://{sagemaker.server.address}" if sagemaker else "http://127.0.0.1:1",
    }
    return {**found, **more}
