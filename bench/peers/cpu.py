#!/usr/bin/env python3
"""plume on the CPU against the best that other libraries do, and against itself: speed, memory, start, threads.

    build/bin/plume must be built (release); each --python has torch, and maybe onnx, onnxruntime and openvino
    python3 bench/peers/cpu.py --python /usr/bin/python3 --python VENV/bin/python --out bench/results/cpu

All sides have the same network with the same weights, and their probabilities must agree before anything is timed.
A round is a process of plume and one of each Python, in turn. In the first two rounds every setting of the libraries is
measured, in the others those within a quarter of the best; the setting with the best median counts as the peer. The
default, seven rounds of all works, takes about an hour on two cores; --works takes single ones, e.g. train:32:1
infer:smoke_wmts_ref:8. Results are OUT-GROUP.md and .json; groups are training, inference, int8, memory, start and
threads.
"""
import argparse
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import cpu_report
from circumstances import ROOT, circumstances

PEERS = ROOT / "bench" / "peers"
NEAR_THE_BEST = 1.25
STARTS = 9  # of plume in one round
LOAD_MILLISECONDS = 15  # what starting and loading may add to an inference
GROUPS = {"train": "training", "infer": "inference", "memory": "memory", "start": "start", "load": "start",
          "threads": "threads", "int8": "int8"}


@dataclasses.dataclass(frozen=True)
class Work:
    """KIND:NETWORK:BATCH; the network is the base of a classic U-Net or a model of NASA's pixel-detector."""

    kind: str
    network: str
    batch: int = 1

    @staticmethod
    def parse(text):
        kind, network, batch = (text + ":1").split(":")[:3]
        if kind not in GROUPS or not batch.isdigit():
            raise argparse.ArgumentTypeError(f"{text}: not KIND:NETWORK:BATCH with a KIND of {', '.join(GROUPS)}")
        return Work(kind, network, int(batch))

    def title(self):
        what = {"train": "training step", "infer": "inference", "memory": "peak memory of training steps",
                "start": "process start to first mask", "load": "process start to first mask, less one inference",
                "threads": "training step, 2 threads against 1", "int8": "inference in 8 bits"}[self.kind]
        network = f"base {self.network}" if self.network.isdigit() else self.network
        return f"{what}, {network}, batch {self.batch}"

    def unit(self):
        return "MiB" if self.kind == "memory" else "ms"

    def repeats(self):
        """As many as take some seconds; a classic U-Net of base 32 needs 24 GFLOP an image, a step three times that."""
        base = int(self.network) if self.network.isdigit() else 24
        gflop = 24 * (base / 32) ** 2 * self.batch * (1 if self.kind in ("infer", "int8") else 3)
        return max(2, min(10, round(500 / gflop)))


# The ratio asked for.
WORKS = {Work("train", "64", 1): 1.8, Work("train", "32", 1): 1.6, Work("train", "16", 1): 1.4,
         Work("train", "64", 4): 1.8, Work("train", "32", 4): 1.6, Work("train", "16", 4): 1.4,
         Work("infer", "64", 1): 1.5, Work("infer", "32", 1): 1.3}
WORKS |= {Work("infer", model, batch): 1.5 for model in ("smoke_wmts_ref", "smoke_wmts_ref_3layer") for batch in (1, 8)}
WORKS |= {Work("memory", "32", 4): 1 / 0.6, Work("start", "smoke_wmts_ref_3layer"): 10,
          Work("load", "smoke_wmts_ref_3layer"): 1, Work("threads", "32"): 1.8,
          Work("int8", "64"): 1.3, Work("int8", "32"): 1}


def run(command, **more):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def run_json(command, **more):
    return json.loads(run(command, **more).splitlines()[-1])


def milliseconds_of(command, **more):
    start = time.perf_counter()
    run(command, **more)
    return 1e3 * (time.perf_counter() - start)


def peer_environment():
    """Debian's OpenBLAS takes slow kernels on CPUs with AVX-512 that it does not know, unless it is told one. What
    torch.compile made is kept from one process to the next."""
    wide = "avx512f" in pathlib.Path("/proc/cpuinfo").read_text()
    kept = {"TORCHINDUCTOR_CACHE_DIR": str(pathlib.Path(tempfile.gettempdir()) / "plume-bench-inductor"),
            "TORCHINDUCTOR_FX_GRAPH_CACHE": "1"}
    return kept | ({"OPENBLAS_CORETYPE": "SKYLAKEX"} if wide else {}) | os.environ


