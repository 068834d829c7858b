#!/usr/bin/env python3
"""What ptxas says of every CUDA kernel: registers, shared memory and spills, on sm_80 and sm_90, as one table.

    bench/ptxas.py --out bench/results/ptxas.md

Compiles each file of kernels/cuda/sources.cmake with nvcc -Xptxas -v; nothing is linked or run, and no GPU is needed.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDER = ROOT / "kernels" / "cuda"
ARCHITECTURES = ("80", "90")
FLAGS = ["-std=c++20", "-O3", "-DNDEBUG", "--expt-relaxed-constexpr", f"-I{ROOT}", f"-I{FOLDER / 'nvcc'}"]

ENTRY = re.compile(r"Compiling entry function '(\S+)' for 'sm_(\d+)a?'")
SPILLS = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers")
SHARED = re.compile(r"(\d+) bytes smem")


def sources():
    """The .cu files that the backend is built from, relative to its folder."""
    return re.findall(r"^\s+(\S+\.cu)\b", (FOLDER / "sources.cmake").read_text(), re.MULTILINE)


def parse(log):
    """{mangled name: {architecture: figures}} from ptxas's remarks."""
    kernels, figures = {}, None
    for line in log.splitlines():
        if found := ENTRY.search(line):
            figures = kernels.setdefault(found[1], {}).setdefault(found[2], {"shared": 0})
        elif figures is not None and (found := SPILLS.search(line)):
            figures["spills"] = int(found[2]) + int(found[3])
        elif figures is not None and (found := USED.search(line)):
            figures["registers"] = int(found[1])
            shared = SHARED.search(line)
            figures["shared"] = int(shared[1]) if shared else 0
            figures = None
    return kernels


def compile_one(nvcc, source):
    targets = [f"-gencode=arch=compute_{a},code=sm_{a}" for a in ARCHITECTURES]
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder) / "kernels.o"
        command = [nvcc, *FLAGS, *targets, "-Xptxas", "-v", "-c", FOLDER / source, "-o", output]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{source}: nvcc failed\n{done.stderr}")
    return parse(done.stderr)


def readable(names):
    """Demangled, without namespaces, parameters and casts of template arguments."""
    done = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True, check=True)
    result = []
    for name in done.stdout.splitlines():
        name = name.replace("(anonymous namespace)::", "").removeprefix("void ")
        name = re.sub(r"plume::(?:kernels::)?(?:cuda::)?", "", name)
        name = re.sub(r"\((?:int|bool|unsigned int)\)", "", name)
        result.append(name.partition("(")[0])
    return result


def markdown(tables, version):
    lines = ["# Registers, shared memory and spills of the CUDA kernels", ""]
    lines += [f"ptxas of CUDA {version}, for sm_80 and sm_90; written by `bench/ptxas.py`. Registers are per thread;"]
    lines += ["shared memory is the static part, bytes per block (kernels that size it at launch show 0 here); spills"]
    lines += ["are bytes of stores and loads per thread. Two figures in a cell are sm_80 / sm_90.", ""]
    rows, spilling = [], []
    for source, kernels in sorted(tables.items()):
        for name, by_architecture in sorted(zip(readable(kernels), kernels.values()), key=lambda row: row[0]):
            cells = []
            for key in ("registers", "shared", "spills"):
                values = [str(by_architecture[a][key]) for a in ARCHITECTURES]
                cells.append(values[0] if len(set(values)) == 1 else " / ".join(values))
            rows.append(f"| {source} | `{name}` | {' | '.join(cells)} |")
            if any(by_architecture[a]["spills"] for a in ARCHITECTURES):
                spilling.append(f"`{name}`")
    lines += [f"{len(rows)} kernels; " + (f"{len(spilling)} spill: {', '.join(spilling)}." if spilling else "none spills.")]
    lines += ["", "| source | kernel | registers | shared memory | spills |", "| --- | --- | --- | --- | --- |"]
    lines += rows
    return "\n".join(lines + [""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nvcc", default="nvcc")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--out", type=pathlib.Path, help="where the table goes; default: standard output")
    options = parser.parse_args()
    told = subprocess.run([options.nvcc, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"V(\d+\.\d+)", told)[1]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = pool.map(lambda source: (source, compile_one(options.nvcc, source)), sources())
        text = markdown(dict(results), version)
    if options.out:
        options.out.write_text(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
