#!/usr/bin/env python3
"""Training steps and inference on the CPU: plume's, and the best that other libraries do, in turn.

    build/bin/plume must be built (release); each --python has torch, and maybe onnxruntime, onnx and openvino
    python3 bench/peers/cpu.py --python /usr/bin/python3 --python VENV/bin/python --rounds 7 --out bench/results/cpu

A round is one process of plume and one of each Python. Of all their settings the one with the best median counts as the
peer; the others are listed. Images of 256x256 and 6 bands, f32, the classic U-Net of depth 4.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

from train import ROOT, machine

# (work, base, batch) and the ratio asked for.
WORKS = {("train", 64, 1): 1.8, ("train", 32, 1): 1.6, ("train", 16, 1): 1.4, ("train", 64, 4): 1.8,
         ("train", 32, 4): 1.6, ("train", 16, 4): 1.4, ("infer", 64, 1): 1.5, ("infer", 32, 1): 1.3}


def parse_work(text):
    work, base, batch = text.split(":")
    return work, int(base), int(batch)


def title(work):
    kind, base, batch = work
    return f"{'training step' if kind == 'train' else 'inference'}, base {base}, batch {batch}"


def measure_ours(work, options):
    kind, base, batch = work
    command = [options.plume, "bench", kind, "--base", base, "--batch", batch, "--threads", options.threads, "--json",
               "--device", "cpu", "--repeats", options.repeats]
    done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def peer_environment():
    """Debian's OpenBLAS takes slow kernels on CPUs with AVX-512 that it does not know, unless it is told one."""
    wide = "avx512f" in pathlib.Path("/proc/cpuinfo").read_text()
    return ({"OPENBLAS_CORETYPE": "SKYLAKEX"} if wide else {}) | os.environ


def measure_peer(python, work, options):
    script = ROOT / "bench" / "peers" / "cpu_peer.py"
    command = [python, "-B", script, *work, "--threads", options.threads, "--repeats", options.repeats]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=peer_environment(), check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


def measure(work, options):
    """A row of the .json twin, with each round's figures of every setting."""
    ours, memory, peers, peer_memory = [], [], {}, {}
    for _ in range(options.rounds):
        report = measure_ours(work, options)
        ours.append(report["milliseconds"])
        memory.append(report["peak_mebibytes"])
        for python in options.python:
            report = measure_peer(python, work, options)
            peer_memory[python] = report["peak_mebibytes"]
            for setting, milliseconds in report["milliseconds"].items():
                peers.setdefault(setting, []).append(milliseconds)
    best = min(peers, key=lambda setting: statistics.median(peers[setting]))
    row = {"work": title(work), "ours": statistics.median(ours), "peer": statistics.median(peers[best])}
    row |= {"ratio": row["peer"] / row["ours"], "at_least": WORKS.get(work, 1.0), "unit": "ms", "best_peer": best}
    row |= {"ours_rounds": ours, "peer_rounds": peers, "ours_peak_mebibytes": statistics.median(memory)}
    row |= {"peer_process_mebibytes": min(peer_memory.values())}
    print(f"{row['work']}: plume {row['ours']:.1f} ms, {best} {row['peer']:.1f} ms, ratio {row['ratio']:.2f} "
          f"(asked {row['at_least']})", flush=True)
    return row


def spread(values):
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def markdown(rows, options):
    first = rows[0]
    lines = ["# Training steps and inference on the CPU, plume and its best peer", ""]
    lines += [f"{first['machine']}; plume {first['commit']}; `{first['command']}`", ""]
    lines += [f"Milliseconds on {options.threads} threads: median (lowest to highest) of {options.rounds} rounds, the"]
    lines += ["programs in turn. f32, 256x256, 6 bands, classic U-Net of depth 4. A training step is forward, loss, backward"]
    lines += ["and AdamW. The peer is the setting with the best median.", ""]
    lines += ["| work | plume | best peer | its setting | ratio | asked |", "| --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        peer = spread(row["peer_rounds"][row["best_peer"]])
        lines.append(f"| {row['work']} | {spread(row['ours_rounds'])} | {peer} | {row['best_peer']} | "
                     f"{row['ratio']:.2f} | {row['at_least']} |")
    lines += ["", "## All settings", ""]
    for row in rows:
        lines += [f"{row['work']}; plume's process {row['ours_peak_mebibytes']:.0f} MiB at most", ""]
        lines += ["| setting | ms |", "| --- | --- |", f"| plume | {spread(row['ours_rounds'])} |"]
        ordered = sorted(row["peer_rounds"].items(), key=lambda item: statistics.median(item[1]))
        lines += [f"| {setting} | {spread(rounds)} |" for setting, rounds in ordered] + [""]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", action="append", required=True, help="a Python with the peers; may be repeated")
    parser.add_argument("--works", nargs="+", type=parse_work, default=list(WORKS), metavar="KIND:BASE:BATCH")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--repeats", type=int, default=5, help="that count in each process")
    parser.add_argument("--threads", type=int, default=2, help="of all programs")
    parser.add_argument("--plume", default=str(ROOT / "build" / "bin" / "plume"))
    parser.add_argument("--out", help="write OUT.md and OUT.json")
    parser.add_argument("--check", action="store_true", help="fail where a ratio is below the one asked for")
    options = parser.parse_args()
    rows = [measure(work, options) for work in options.works]
    describe = ["git", "-C", ROOT, "describe", "--always", "--dirty"]
    commit = subprocess.run(describe, capture_output=True, text=True, check=False).stdout.strip()
    shown = [word if "/" not in word else pathlib.Path(word).name for word in sys.argv[1:]]
    command = "python3 bench/peers/cpu.py " + " ".join(shown)
    rows = [row | {"machine": machine(), "commit": commit, "command": command} for row in rows]
    if options.out:
        out = pathlib.Path(options.out)
        out.with_suffix(".json").write_text(json.dumps(rows, indent=2) + "\n")
        out.with_suffix(".md").write_text(markdown(rows, options) + "\n")
    if options.check and any(row["ratio"] < row["at_least"] for row in rows):
        raise SystemExit("plume is slower than asked for")


if __name__ == "__main__":
    main()