class Bench:
    """Runs works; the networks and tiles that they need are made once, in a folder."""

    def __init__(self, options, folder):
        self.options, self.folder, self.environment = options, pathlib.Path(folder), peer_environment()
        self.names = {}  # of settings, by Python and kind of work

    def subject(self, network):
        """The folder of a network: subject.py's, with plume's own probabilities."""
        folder = self.folder / network
        if folder.exists():
            return folder
        folder.mkdir()
        python, model = self.options.python[-1], folder / "model.safetensors"
        if network.isdigit():
            run([python, "-B", PEERS / "subject.py", folder, "--base", network])
        else:
            run([python, "-B", PEERS / "subject.py", folder])
            run([self.options.plume, "import", "keras", self.options.models / f"{network}.h5", "-o", model])
        run([self.options.plume, "predict", "--model", model, "--input", folder / "tiles", "--output",
             folder / "expected", "--format", "npy", "--device", "cpu"])
        return folder

    def plume(self, kind, work, *more, before=()):
        model = self.subject(work.network) / "model.safetensors"
        return run_json([*before, self.options.plume, "bench", kind, "--model", model, "--batch", work.batch,
                         "--repeats", work.repeats(), "--device", "cpu", "--json", *more])

    def peer(self, python, kind, work, *more):
        command = [python, "-B", PEERS / "cpu_peer.py", kind, self.subject(work.network), "--batch", work.batch,
                   "--threads", self.options.threads, "--repeats", work.repeats(), *more]
        return run_json(command, env=self.environment)

    # Each of the following is one round: {program: figure}, ours first. Only `contenders` are measured of the peers;
    # None: all.

    def speed(self, work, contenders):
        figures = {"plume": self.plume(work.kind, work, "--threads", self.options.threads)["milliseconds"]}
        for python, settings in self.settings(work.kind, work, contenders):
            figures |= self.peer(python, work.kind, work, "--settings", *settings)["milliseconds"]
        return figures

    train = infer = speed

    def memory(self, work, contenders):
        figures = {"plume": self.plume("train", work, "--threads", self.options.threads)["peak_mebibytes"]}
        for python, settings in self.settings("train", work, contenders):
            for setting in settings:
                report = self.peer(python, "train", work, "--settings", setting)
                figures[setting] = report["peak_mebibytes"]
                figures[f"({setting}, beyond its imported library)"] = (
                    report["peak_mebibytes"] - report["imported_mebibytes"])
        return figures

    # Asked against PyTorch; the inference engines, which start sooner, are listed in brackets.
    def start(self, work, contenders):
        folder = self.subject(work.network)
        figures = {"plume": self.predict(work)}
        for python in self.options.python:
            for library, name in self.libraries(python, folder).items():
                command = [python, "-B", PEERS / "first_mask.py", library, folder, self.options.threads,
                           folder / "mask.npy"]
                shown = name if library == "PyTorch" else f"({name})"
                if shown != name or contenders is None or name in contenders:
                    figures[shown] = milliseconds_of(command, env=self.environment)
        return figures

    def load(self, work, _):
        inference = self.plume("infer", work, "--threads", self.options.threads)["milliseconds"]
        return {"plume": self.predict(work) - inference, "the limit": LOAD_MILLISECONDS}

    def threads(self, work, _):
        one = self.plume("train", work, "--threads", 1, before=("taskset", "-c", "0"))
        two = self.plume("train", work, "--threads", 2, before=("taskset", "-c", "0,1"))
        return {"plume, 2 threads": two["milliseconds"], "plume, 1 thread": one["milliseconds"]}

    def int8(self, work, _):
        """Without a model: plume calibrates on the noise that it runs on."""
        figures = {}
        for precision in ("int8", "f32"):
            report = run_json([self.options.plume, "bench", "infer", "--base", work.network, "--batch", work.batch,
                               "--repeats", work.repeats(), "--device", "cpu", "--threads", self.options.threads,
                               "--precision", precision, "--json"])
            figures[f"plume, {precision}"] = report["milliseconds"]
        return figures

    def predict(self, work):
        """Of some processes, because a single one's time is as much the machine's as the program's."""
        folder = self.subject(work.network)
        command = [self.options.plume, "predict", "--model", folder / "model.safetensors", "--input",
                   folder / "tiles" / "0.npy", "--output", folder / "masks", "--format", "npy",
                   "--threads", self.options.threads, "--device", "cpu"]
        return statistics.median(milliseconds_of(command) for _ in range(STARTS))

    def settings(self, kind, work, contenders):
        """(python, its settings that are contenders), without Pythons that have none."""
        for python in self.options.python:
            names = self.all_settings(python, kind, self.subject(work.network))
            chosen = [name for name in names if contenders is None or name in contenders]
            if chosen:
                yield python, chosen

    def all_settings(self, python, kind, folder):
        if (python, kind) not in self.names:
            command = [python, "-B", PEERS / "cpu_peer.py", kind, folder, "--list"]
            self.names[python, kind] = run_json(command, env=self.environment)
        return self.names[python, kind]

    def libraries(self, python, folder):
        """{what first_mask.py runs: its name with its version}; writes the model in ONNX where a library needs it."""
        found = {}
        for name in self.all_settings(python, "infer", folder):
            words = name.split()
            library, version = ("ONNX Runtime", words[2]) if words[0] == "ONNX" else words[:2]
            found.setdefault(library, f"{library} {version}")
        if len(found) > 1 and not (folder / "model.onnx").exists():
            command = [python, "-B", PEERS / "cpu_peer.py", "infer", folder, "--onnx", folder / "model.onnx"]
            run(command, env=self.environment)
        return found

    def row(self, work):
        """A row of the .json twin, with each round's figures of every program."""
        rounds, contenders = {}, None
        for _ in range(min(self.options.rounds, 2) if work.kind == "memory" else self.options.rounds):
            figures = getattr(self, work.kind)(work, contenders)
            for program, figure in figures.items():
                rounds.setdefault(program, []).append(figure)
            peers = {program: statistics.median(values) for program, values in rounds.items()
                     if program != next(iter(figures)) and not program.startswith("(")}
            if all(len(rounds[name]) > 1 for name in peers):  # one figure may be the machine's, not the setting's
                least = {name: min(rounds[name]) for name in peers}
                contenders = {name for name in least if least[name] <= NEAR_THE_BEST * min(least.values())}
        ours, *_ = rounds
        best = min(peers, key=peers.get)
        row = {"work": work.title(), "ours": statistics.median(rounds[ours]), "peer": peers[best]}
        row |= {"ratio": row["peer"] / row["ours"], "at_least": WORKS.get(work, 1.0), "unit": work.unit()}
        row |= {"best_peer": best, "rounds": rounds}
        print(f"{row['work']}: {ours} {row['ours']:.1f} {row['unit']}, {best} {row['peer']:.1f} {row['unit']}, "
              f"ratio {row['ratio']:.2f} (asked {row['at_least']:.2f})", flush=True)
        return row


