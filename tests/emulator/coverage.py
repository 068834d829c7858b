#!/usr/bin/env python3
"""Checks that the tests execute every kernel: coverage.py SOURCES PROGRAM [options of the program].

Runs PROGRAM (the tests of the CUDA operations, on the emulator) and compares what ran with the text of the sources in
the folder SOURCES. Fails unless the program passes and

* every __global__ function was launched, with more than one block (those with a comment "// one block" above or beside
  them, a final reduction by nature, with one);
* every PLUME_COVER point was reached;
* every file with a kernel marks where its bounds take effect (`ragged`, or `wrapped` where only a loop has a bound), and
  every file with a pipeline of asynchronous copies where its stages come round (`wrapped`), in its own text or in what
  it includes; a kernel of one block has no bounds but its loops'.
"""

import collections
import os
import re
import sys

from emulated_run import Run

BOUNDS = r"(?:__launch_bounds__\((?:[^()]|\([^()]*\))*\)\s*)?"
KERNEL = re.compile(rf"__global__\s+{BOUNDS}void\s+{BOUNDS}(\w+)\s*\(")
POINT = re.compile(r"PLUME_COVER\((\w+)\)")
INCLUDE = re.compile(r'#include "kernels/cuda/([\w/.]+)"')


class Source:
    """A file's text, and what a check needs to know of it."""

    def __init__(self, folder, path):
        with open(os.path.join(folder, path), encoding="utf-8") as file:
            self.text = file.read()
        lines = self.text.split("\n")
        self.points = {}  # "path:line": name
        for number, line in enumerate(lines, 1):
            for name in POINT.findall(line):
                self.points[f"{path}:{number}"] = name
        self.kernels = {}  # name: whether it is one block by nature
        for match in KERNEL.finditer(self.text):
            number = self.text.count("\n", 0, match.start())
            near = lines[max(0, number - 3):number + 1]
            self.kernels[match.group(1)] = any("// one block" in line.lower() for line in near)
        self.includes = INCLUDE.findall(self.text)
        self.copies = "cp_async_commit()" in self.text


def read_sources(folder):
    sources = {}
    for where, _, names in os.walk(folder):
        if os.path.basename(where) == "nvcc":
            continue
        for name in names:
            if name.endswith((".cu", ".cuh")):
                path = os.path.relpath(os.path.join(where, name), folder)
                sources[path] = Source(folder, path)
    return sources


def points_in_reach(sources, path):
    """The names of the points in a file and in the files that it includes."""
    seen, todo = set(), [path]
    while todo:
        now = todo.pop()
        if now in seen or now not in sources:
            continue
        seen.add(now)
        todo.extend(sources[now].includes)
    return {name for one in seen for name in sources[one].points.values()}


def plain_name(kernel):
    """'plume::kernels::cuda::add<float>' -> 'add'."""
    return kernel.split("<", 1)[0].rsplit("::", 1)[-1]


def check(sources, run):
    """Returns the complaints, and prints the counts."""
    complaints = []
    blocks = collections.Counter()
    for kernel, grid in run.kernels.items():
        blocks[plain_name(kernel)] = max(blocks[plain_name(kernel)], grid)
    kernels = {}
    for path, source in sources.items():
        for name, one_block in source.kernels.items():
            if name in kernels:
                complaints.append(f"{path}: there is another kernel of the name {name}, so that they cannot be told apart")
            kernels[name] = one_block
            if blocks[name] == 0:
                complaints.append(f"{path}: no test launches the kernel {name}")
            elif blocks[name] == 1 and not one_block:
                complaints.append(f"{path}: no test launches the kernel {name} with more than one block")
        near = points_in_reach(sources, path)
        if not all(source.kernels.values()) and not near & {"ragged", "wrapped"}:
            complaints.append(f"{path}: a kernel, but no PLUME_COVER(ragged)")
        if source.copies and "wrapped" not in near:
            complaints.append(f"{path}: a pipeline, but no PLUME_COVER(wrapped)")
    points = {place: name for source in sources.values() for place, name in source.points.items()}
    reached = {place for _, place in run.points}
    missed = [place for place in points if not any(found.endswith("/" + place) for found in reached)]
    complaints += [f"{place}: no test reaches PLUME_COVER({points[place]})" for place in missed]
    executed = [name for name in kernels if blocks[name] > 0]
    print(f"{len(kernels)} kernels, {len(executed)} executed: {sum(blocks[name] > 1 for name in executed)} with more than "
          f"one block, {sum(kernels[name] for name in executed)} of one block by nature; "
          f"{len(run.kernels)} instantiations; {len(points)} marked branches, {len(points) - len(missed)} taken; "
          f"{len(run.sites)} sites of synchronisation")
    return complaints


def main(folder, program, *options):
    run = Run(program, options)
    if not run.passed:
        print(run.output[-4000:])
        print("The tests themselves fail.")
        return 1
    sources = read_sources(folder)
    if not any(source.kernels for source in sources.values()):
        print(f"There are no kernels in {folder}.")
        return 1
    complaints = check(sources, run)
    print("\n".join(complaints))
    return 1 if complaints else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
