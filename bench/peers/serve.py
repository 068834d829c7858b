#!/usr/bin/env python3
"""plume-infer serve under load, beside the same model behind ONNX Runtime and FastAPI (serve_peer.py) and, where it is
named, behind Triton Inference Server (triton_peer.py), by wrk.

    build/bin must be built (release), wrk installed; --python has torch, onnx, onnxruntime, fastapi, uvicorn, uvloop,
    httptools and orjson
    python3 bench/peers/serve.py --python VENV/bin/python --model model.safetensors --out bench/results/serve
        [--triton VENV2/bin/python]    # one with nvidia-pytriton and onnxruntime
    python3 bench/peers/serve.py --model model.safetensors --steady 600    # plume alone, one load for ten minutes

A round is each program in turn under each load; what counts is the median over rounds. FastAPI runs as one process
with a thread a core and as a process a core; the best peer is the one that is compared, load by load.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import tempfile

from circumstances import circumstances
from cpu import ROOT, run
from serving import PEERS, Server, sagemaker, triton

import numpy as np

BANDS, EDGE = 6, 256
LOADS = [(kind, clients) for kind in ("json", "npy") for clients in (1, 4, 16, 64)]
CORES = os.cpu_count()
RATIO_ASKED = 1.5  # of inference in cpu-inference.md
STAGES_ASKED = 4.0
INTRODUCTION = (
    "One tile of 256x256 and six bands a request, f32. The peers compute by ONNX Runtime; Triton is asked by its own "
    "protocol, for .npy with its binary extension. "
)
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


def plume(options, protocol):
    return Server("plume", protocol, [options.plume, "serve", options.model, "--port", "PORT"])


def peers(options, model, tile, folder, protocol):
    for workers, threads in ((1, CORES), (CORES, 1)):
        program = [options.python, "-B", PEERS / "serve_peer.py", model, "--port", "PORT"]
        name = f"FastAPI, {workers} x {threads} threads"
        yield Server(name, protocol, [*program, "--workers", workers, "--threads", threads])
    if options.triton:
        program = [options.triton, "-B", PEERS / "triton_peer.py", model, "--port", "PORT", "--threads", CORES]
        yield Server("Triton", triton(tile, folder), program)


def make_tile():
    return np.random.default_rng(0).standard_normal((1, EDGE, EDGE, BANDS), np.float32).round(4)


def subfolder(folder, name):
    (folder / name).mkdir()
    return folder / name


def require_agreement(servers):
    """All of them say the same of the tile."""
    answers = [server.ask("json") for server in servers]
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


def parsing_ms(server, stages):
    """Milliseconds that a JSON request takes in parsing and encoding, one client at a time."""
    server.load("json", 1, 1)
    before = stages(server)
    server.load("json", 1, 4)
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
            f"{pairs} | {row['best_peer']} |"
        )
    last = rows[-1]
    lines += [
        "",
        f"{last['work']}: {last['ours']:.2f} ms, the peer's {last['peer']:.2f} ms ({last['ratio']:.1f} times as long; "
        f"{last['at_least']:.0f} asked).",
    ]
    return "\n".join([*lines, ""])


def compare(options, folder):
    subject, tile = subfolder(folder, "subject"), make_tile()
    (subject / "model.safetensors").write_bytes(options.model.read_bytes())
    run([options.python, "-B", PEERS / "subject.py", subject])
    run([options.python, "-B", PEERS / "cpu_peer.py", "infer", subject, "--onnx", folder / "model.onnx"])
    protocol = sagemaker(tile, subfolder(folder, "sagemaker"))
    servers = [plume(options, protocol)]
    try:
        for peer in peers(options, folder / "model.onnx", tile, subfolder(folder, "triton"), protocol):
            servers.append(peer)
        require_agreement(servers)
        figures = {}
        for _ in range(options.rounds):
            for load in LOADS:
                for server in servers:
                    figures.setdefault((server.name, load), []).append(server.load(*load, options.seconds))
                    print(server.name, *load, figures[server.name, load][-1], flush=True)
        parsing = {
            server.name: parsing_ms(server, stages_of_plume if server is servers[0] else stages_of_peer)
            for server in servers[:2]
        }  # a process a core has as many counters
        notes = [
            f"{server.name}: ready {server.start_ms:.0f} ms after its start, "
            f"{server.resident_mebibytes():.0f} MiB resident after the loads."
            for server in servers
        ]
    finally:
        for server in servers:
            server.stop()
    rows, about = list(rows_of(figures, parsing)), circumstances()
    text = markdown(rows, [INTRODUCTION + " ".join(notes)], about)
    print(text)
    if options.out:
        options.out.with_suffix(".md").write_text(text)
        options.out.with_suffix(".json").write_text(json.dumps([row | about for row in rows], indent=1) + "\n")


def steady(options, folder):
    """One load for long: no error, and neither memory nor descriptors grow."""
    server = plume(options, sagemaker(make_tile(), folder))
    seen = []
    try:
        for _ in range(max(2, options.steady // 10)):
            figures = server.load("json" if len(seen) % 2 else "npy", 16, 10)
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
    parser.add_argument("--triton", type=pathlib.Path, metavar="PYTHON")
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
