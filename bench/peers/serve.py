#!/usr/bin/env python3
"""plume-infer serve under load, beside the same model behind ONNX Runtime and FastAPI (serve_peer.py), by wrk.

    build/bin must be built (release), wrk installed; --python has torch, onnx, onnxruntime, fastapi, uvicorn, uvloop,
    httptools and orjson
    python3 bench/peers/serve.py --python VENV/bin/python --model model.safetensors --out bench/results/serve
    python3 bench/peers/serve.py --model model.safetensors --steady 600    # plume alone, one load for ten minutes

A round is each program in turn under each load; what counts is the median over rounds. The peer runs as one process
with a thread a core and as a process a core; the better of the two is it, load by load.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request

from circumstances import circumstances
from cpu import ROOT, run

import numpy as np

BANDS, EDGE = 6, 256
LOADS = [(kind, clients) for kind in ("json", "npy") for clients in (1, 4, 16, 64)]
TYPES = {"json": "application/json", "npy": "application/x-npy"}
CORES = os.cpu_count()
RATIO_ASKED = 1.5  # of inference in cpu-inference.md
STAGES_ASKED = 4.0
COLUMNS = [
    "load",
    "plume, requests/s",
    "peer's",
    "ratio",
    "asked",
    "p50, ms",
    "peer's",
    "p99, ms",
    "peer's",
    "CPU ms a request",
    "peer's",
    "best peer",
]
TICK = os.sysconf("SC_CLK_TCK")
PEERS = ROOT / "bench" / "peers"
WRK = """
local file = io.open("{body}", "rb")
wrk.method, wrk.body = "POST", file:read("*a")
wrk.headers = {{["Content-Type"] = "{type}", ["Accept"] = "{type}"}}
function done(summary, latency)
  local errors = summary.errors
  io.stdout:write(string.format('\\n{{"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "failed": %d}}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A program that serves on a port of its own; until it answers /ping it is not there."""

    def __init__(self, name, command, environment=None):
        self.name, self.port = name, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [str(word).replace("PORT", str(self.port)) for word in command]
        start = time.perf_counter()
        self.process = subprocess.Popen(
            command, start_new_session=True, env=os.environ | (environment or {}), cwd=PEERS
        )
        while not self.answers():
            if self.process.poll() is not None or time.perf_counter() - start > 60:
                raise SystemExit(f"{' '.join(command)}: does not serve")
            time.sleep(0.002)
        self.start_ms = 1e3 * (time.perf_counter() - start)

    def answers(self):
        with contextlib.suppress(OSError):
            return self.get("/ping") is not None
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

    def load(self, script, clients, seconds):
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
            script,
            f"{self.url}/invocations",
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
        """Waits until it has done what a load that is over has left in its queue."""
        spent = -1.0
        while spent != (spent := self.cpu_seconds()):
            time.sleep(0.3)

    def stop(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(timeout=40)


def plume(options):
    return Server("plume", [options.plume, "serve", options.model, "--port", "PORT"])


def peers(options, model):
    for workers, threads in ((1, CORES), (CORES, 1)):
        yield Server(
            f"ONNX Runtime + FastAPI, {workers} x {threads} threads",
            [
                options.python,
                "-B",
                PEERS / "serve_peer.py",
                model,
                "--port",
                "PORT",
                "--workers",
                workers,
                "--threads",
                threads,
            ],
        )


def make_bodies(folder):
    """{kind: wrk's script}; a tile of noise in four digits, as the tutorial's request has it."""
    tile = np.random.default_rng(0).standard_normal((1, EDGE, EDGE, BANDS), np.float32).round(4)
    np.save(folder / "body.npy", tile)
    (folder / "body.json").write_text(json.dumps(np.round(tile.astype(float), 4).tolist()))
    scripts = {}
    for kind, media_type in TYPES.items():
        scripts[kind] = folder / f"{kind}.lua"
        scripts[kind].write_text(WRK.format(body=folder / f"body.{kind}", type=media_type))
    return scripts


def require_agreement(servers, folder):
    """All of them say the same of the tile."""
    answers = []
    for server in servers:
        request = urllib.request.Request(
            f"{server.url}/invocations",
            (folder / "body.json").read_bytes(),
            {"Content-Type": "application/json", "Accept": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            answers.append(np.asarray(json.load(reply)["predictions"], np.float32).reshape(EDGE, EDGE))
    for server, answer in zip(servers, answers):
        difference = float(abs(answer - answers[0]).max())
        if not difference <= 1e-3:
            raise SystemExit(f"{server.name}: probabilities part from plume's by {difference}")


def stages_of_plume(server):
    """Seconds of parsing and encoding so far, and requests."""
    text = server.get("/metrics")

    def total(stage, what):
        return float(re.search(rf'^plume_stage_seconds_{what}{{.*stage="{stage}".*}} (\S+)$', text, re.M)[1])

    return {"parse": total("parse", "sum"), "encode": total("encode", "sum"), "requests": total("parse", "count")}


def stages_of_peer(server):
    return json.loads(server.get("/stages"))


def parsing_ms(server, script, stages):
    """Milliseconds that a JSON request takes in parsing and encoding, one client at a time."""
    server.load(script, 1, 1)
    before = stages(server)
    server.load(script, 1, 4)
    spent = {key: value - before[key] for key, value in stages(server).items()}
    return 1e3 * (spent["parse"] + spent["encode"]) / spent["requests"]


def rows_of(figures, parsing):
    for kind, clients in LOADS:
        middle = {}
        for (name, load), rounds in figures.items():
            if load == (kind, clients):
                middle[name] = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
        best = max((name for name in middle if name != "plume"), key=lambda name: middle[name]["rate"])
        ours, theirs = middle["plume"], middle[best]
        yield {
            "work": f"{kind}, {clients} clients",
            "ours": ours["rate"],
            "peer": theirs["rate"],
            "ratio": ours["rate"] / theirs["rate"],
            "at_least": RATIO_ASKED,
            "unit": "requests/s",
            "best_peer": best,
            "all": middle,
        }
    best = min((name for name in parsing if name != "plume"), key=parsing.get)
    yield {
        "work": "JSON: parsing and encoding of a request",
        "ours": parsing["plume"],
        "peer": parsing[best],
        "ratio": parsing[best] / parsing["plume"],
        "at_least": STAGES_ASKED,
        "unit": "ms",
        "best_peer": best,
        "all": parsing,
    }


def markdown(rows, notes, about):
    lines = [
        "# Serving under load",
        "",
        f"{about['machine']}; plume {about['commit']}; `{about['command']}`",
        "",
        *notes,
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "| " + " | ".join(["---"] * len(COLUMNS)) + " |",
    ]
    for row in rows[:-1]:
        ours, theirs = row["all"]["plume"], row["all"][row["best_peer"]]
        pairs = " | ".join(f"{ours[key]:.1f} | {theirs[key]:.1f}" for key in ("p50", "p99", "cpu_ms"))
        lines.append(
            f"| {row['work']} | {row['ours']:.1f} | {row['peer']:.1f} | {row['ratio']:.2f} | {row['at_least']:.2f} | "
            f"{pairs} | {row['best_peer'].partition(', ')[2]} |"
        )
    last = rows[-1]
    lines += [
        "",
        f"{last['work']}: {last['ours']:.2f} ms, the peer's {last['peer']:.2f} ms ({last['ratio']:.1f} times as long; "
        f"{last['at_least']:.0f} asked).",
    ]
    return "\n".join([*lines, ""])


def compare(options, folder):
    scripts = make_bodies(folder)
    subject = folder / "subject"
    subject.mkdir()
    (subject / "model.safetensors").write_bytes(options.model.read_bytes())
    run([options.python, "-B", PEERS / "subject.py", subject])
    run([options.python, "-B", PEERS / "cpu_peer.py", "infer", subject, "--onnx", folder / "model.onnx"])
    servers = [plume(options), *peers(options, folder / "model.onnx")]
    try:
        require_agreement(servers, folder)
        figures = {}
        for _ in range(options.rounds):
            for load in LOADS:
                for server in servers:
                    figures.setdefault((server.name, load), []).append(
                        server.load(scripts[load[0]], load[1], options.seconds)
                    )
                    print(server.name, *load, figures[server.name, load][-1], flush=True)
        parsing = {
            server.name: parsing_ms(
                server, scripts["json"], stages_of_plume if server is servers[0] else stages_of_peer
            )
            for server in servers[:2]
        }  # a process a core has as many counters
        notes = [
            f"{server.name}: first answer to /ping {server.start_ms:.0f} ms after its start, "
            f"{server.resident_mebibytes():.0f} MiB resident after the loads."
            for server in servers
        ]
    finally:
        for server in servers:
            server.stop()
    rows, about = list(rows_of(figures, parsing)), circumstances()
    text = markdown(rows, ["One tile of 256x256 and six bands a request, f32. " + " ".join(notes)], about)
    print(text)
    if options.out:
        options.out.with_suffix(".md").write_text(text)
        options.out.with_suffix(".json").write_text(json.dumps([row | about for row in rows], indent=1) + "\n")


def steady(options, folder):
    """One load for long: no error, and neither memory nor descriptors grow."""
    server = plume(options)
    seen = []
    try:
        scripts = make_bodies(folder)
        for _ in range(max(2, options.steady // 10)):
            figures = server.load(scripts["json" if len(seen) % 2 else "npy"], 16, 10)
            seen.append((server.resident_mebibytes(), server.descriptors(), figures["rate"]))
            print(f"{seen[-1][0]:.1f} MiB, {seen[-1][1]} descriptors, {seen[-1][2]:.1f} requests/s", flush=True)
    finally:
        server.stop()
    half = len(seen) // 2
    early, late = (max(memory for memory, *_ in part) for part in (seen[:half], seen[half:]))
    print(
        f"{len(seen) * 10} s of 16 clients, JSON and npy by turns: no error; "
        f"at most {early:.1f} MiB in the first half, {late:.1f} in the second; "
        f"{seen[0][1]} descriptors at first, {seen[-1][1]} at last"
    )
    if late > 1.05 * early or seen[-1][1] > seen[0][1]:
        raise SystemExit("it grows")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plume", type=pathlib.Path, default=ROOT / "build" / "bin" / "plume-infer")
    parser.add_argument("--python", type=pathlib.Path)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--steady", type=int, metavar="SECONDS")
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    for name in ("plume", "model", "out"):
        if getattr(options, name):
            setattr(options, name, getattr(options, name).absolute())
    if options.python is None and options.steady is None:
        parser.error("--python names the peer's Python")
    with tempfile.TemporaryDirectory() as folder:
        (steady if options.steady else compare)(options, pathlib.Path(folder))


if __name__ == "__main__":
    main()
