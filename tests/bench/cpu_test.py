#!/usr/bin/env python3
"""What bench/peers/cpu.py makes of its programs, with stand-ins for them, and that a peer which computes something else
is refused: cpu_test.py PLUME ROOT"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PLUME, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
PEERS = ROOT / "bench" / "peers"
PYTHON = "/usr/bin/python3"  # Debian's own: the one that python3-torch belongs to

STAND_IN_PLUME = """#!/bin/sh
case $1 in bench) echo '{"milliseconds": 10, "peak_mebibytes": 100}' ;; esac
"""
# "fast" takes 25 ms, "slow" 50, "even" 30; the process holds 300 MiB.
STAND_IN_PYTHON = """#!/usr/bin/env python3
import json, sys
if "--list" in sys.argv:
    print(json.dumps(["PyTorch fast", "PyTorch slow", "PyTorch even"]))
elif sys.argv[2].endswith("cpu_peer.py"):
    chosen = sys.argv[sys.argv.index("--settings") + 1:]
    times = {"PyTorch fast": 25, "PyTorch slow": 50, "PyTorch even": 30}
    print(json.dumps({"milliseconds": {name: times[name] for name in chosen}, "imported_mebibytes": 200,
                      "peak_mebibytes": 300}))
"""
KEYS = {"work", "ours", "peer", "ratio", "at_least", "unit", "machine", "commit", "command", "best_peer", "rounds"}


class WithStandIns(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        (self.folder / "smoke_wmts_ref.h5").touch()
        for name, text in (("plume", STAND_IN_PLUME), ("python", STAND_IN_PYTHON)):
            (self.folder / name).write_text(text)
            (self.folder / name).chmod(0o755)

    def run_cpu(self, *arguments):
        command = [sys.executable, "-B", PEERS / "cpu.py", "--plume", self.folder / "plume", "--python",
                   self.folder / "python", "--models", self.folder, "--out", self.folder / "cpu", "--rounds", "3",
                   *arguments]
        return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)

    def rows(self, group):
        rows = json.loads((self.folder / f"cpu-{group}.json").read_text())
        for row in rows:
            self.assertEqual(set(row), KEYS)
            self.assertIn(row["work"], (self.folder / f"cpu-{group}.md").read_text())
        return rows

    def test_rows_and_contenders(self):
        done = self.run_cpu("--works", "train:16:1", "infer:64", "memory:32:4")
        self.assertEqual(done.returncode, 0, done.stderr)
        (row,) = self.rows("training")
        self.assertEqual((row["ours"], row["peer"], row["best_peer"]), (10, 25, "PyTorch fast"))
        self.assertEqual((row["ratio"], row["at_least"], row["unit"]), (2.5, 1.4, "ms"))
        # Within a quarter of the best: measured in every round; others twice.
        self.assertEqual(row["rounds"], {"plume": [10, 10, 10], "PyTorch fast": [25, 25, 25], "PyTorch slow": [50, 50],
                                         "PyTorch even": [30, 30, 30]})
        (row,) = self.rows("inference")
        self.assertEqual(row["at_least"], 1.5)
        (row,) = self.rows("memory")
        self.assertEqual((row["ours"], row["peer"], row["unit"]), (100, 300, "MiB"))
        self.assertEqual(row["rounds"]["(PyTorch fast, beyond its imported library)"], [100, 100])

    def test_start(self):
        done = self.run_cpu("--works", "start:smoke_wmts_ref", "load:smoke_wmts_ref")
        self.assertEqual(done.returncode, 0, done.stderr)
        against_peers, against_limit = self.rows("start")
        self.assertEqual(against_peers["best_peer"], "PyTorch fast")
        self.assertEqual(against_limit["peer"], 15)

    def test_check_fails_below_what_is_asked(self):
        self.assertEqual(self.run_cpu("--works", "train:64:4", "--check").returncode, 0)
        (self.folder / "plume").write_text(STAND_IN_PLUME.replace('"milliseconds": 10', '"milliseconds": 20'))
        done = self.run_cpu("--works", "train:64:4", "--check")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("slower than asked for", done.stderr)

    def test_unknown_works_are_refused(self):
        done = self.run_cpu("--works", "sleep:64:4")
        self.assertEqual(done.returncode, 2)
        self.assertIn("sleep:64:4", done.stderr)
        done = self.run_cpu("--works", "infer:nowhere")
        self.assertEqual(done.returncode, 2)
        self.assertIn("nowhere.h5", done.stderr)


has_torch = subprocess.run([PYTHON, "-c", "import torch, numpy"], capture_output=True, check=False).returncode == 0


@unittest.skipUnless(has_torch, f"{PYTHON} has no torch and numpy")
class Agreement(unittest.TestCase):
    """A network of base 2, so that it takes no time."""

    def run_script(self, *command):
        environment = os.environ | {"OMP_WAIT_POLICY": "passive"}
        command = [PYTHON, "-B", *map(str, command)]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    def run_first_setting(self, work, folder):
        names = json.loads(self.run_script(PEERS / "cpu_peer.py", work, folder, "--list").stdout)
        return self.run_script(PEERS / "cpu_peer.py", work, folder, "--repeats", 1, "--settings", names[0])

    def test_probabilities_must_be_plumes(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        folder = pathlib.Path(scratch.name)
        made = self.run_script(PEERS / "subject.py", folder, "--base", 2)
        self.assertEqual(made.returncode, 0, made.stderr)
        predict = [PLUME, "predict", "--model", folder / "model.safetensors", "--input", folder / "tiles" / "0.npy",
                   "--output", folder / "expected", "--format", "npy", "--device", "cpu"]
        subprocess.run(list(map(str, predict)), check=True, capture_output=True)
        for work in ("infer", "train"):
            done = self.run_first_setting(work, folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertGreater(min(json.loads(done.stdout)["milliseconds"].values()), 0)

        spoil = f"""import sys
sys.path.insert(0, {str(ROOT / "tests" / "parity")!r})
import safetensors_numpy as files
weights, metadata = files.load(sys.argv[1])
weights["head.bias"] += 0.1
files.save(sys.argv[1], weights, metadata)"""
        self.assertEqual(self.run_script("-c", spoil, folder / "model.safetensors").returncode, 0)
        for work in ("infer", "train"):
            done = self.run_first_setting(work, folder)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("part from plume's", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
