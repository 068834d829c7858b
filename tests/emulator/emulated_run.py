"""Runs a test program on the emulator and reads what it covered: kernels, marked branches, and sites (barriers, waits,
shuffles, masks)."""

import os
import subprocess
import tempfile


def tests_of(program, options=()):
    """The names of the program's tests."""
    listed = subprocess.run([program, *options, "--gtest_list_tests"], text=True, check=True, stdout=subprocess.PIPE).stdout
    names, suite = [], ""
    for line in listed.splitlines():
        name = line.split("#")[0].rstrip()
        if name.startswith(" "):
            names.append(suite + name.strip())
        elif name.endswith("."):
            suite = name
    return names


class Run:
    """One run: passed, output, and if it kept a record kernels {name: blocks}, points {(name, "file:line")} and
    sites {(what, "file:line:column")}."""

    def __init__(self, program, options=(), skip=None, record=True, timeout=None):
        self.kernels, self.points, self.sites = {}, set(), set()
        environment = dict(os.environ)
        environment.pop("PLUME_EMULATOR_SKIP", None)
        environment.pop("PLUME_EMULATOR_COVERAGE", None)
        if skip:
            environment["PLUME_EMULATOR_SKIP"] = skip
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "coverage")
            if record:
                environment["PLUME_EMULATOR_COVERAGE"] = path
            try:
                done = subprocess.run([program, *options], env=environment, timeout=timeout, text=True, errors="replace",
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
                self.passed, self.output = done.returncode == 0, done.stdout
            except subprocess.TimeoutExpired as late:
                self.passed, self.output = False, f"ran for more than {late.timeout} seconds"
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    self._read(file)

    def _read(self, file):
        for line in file:
            kind, first, second = line.rstrip("\n").split("\t")
            if kind == "kernel":
                self.kernels[second] = max(int(first), self.kernels.get(second, 0))
            else:
                {"cover": self.points, "site": self.sites}[kind].add((first, second))
