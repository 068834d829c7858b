"""Servers of a test's own that speak like AWS: Lambda's Runtime API; S3 and SageMaker, which check signatures."""

import collections
import http.server
import json
import queue
import socket
import ssl
import struct
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import signatures

KEY_ID, SECRET, TOKEN = "AKIDEXAMPLE0000000000", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "IQoJb3JpZ2luX2VjEXAMPLE=="
REGION = "eu-central-1"
# Whose requests are let in; `token` None: without one.
Account = collections.namedtuple("Account", "key_id secret token region")
ACCOUNT = Account(KEY_ID, SECRET, TOKEN, REGION)


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

    @property
    def url(self):
        return f"http://{self.address}"

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


def refusal(request, service, account):
    """The code by which AWS would refuse it; None: it is signed as it should be."""
    url = f"http://{request.headers['Host']}{request.path}"
    keys = {account.key_id: (account.secret, account.token)}
    try:
        scope = signatures.verify(request.command, url, dict(request.headers), request.body, keys)
    except signatures.Refused as refused:
        return refused.code
    return None if scope == (service, account.region) else "SignatureDoesNotMatch"


class S3:
    """Objects by their paths; GET alone."""

    def __init__(self, objects):
        self.objects, self.asked = objects, []
        self.server = Server(self.handle)

    def handle(self, request):
        self.asked.append(request.path)
        why = refusal(request, "s3", ACCOUNT)
        if why:
            return request.reply(403, f"<Error><Code>{why}</Code><Message></Message></Error>")
        path = urllib.parse.unquote(request.path)
        if path not in self.objects:
            return request.reply(404, "<Error><Code>NoSuchKey</Code></Error>")
        return request.reply(200, self.objects[path], {"ETag": '"x"', "Content-Type": "binary/octet-stream"})


class SageMaker:
    """An endpoint: answer(request) for what is signed as it should be."""

    def __init__(self, name, answer, tls=None, account=ACCOUNT):
        self.name, self.answer, self.account, self.requests = name, answer, account, []
        self.server = Server(self.handle, tls)

    def handle(self, request):
        self.requests.append(request)
        why = refusal(request, "sagemaker", self.account)
        if why:
            return request.reply(403, json.dumps({"message": why}), {"x-amzn-ErrorType": why})
        if request.path != f"/endpoints/{self.name}/invocations":
            body = {"Message": f"Endpoint of {request.path} not found."}
            return request.reply(400, json.dumps(body), {"x-amzn-ErrorType": "ValidationError:http://amazon.com/"})
        return self.answer(request)


def container_at(address):
    """An answer of SageMaker's from the container at address(): its refusals come back as ModelError."""

    def answer(request):
        headers = {name: request.headers[name] for name in ("Content-Type", "Accept") if name in request.headers}
        onward = urllib.request.Request(f"{address()}/invocations", request.body, headers)
        try:
            with urllib.request.urlopen(onward) as reply:
                return request.reply(200, reply.read(), {"Content-Type": reply.headers["Content-Type"]})
        except urllib.error.HTTPError as error:
            body = {"OriginalStatusCode": error.code, "OriginalMessage": error.read().decode(), "Message": "see"}
            return request.reply(424, json.dumps(body), {"x-amzn-ErrorType": "ModelError"})

    return answer


class RuntimeApi:
    """Hands out events, one at a time, and takes what a function answers."""

    def __init__(self):
        self.events, self.answers = queue.Queue(), queue.Queue()
        self.posts, self.said = [], []  # their paths and bodies
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
        self.said.append(request.body)
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


def environment(runtime, s3, sagemaker, account=ACCOUNT, **more):
    """What Lambda gives a function; `s3` and `sagemaker` are addresses."""
    found = {
        "AWS_LAMBDA_RUNTIME_API": runtime.server.address,
        "AWS_ACCESS_KEY_ID": account.key_id,
        "AWS_SECRET_ACCESS_KEY": account.secret,
        "AWS_REGION": account.region,
        "AWS_ENDPOINT_URL_S3": s3,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": sagemaker,
    }
    if account.token:
        found["AWS_SESSION_TOKEN"] = account.token
    return {**found, **more}
