#!/usr/bin/env python3
"""How fast a training step is, plume's and PyTorch's: images per second, measured in turn, medians of the rounds.

    build/bin/plume must be built (release)
    /usr/bin/python3 bench/peers/step_speed.py --rounds 7 --out bench/results/step-speed

A step is forward, loss, backward and AdamW of the classic U-Net of depth 4. Ours is `plume train` itself, batches cut
and normalised on the way; PyTorch has its batch ready in memory, and of its two memory formats the faster one counts.
The first steps of each run are left out.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from train import PYTHON, ROOT, machine

BANDS, DEPTH = 6, 4
WARM, COUNTED = 4, 12  # steps
CASES = ("16x128x8", "16x256x2", "32x256x1")
AT_LEAST = 0.5


class Case:
    """base x edge x batch, e.g. 16x128x8."""

    def __init__(self, text):
        self.text = text
        self.base, self.edge, self.batch = map(int, text.split("x"))

    def __str__(self):
        return f"training step, classic U-Net of base {self.base}, {self.edge}x{self.edge}, batch {self.batch}"


def make_shard(plume, folder):
    """Drawn scenes of 256x256, all for training."""
    subprocess.run([plume, "data", "synth", "-o", folder, "--tiles", "8"], check=True, capture_output=True)
    names = sorted(path.stem for path in (folder / "tiles").iterdir())
    (folder / "split.csv").write_text("tile,split\n" + "".join(f"{name},train\n" for name in names))
    inputs = ["--tiles", folder / "tiles", "--masks", folder / "masks", "--split", folder / "split.csv"]
    subprocess.run([plume, "data", "pack", *inputs, "-o", folder / "tiles.h5"], check=True, capture_output=True)
    (folder / "defaults.toml").write_text("")


def measure_ours(case, options, folder):
    """From the log of a real training: the rows after the first."""
    with tempfile.TemporaryDirectory(dir=folder) as run:
        settings = {"data.shard": folder / "tiles.h5", "model.base": case.base, "model.depth": DEPTH}
        settings |= {"train.batch": case.batch, "train.crop": case.edge, "train.threads": options.threads}
        settings |= {"train.steps": WARM + COUNTED, "train.log_every": WARM, "train.validate_every": 1_000_000}
        command = [options.plume, "train", folder / "defaults.toml", "--quiet", "--json", "--out", run]
        command += [f"--set={key}={value}" for key, value in settings.items()]
        subprocess.run(command, check=True, capture_output=True)
        rows = [json.loads(line) for line in (pathlib.Path(run) / "log.jsonl").read_text().splitlines()]
    return statistics.harmonic_mean([row["images_per_second"] for row in rows[1:]])


def peer_environment():
    """Debian's OpenBLAS takes slow kernels on CPUs with AVX-512 that it does not know, unless it is told one."""
    wide = "avx512f" in pathlib.Path("/proc/cpuinfo").read_text()
    return ({"OPENBLAS_CORETYPE": "SKYLAKEX"} if wide else {}) | os.environ


def measure_peer(case, options):
    """In a process of its own, so that the two programs never hold the machine together."""
    command = [PYTHON, "-B", __file__, "--peer", case.text, "--threads", str(options.threads)]
    environment = peer_environment()
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return json.loads(done.stdout) | {"coretype": environment.get("OPENBLAS_CORETYPE", "")}


