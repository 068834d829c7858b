#!/usr/bin/env python3
"""Runs the tests of a CMake test preset and ends with one line that counts them: tests/run.py PRESET [ctest options].

On a machine with an NVIDIA GPU those of the preset "gpu" follow; elsewhere the same tests run on the emulator alone.
The exit status is 0 only if at least one test passed and none failed.
"""

import collections
import glob
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree


def run_ctest(preset, options):
    """Returns ctest's exit status and the test cases of its JUnit report (none where it did not get that far)."""
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "junit.xml")
        jobs = str(len(os.sched_getaffinity(0)))
        command = ["ctest", "--preset", preset, "-j", jobs, "--output-junit", report, *options]
        status = subprocess.run(command, stdin=subprocess.DEVNULL).returncode
        if not os.path.exists(report):
            return status, []
        with open(report, encoding="utf-8", errors="replace") as file:
            # Tests that print control characters must not make the report unreadable.
            text = re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\U0010ffff]", "?", file.read())
        return status, list(ElementTree.fromstring(text).iter("testcase"))


def outcome(case):
    """'passed', 'failed' or 'skipped'. A test that ctest could not start counts as failed."""
    if case.get("status") == "run":
        return "passed"
    skipped = case.find("skipped")
    asked_for = case.get("status") == "disabled" or (skipped is not None and "SKIP_" in skipped.get("message", ""))
    return "skipped" if asked_for else "failed"


def reason(case):
    """The text that GoogleTest's GTEST_SKIP() printed."""
    if case.get("status") == "disabled":
        return "disabled"
    found = re.search(r": Skipped\n(.*?)(?:\n\n|\[  SKIPPED \])", case.findtext("system-out") or "", re.DOTALL)
    return " ".join(found.group(1).split()) if found and found.group(1).strip() else "no reason given"


def main(preset, *options):
    status, cases = run_ctest(preset, options)
    if preset in ("release", "slow") and glob.glob("/dev/nvidia[0-9]*"):
        gpu_status, gpu_cases = run_ctest("gpu", options)
        status = status or gpu_status
        cases += gpu_cases
    names = collections.defaultdict(list)
    for case in cases:
        names[outcome(case)].append(case.get("name"))
    reasons = collections.Counter(reason(case) for case in cases if outcome(case) == "skipped")

    print()
    for text, count in reasons.most_common():
        print(f"skipped {count}: {text}")
    for name in names["failed"]:
        print(f"FAILED {name}")
    if not cases:
        print("ctest ran no test at all.")
    good = status == 0 and names["passed"] and not names["failed"]
    if status != 0 and not names["failed"]:
        print(f"ctest ended with status {status}.")
    print(f"{len(names['passed'])} passed, {len(names['failed'])} failed, {len(names['skipped'])} skipped", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