def write(options, works, rows):
    for group in dict.fromkeys(GROUPS[work.kind] for work in works):
        members = [row for work, row in zip(works, rows) if GROUPS[work.kind] == group]
        out = pathlib.Path(f"{options.out}-{group}")
        out.with_suffix(".json").write_text(json.dumps(members, indent=2) + "\n")
        out.with_suffix(".md").write_text(cpu_report.markdown(group, members, options) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", action="append", required=True, help="a Python with the peers; may be repeated")
    parser.add_argument("--works", nargs="+", type=Work.parse, default=list(WORKS), metavar="KIND:NETWORK:BATCH")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2, help="of all programs")
    parser.add_argument("--plume", default=str(ROOT / "build" / "bin" / "plume"))
    parser.add_argument("--models", type=pathlib.Path, default=ROOT.parent / "shared" / "data" / "pixel_detector",
                        help="folder of NASA's models, smoke_wmts_ref.h5 and smoke_wmts_ref_3layer.h5")
    parser.add_argument("--out", help="write OUT-GROUP.md and OUT-GROUP.json")
    parser.add_argument("--check", action="store_true", help="fail where a ratio is below the one asked for")
    options = parser.parse_args()
    for network in {work.network for work in options.works if not work.network.isdigit()}:
        if not (options.models / f"{network}.h5").exists():
            parser.error(f"{options.models}/{network}.h5 is not there: name its folder by --models, or other --works")
    common = circumstances()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, folder)
        rows = []
        for work in options.works:
            rows.append(bench.row(work) | common)
            if options.out:  # at once: the next one may fail
                write(options, options.works[: len(rows)], rows)
    if options.check and any(row["ratio"] < row["at_least"] for row in rows):
        raise SystemExit("plume is slower than asked for")


if __name__ == "__main__":
    main()