def run_peer(case, threads):
    """Prints PyTorch's images per second in each memory format, and its version."""
    sys.path.insert(0, str(ROOT / "tests" / "parity"))
    import torch
    from torch.nn import functional as F
    from torch_unet import ClassicUNet

    torch.set_num_threads(threads)
    report = {"version": torch.__version__}
    for name in ("channels_last", "contiguous_format"):
        memory_format = getattr(torch, name)
        network = ClassicUNet(BANDS, 1, case.base, DEPTH).to(memory_format=memory_format).train()
        optimizer = torch.optim.AdamW(network.parameters())
        images = torch.randn(case.batch, BANDS, case.edge, case.edge).contiguous(memory_format=memory_format)
        labels = (torch.rand(case.batch, 1, case.edge, case.edge) < 0.5).float()
        for step in range(WARM + COUNTED):
            if step == WARM:
                start = time.perf_counter()
            loss = F.binary_cross_entropy_with_logits(network(images), labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            loss.item()
        report[name] = COUNTED * case.batch / (time.perf_counter() - start)
    print(json.dumps(report))


def measure(case, options, folder):
    """The row of the .json twin, with the rounds' single figures."""
    ours, peer, formats = [], [], []
    for _ in range(options.rounds):
        ours.append(measure_ours(case, options, folder))
        report = measure_peer(case, options)
        formats.append(max(("channels_last", "contiguous_format"), key=report.get))
        peer.append(report[formats[-1]])
    row = {"work": str(case), "ours": statistics.median(ours), "peer": statistics.median(peer)}
    row |= {"ratio": row["ours"] / row["peer"], "at_least": AT_LEAST, "unit": "images/s"}
    row |= {"ours_rounds": ours, "peer_rounds": peer, "peer_formats": formats, "peer_version": report["version"]}
    row |= {"peer_openblas_coretype": report["coretype"]}
    print(f"{case}: plume {row['ours']:.2f}, PyTorch {row['peer']:.2f} images/s, ratio {row['ratio']:.2f}", flush=True)
    return row


def markdown(rows, options):
    first = rows[0]
    lines = ["# Speed of a training step, plume and PyTorch", ""]
    core = first["peer_openblas_coretype"]
    peer = f"torch {first['peer_version']}" + (f" with OPENBLAS_CORETYPE={core}" if core else "")
    lines += [f"{first['machine']}; plume {first['commit']}; {peer}; `{first['command']}`", ""]
    lines += [f"Images per second on {options.threads} threads: median (lowest to highest) of {options.rounds} rounds,"]
    lines += [f"the programs in turn; {COUNTED} steps each after {WARM} that do not count. A step is forward, loss,"]
    lines += ["backward and AdamW in f32. Ours is `plume train`, its loader included; PyTorch has its batch ready in"]
    lines += ["memory, in the faster of its two formats.", ""]
    lines += ["| step | plume | PyTorch | plume / PyTorch |", "| --- | --- | --- | --- |"]
    for row in rows:
        texts = []
        for key in ("ours", "peer"):
            rounds = row[f"{key}_rounds"]
            texts.append(f"{row[key]:.2f} ({min(rounds):.2f} to {max(rounds):.2f})")
        lines.append(f"| {row['work']} | {texts[0]} | {texts[1]} | {row['ratio']:.2f} |")
    lines += ["", "Rounds, ours and PyTorch's:", "", "```"]
    for row in rows:
        lines.append(row["work"])
        for ours, peer, name in zip(row["ours_rounds"], row["peer_rounds"], row["peer_formats"]):
            lines.append(f"  {ours:.2f}  {peer:.2f} ({name})")
    return "\n".join([*lines, "```", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", type=Case, default=[Case(text) for text in CASES],
                        metavar="BASExEDGExBATCH", help="default: " + " ".join(CASES))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2, help="of both programs")
    parser.add_argument("--plume", default=str(ROOT / "build" / "bin" / "plume"))
    parser.add_argument("--out", help="write OUT.md and OUT.json")
    parser.add_argument("--check", action="store_true", help=f"fail where plume / PyTorch is below {AT_LEAST}")
    parser.add_argument("--peer", type=Case, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        run_peer(options.peer, options.threads)
        return
    with tempfile.TemporaryDirectory() as folder:
        make_shard(options.plume, pathlib.Path(folder))
        rows = [measure(case, options, pathlib.Path(folder)) for case in options.cases]
    describe = ["git", "-C", ROOT, "describe", "--always", "--dirty"]
    commit = subprocess.run(describe, capture_output=True, text=True, check=False).stdout.strip()
    command = "/usr/bin/python3 bench/peers/step_speed.py " + " ".join(sys.argv[1:])
    rows = [row | {"machine": machine(), "commit": commit, "command": command} for row in rows]
    if options.out:
        out = pathlib.Path(options.out)
        out.with_suffix(".json").write_text(json.dumps(rows, indent=2) + "\n")
        out.with_suffix(".md").write_text(markdown(rows, options))
    if options.check and any(row["ratio"] < row["at_least"] for row in rows):
        raise SystemExit("plume is slower than asked for")


if __name__ == "__main__":
    main()
