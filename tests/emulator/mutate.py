#!/usr/bin/env python3
"""Shows that the tests need every barrier and wait: mutate.py SOURCES PROGRAM [options of the program].

Runs PROGRAM (the tests of the CUDA operations, on the emulator) once as it is, to learn which sites of synchronisation
in the folder SOURCES the tests reach, and then once per site with that site left out. Fails unless a test fails each
time. Prints a table: the site, what it is, and which test noticed.
"""

import os
import re
import sys

from emulated_run import Run

SYNCHRONISES = re.compile(r"\b(__syncthreads(?:_or|_and|_count)?|__syncwarp|named_barrier_(?:sync|arrive)|"
                          r"cp_async_wait<\w+>)\(")


def sites_in_text(folder):
    """{"path:line"} of all sites that the sources have."""
    found = set()
    for where, _, names in os.walk(folder):
        if os.path.basename(where) == "nvcc":
            continue
        for name in names:
            if not name.endswith((".cu", ".cuh")):
                continue
            path = os.path.join(where, name)
            with open(path, encoding="utf-8") as file:
                for number, line in enumerate(file, 1):
                    if SYNCHRONISES.search(line.split("//")[0]):
                        found.add(f"{os.path.relpath(path, folder)}:{number}")
    return found


def noticed_by(run):
    """The first test that failed, or why the program ended."""
    failed = re.search(r"^\[  FAILED  \] (\S+?),? ", run.output, re.MULTILINE)
    if failed:
        return failed.group(1)
    begun = re.findall(r"^\[ RUN      \] (\S+)", run.output, re.MULTILINE)
    return f"{begun[-1]} (the program ended)" if begun else run.output[-100:].strip()


def main(folder, program, *options):
    whole = Run(program, options)
    if not whole.passed:
        print(whole.output[-4000:])
        print("The tests fail as they are.")
        return 1
    reached = {}
    for what, place in whole.sites:
        file, line = place.rsplit(":", 1)
        path = os.path.relpath(os.path.realpath(file), os.path.realpath(folder))  # headers are reached through links
        if not path.startswith(".."):
            reached[f"{path}:{line}"] = what
    unreached = sites_in_text(folder) - set(reached)
    survived = 0
    for place, what in sorted(reached.items()):
        run = Run(program, ["--gtest_fail_fast", *options], skip="/" + place, record=False, timeout=600)
        survived += run.passed
        print(f"{place:48} {what:16} {'NOTHING FAILS' if run.passed else noticed_by(run)}", flush=True)
    for place in sorted(unreached):
        print(f"{place:48} no test reaches it")
    print(f"{len(reached)} sites left out one by one: {len(reached) - survived} noticed, {survived} not; "
          f"{len(unreached)} not reached")
    return 1 if survived or unreached or not reached else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
