"""moto, which knows most of AWS and verifies signatures, as a process of a test's own. Where it is not installed the
test skips itself."""
import http.client
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

try:
    import botocore.session
except ImportError:
    print("skipped: python3-botocore is not installed")
    sys.exit(77)
# Where make test-slow has put it, else as PATH has it.
PEERS = pathlib.Path(__file__).parents[3] / "build" / "peers" / "bin"
SERVER = shutil.which("moto_server", path=f"{PEERS}:{os.environ['PATH']}")
if SERVER is None:
    print("skipped: no moto_server: cmake/install_peers.sh build/peers, or pip install 'moto[server]'")
    sys.exit(77)

import harness  # noqa: F401, for the folders above
import signatures
from free_port import free_port

REGION = "us-east-1"


def gate_before(port, keys):
    """A server that hands on to another what is signed as botocore would sign it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16

        def log_message(self, *_):
            pass

        def do(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = dict(self.headers)
            try:
                signatures.verify(self.command, f"http://{self.headers['Host']}{self.path}", headers, body, keys)
            except signatures.Refused as refused:
                return self.answer(refused.status, {}, json.dumps({"__type": refused.code}).encode())
            onward = http.client.HTTPConnection("127.0.0.1", port)
            onward.request(self.command, self.path, body, headers)
            reply = onward.getresponse()
            text = reply.read()
            onward.close()
            self.answer(reply.status, dict(reply.getheaders()), text)

        def answer(self, status, headers, text):
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                    self.send_header(name, value)
            length = headers.get("Content-Length", "0") if self.command == "HEAD" else len(text)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


class Moto:
    """A server that checks signatures once a user is there: three requests are free, and make it.

    Of a request without a body whose address holds parameters moto computes another signature than botocore does, so
    that no client gets through; with `gate` it checks nothing, and what stands before it does, by botocore's code."""

    def __init__(self, gate=False):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([SERVER, "-H", "127.0.0.1", "-p", str(port)],
                                        env=dict(os.environ, **({} if gate else {"INITIAL_NO_AUTH_ACTION_COUNT": "3"})),
                                        stdout=self.log,
                                        stderr=self.log)
        for _ in range(300):
            try:
                urllib.request.urlopen(self.url + "/moto-api/").read()
                break
            except OSError:
                if self.process.poll() is not None:
                    raise RuntimeError("moto_server ended: " + self.said())
                time.sleep(0.1)
        iam = self.client("iam", "free", "free")
        iam.create_user(UserName="tester")
        everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.put_user_policy(UserName="tester", PolicyName="all", PolicyDocument=json.dumps(everything))
        key = iam.create_access_key(UserName="tester")["AccessKey"]
        self.key, self.secret = key["AccessKeyId"], key["SecretAccessKey"]
        if gate:
            self.gate = gate_before(port, {self.key: (self.secret, None)})
            self.url = f"http://127.0.0.1:{self.gate.server_port}"

    def client(self, service, key=None, secret=None, url=None):
        """Of botocore; `url` of another server with the same keys."""
        return botocore.session.Session().create_client(service, REGION, endpoint_url=url or self.url,
                                                        aws_access_key_id=key or self.key,
                                                        aws_secret_access_key=secret or self.secret)

    def role(self, service):
        """The address of a role that the service may take on."""
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                         "Principal": {"Service": f"{service}.amazonaws.com"}}]}
        iam = self.client("iam")
        try:
            made = iam.create_role(RoleName=service, AssumeRolePolicyDocument=json.dumps(trust))
        except iam.exceptions.EntityAlreadyExistsException:
            made = iam.get_role(RoleName=service)
        return made["Role"]["Arn"]

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()
