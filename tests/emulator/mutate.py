#!/usr/bin/env python3
"""Shows that the tests need every mask, barrier and wait: mutate.py SOURCES PROGRAM [options of the program].

Runs each test of PROGRAM (the tests of the CUDA operations, on the emulator) by itself, to learn which sites in the
folder SOURCES it reaches: barriers, waits, shuffles, and masks that hold something back. Then leaves out one site after
the other, and runs the tests that reach it, the shortest first, until one fails. Fails unless a test fails each time, and
if the text has a site that no test reaches. Prints a table: the site, what it is, and which test noticed.
"""

import concurrent.futures
import os
import sys
import time

from emulated_run import Run, tests_of
from kernel_text import kernel_files, sites_in, within


class Case:
    """A test run as it is: its name, how long it takes, and {site in the sources: what it is}."""

    def __init__(self, folder, program, options, name):
        self.name = name
        started = time.monotonic()
        run = Run(program, [*options, f"--gtest_filter={name}"])
        self.seconds = time.monotonic() - started
        self.passed = run.passed
        kinds = {place: what for what, place in run.sites}
        self.sites = {site: kinds[place] for site, place in within(folder, kinds).items()}


def noticed_by(program, options, site, cases):
    """The first test to fail without the site, or nothing."""
    for case in cases:
        run = Run(program, [*options, f"--gtest_filter={case.name}"], skip="/" + site, record=False,
                  timeout=60 + 20 * case.seconds)
        if not run.passed:
            return case.name
    return None


def main(folder, program, *options):
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        cases = list(pool.map(lambda name: Case(folder, program, options, name), tests_of(program, options)))
        failing = [case.name for case in cases if not case.passed]
        if failing:
            print("These tests fail as they are:", *failing)
            return 1
        cases.sort(key=lambda case: case.seconds)
        reached = {site: what for case in cases for site, what in case.sites.items()}
        unreached = {site for path, text in kernel_files(folder).items() for site in sites_in(path, text)} - set(reached)
        order = sorted(reached)
        results = pool.map(lambda site: noticed_by(program, options, site, [c for c in cases if site in c.sites]), order)
        survived = 0
        for site, test in zip(order, results):
            survived += test is None
            print(f"{site:48} {reached[site]:16} {test or 'NOTHING FAILS'}", flush=True)
    for site in sorted(unreached):
        print(f"{site:48} no test reaches it")
    print(f"{len(reached)} sites left out one by one: {len(reached) - survived} noticed, {survived} not; "
          f"{len(unreached)} not reached")
    return 1 if survived or unreached or not reached else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
