"""Programs that serve a model over HTTP, each by its own protocol, and wrk's loads on them; serve.py compares them."""

import contextlib
import dataclasses
import io
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import urllib.request

from cpu import ROOT, run

import numpy as np

TICK = os.sysconf("SC_CLK_TCK")
PAUSE, IDLE_SHARE = 0.3, 0.1  # seconds, and of a core
PEERS = ROOT / "bench" / "peers"
WRK = """
local file = io.open("{body}", "rb")
wrk.method, wrk.body = "POST", file:read("*a")
wrk.headers = {{{headers}}}
function done(summary, latency)
  local errors = summary.errors
  io.stdout:write(string.format('\\n{{"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "failed": %d}}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


@dataclasses.dataclass
class Protocol:
    """How a program is asked for a tile: as JSON, and as binary numbers ("npy")."""

    ready: str  # path that answers 200 once requests may come
    predict: str
    requests: dict  # {kind: (headers, body)}
    probabilities: callable  # of an answer that is JSON
    scripts: dict = dataclasses.field(default_factory=dict)  # {kind: wrk's script}

    def write_scripts(self, folder):
        for kind, (headers, body) in self.requests.items():
            (folder / f"{kind}.body").write_bytes(body)
            lines = ", ".join(f'["{name}"] = "{value}"' for name, value in headers.items())
            self.scripts[kind] = folder / f"{kind}.lua"
            self.scripts[kind].write_text(WRK.format(body=folder / f"{kind}.body", headers=lines))
        return self


def rounded(tile):
    """As the tutorial's request has it, in four digits."""
    return np.round(tile.astype(float), 4).tolist()


def sagemaker(tile, folder):
    """What SageMaker asks its containers, with nested lists or a .npy file."""
    npy = io.BytesIO()
    np.save(npy, tile)
    bodies = {"application/json": json.dumps(rounded(tile)).encode(), "application/x-npy": npy.getvalue()}
    requests = [({"Content-Type": kind, "Accept": kind}, body) for kind, body in bodies.items()]
    return Protocol(
        ready="/ping",
        predict="/invocations",
        requests=dict(zip(("json", "npy"), requests)),
        probabilities=lambda answer: np.asarray(answer["predictions"], np.float32).reshape(tile.shape[1:3]),
    ).write_scripts(folder)


def triton(tile, folder):
    """Triton's, https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md"""
    described = {"name": "x", "shape": list(tile.shape), "datatype": "FP32"}
    as_json = {"inputs": [described | {"data": rounded(tile)}]}
    as_binary = {
        "inputs": [described | {"parameters": {"binary_data_size": tile.nbytes}}],
        "outputs": [{"name": "y", "parameters": {"binary_data": True}}],
    }
    head = json.dumps(as_binary).encode()
    length = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(head))}
    return Protocol(
        ready="/v2/models/smoke/ready",
        predict="/v2/models/smoke/infer",
        requests={
            "json": ({"Content-Type": "application/json"}, json.dumps(as_json).encode()),
            "npy": (length, head + tile.tobytes()),
        },
        probabilities=lambda answer: np.asarray(answer["outputs"][0]["data"], np.float32).reshape(tile.shape[1:3]),
    ).write_scripts(folder)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A program that serves on a port of its own; until it says that it is ready it is not there."""

    def __init__(self, name, protocol, command):
        self.name, self.protocol, self.port = name, protocol, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [str(word).replace("PORT", str(self.port)) for word in command]
        start = time.perf_counter()
        self.process = subprocess.Popen(command, start_new_session=True, cwd=PEERS)
        while not self.answers():
            if self.process.poll() is not None or time.perf_counter() - start > 60:
                raise SystemExit(f"{' '.join(command)}: does not serve")
            time.sleep(0.002)
        self.start_ms = 1e3 * (time.perf_counter() - start)

    def answers(self):
        with contextlib.suppress(OSError):
            return self.get(self.protocol.ready) is not None
        return False

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=10) as reply:
            return reply.read().decode()

    def processes(self):
        """Its own and its children's folders in /proc."""
        found = []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.getsid(int(folder.name)) == self.process.pid:
                    found.append(folder)
        return found

    def cpu_seconds(self):
        fields = [(folder / "stat").read_text().rpartition(")")[2].split() for folder in self.processes()]
        return sum(int(field[11]) + int(field[12]) for field in fields) / TICK

    def resident_mebibytes(self):
        texts = [(folder / "status").read_text() for folder in self.processes()]
        return sum(int(re.search(r"VmRSS:\s+(\d+)", text)[1]) for text in texts if "VmRSS" in text) / 1024

    def descriptors(self):
        return sum(len(list((folder / "fd").iterdir())) for folder in self.processes())

    def ask(self, kind):
        """The answer to the tile, [row][column]."""
        headers, body = self.protocol.requests[kind]
        request = urllib.request.Request(self.url + self.protocol.predict, body, headers)
        with urllib.request.urlopen(request, timeout=60) as reply:
            return self.protocol.probabilities(json.load(reply))

    def load(self, kind, clients, seconds):
        """Under that load: requests a second, latencies in ms, CPU milliseconds a request."""
        before = self.cpu_seconds()
        command = [
            "wrk",
            "-t",
            1,
            "-c",
            clients,
            "-d",
            f"{seconds}s",
            "--timeout",
            "60s",
            "-s",
            self.protocol.scripts[kind],
            self.url + self.protocol.predict,
        ]
        figures = json.loads(run(command).splitlines()[-1])
        spent = self.cpu_seconds() - before
        self.settle()
        if figures["failed"] or not figures["requests"]:
            raise SystemExit(f"{self.name} with {clients} clients: {figures}")
        return {
            "rate": figures["requests"] / figures["seconds"],
            "p50": figures["p50"],
            "p99": figures["p99"],
            "cpu_ms": 1e3 * spent / figures["requests"],
        }

    def settle(self):
        """Waits until it has done what a load that is over has left in its queue; some programs never rest quite."""
        spent = 0.0
        while self.cpu_seconds() - spent > IDLE_SHARE * PAUSE:
            spent = self.cpu_seconds()
            time.sleep(PAUSE)

    def stop(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(timeout=40)
