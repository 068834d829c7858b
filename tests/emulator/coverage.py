#!/usr/bin/env python3
"""Checks that the tests execute every kernel: coverage.py SOURCES PROGRAM [options of the program].

Runs PROGRAM (the tests of the CUDA operations, on the emulator) and compares what ran with the text of the sources in
the folder SOURCES. Fails unless the program passes and

* every __global__ function was launched, with more than one block (those with a comment "// one block" above or beside
  them, a final reduction by nature, with one);
* every PLUME_COVER point was reached, and every barrier, wait and shuffle;
* every mask, in_bounds(), held something back: a ragged tail;
* every file with a kernel has a mask, and every file with a pipeline of asynchronous copies marks where its stages come
  round (PLUME_COVER(wrapped)), in its own text or in what it includes.
"""

import collections
import re
import sys

from emulated_run import Run
from kernel_text import kernel_files, sites_in, within

BOUNDS = r"(?:__launch_bounds__\((?:[^()]|\([^()]*\))*\)\s*)?"
KERNEL = re.compile(rf"__global__\s+{BOUNDS}void\s+{BOUNDS}(\w+)\s*\(")
POINT = re.compile(r"PLUME_COVER\((\w+)\)")
INCLUDE = re.compile(r'#include "kernels/cuda/([\w/.]+)"')


class Source:
    """A file's text, and what a check needs to know of it."""

    def __init__(self, path, text):
        lines = text.split("\n")
        self.points = {}  # "path:line": name
        for number, line in enumerate(lines, 1):
            for name in POINT.findall(line):
                self.points[f"{path}:{number}"] = name
        self.kernels = {}  # name: whether it is one block by nature
        for match in KERNEL.finditer(text):
            number = text.count("\n", 0, match.start())
            near = lines[max(0, number - 3):number + 1]
            self.kernels[match.group(1)] = any("// one block" in line.lower() for line in near)
        self.sites = sites_in(path, text)
        self.includes = INCLUDE.findall(text)
        self.masks = "in_bounds(" in text
        self.copies = "cp_async_commit()" in text


def in_reach(sources, path):
    """A file and the files that it includes."""
    seen, todo = set(), [path]
    while todo:
        now = todo.pop()
        if now in seen or now not in sources:
            continue
        seen.add(now)
        todo.extend(sources[now].includes)
    return [sources[one] for one in seen]


def plain_name(kernel):
    """'plume::kernels::cuda::add<float>' -> 'add'."""
    return kernel.split("<", 1)[0].rsplit("::", 1)[-1]


def check(folder, sources, run):
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
        near = in_reach(sources, path)
        if source.kernels and not any(one.masks for one in near):
            complaints.append(f"{path}: a kernel, but no in_bounds()")
        if source.copies and not any("wrapped" in one.points.values() for one in near):
            complaints.append(f"{path}: a pipeline, but no PLUME_COVER(wrapped)")
    points = {place: name for source in sources.values() for place, name in source.points.items()}
    missed = set(points) - set(within(folder, (place for _, place in run.points)))
    complaints += [f"{place}: no test reaches PLUME_COVER({points[place]})" for place in sorted(missed)]
    sites = {site for source in sources.values() for site in source.sites}
    unreached = sites - set(within(folder, (place for _, place in run.sites)))
    complaints += [f"{site}: no test reaches it, or the mask holds nothing back" for site in sorted(unreached)]
    executed = [name for name in kernels if blocks[name] > 0]
    print(f"{len(kernels)} kernels, {len(executed)} executed: {sum(blocks[name] > 1 for name in executed)} with more than "
          f"one block, {sum(kernels[name] for name in executed)} of one block by nature; "
          f"{len(run.kernels)} instantiations; {len(points)} marked branches, {len(points) - len(missed)} taken; "
          f"{len(sites)} barriers, waits, shuffles and masks, {len(sites) - len(unreached)} in use")
    return complaints


def main(folder, program, *options):
    run = Run(program, options)
    if not run.passed:
        print(run.output[-4000:])
        print("The tests themselves fail.")
        return 1
    sources = {path: Source(path, text) for path, text in kernel_files(folder).items()}
    if not any(source.kernels for source in sources.values()):
        print(f"There are no kernels in {folder}.")
        return 1
    complaints = check(folder, sources, run)
    print("\n".join(complaints))
    return 1 if complaints else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
