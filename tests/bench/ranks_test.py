#!/usr/bin/env python3
"""What measures and models ranks: bench/scaling_model.py, bench/scaling, bench/jube, bench/peers/ranks.py, with
stand-ins or with plume itself: ranks_test.py PLUME ROOT HAS_MPI"""
import csv
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

PLUME, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
PYTHON = "/usr/bin/python3"  # Debian's own: the one that python3-torch, -matplotlib and -yaml belong to
HAS_MPI = sys.argv[3] == "1" and shutil.which("mpiexec") is not None
WITHOUT_MPI = "no MPI, or no mpiexec (Debian and Ubuntu: mpich, libmpich-dev)"
sys.path.insert(0, str(ROOT / "bench"))
import scaling_model  # noqa: E402

# A mpiexec that starts one process and tells it of all; programs whose steps hang on the number of ranks.
STAND_IN_MPIEXEC = """#!/bin/sh
export PMI_SIZE=$2
shift 4
exec "$@"
"""
STAND_IN_PLUME = """#!/bin/sh
test $PMI_SIZE = 1 && step=0.10 || step=0.16
echo "{\\"step_s\\": $step, \\"verified\\": \\"${VERIFIED:-PASS}\\"}"
"""
STAND_IN_PYTHON = """#!/bin/sh
test "$1" = -c && echo PyTorch 9 && exit
test $PMI_SIZE = 1 && step=0.20 || step=0.25
echo "{\\"step_s\\": $step, \\"verified\\": \\"PASS\\"}"
"""


def run(command, **more):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=200,
                          **more)


def has(*modules):
    return run([PYTHON, "-c", f"import {', '.join(modules)}"]).returncode == 0


class WithScratch(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)


def layers():
    """Two layers of a MiB of gradients each; forward 1 + 1 ms, backward of the second 2 ms, of the first 4, update 2.
    """
    elements = scaling_model.MEBIBYTE // scaling_model.FLOAT
    rows = [("a", "forward", 1), ("b", "forward", 1), ("b", "weight gradient", 2), ("a", "weight gradient", 4),
            ("optimizer", "update", 2)]
    return {"milliseconds": 10, "batch": 2,
            "rows": [{"layer": layer, "pass": kind, "milliseconds": time, "gflop": 1} for layer, kind, time in rows],
            "parameters": [{"name": "a.weight", "offset": 0, "elements": elements},
                           {"name": "b.weight", "offset": elements, "elements": elements}]}


class Slow:
    """3 ms for a bucket with anything in it."""

    def __init__(self, beside_compute):
        self.beside_compute = beside_compute

    def seconds(self, size, _ranks):
        return 3e-3 if size else 0


class Model(unittest.TestCase):
    def test_buckets_follow_backward(self):
        step = scaling_model.Step.of_layers(layers())
        mebibyte = scaling_model.MEBIBYTE
        (late, at_four), (early, at_eight) = step.buckets(1)
        self.assertEqual((late, early), (mebibyte, mebibyte))
        self.assertAlmostEqual(at_four, 4e-3)
        self.assertAlmostEqual(at_eight, 8e-3)
        self.assertEqual([size for size, _ in step.buckets(1.5)], [2 * mebibyte])

    def test_overlap_hides_what_backward_covers(self):
        step = scaling_model.Step.of_layers(layers())
        self.assertEqual(step.with_exchange(Slow(True), 1, 1), 10e-3)
        self.assertAlmostEqual(step.with_exchange(Slow(True), 2, 1), 13e-3)  # 4 to 7 is hidden, 8 to 11 is not
        self.assertAlmostEqual(step.with_exchange(Slow(True), 2, 2), 13e-3)
        self.assertAlmostEqual(step.with_exchange(Slow(False), 2, 1), 16e-3)

    def test_rates_are_found_again(self):
        size, latency, rate = 16 * scaling_model.MEBIBYTE, 2e-4, 4e9
        buckets = [{"bucket_mebibytes": each, "seconds": 16 / each * latency + size / rate} for each in (0.5, 1, 2, 4)]
        links = scaling_model.HostLinks.fitted({"mebibytes": 16, "buckets": buckets})
        self.assertAlmostEqual(links.latency / latency, 1, places=6)
        self.assertAlmostEqual(links.rate / rate, 1, places=6)

    def test_links_of_a_node_and_between_nodes(self):
        links = scaling_model.GpuLinks(start=0, hop_inside=0, hop_between=0)
        self.assertAlmostEqual(links.seconds(240e9, 4), 1.5)  # 2 * 3/4 of 240 GB at 240 GB/s
        self.assertAlmostEqual(links.seconds(80e9, 8), 1.75)
        hops = scaling_model.GpuLinks(start=1, hop_inside=1e-2, hop_between=1)
        self.assertAlmostEqual(hops.seconds(0, 2), 1 + 2e-2)
        self.assertAlmostEqual(hops.seconds(0, 16), 1 + 2 * 3e-2 + 2 * 2)  # by tree

    def test_efficiency_falls_with_ranks(self):
        options = type("Options", (), {"utilisation": 0.4, "bucket": 25, "wire": "f32", "strong": 64, "most": 1024})
        report = layers()
        for row in report["rows"]:
            row["gflop"] = 1000
        rows = list(scaling_model.rows_of(report, options))
        self.assertEqual([row[0] for row in rows], [2**power for power in range(11)])
        kept = [row[2] for row in rows]
        self.assertEqual(kept[0], 1)
        self.assertEqual(kept, sorted(kept, reverse=True))
        self.assertGreater(kept[-1], 0)
        self.assertEqual([row[3] is None for row in rows], [ranks > 64 for ranks, *_ in rows])

    def test_reads_what_plume_prints(self):
        done = run([PLUME, "bench", "layers", "--base", 4, "--size", 32, "--batch", 2, "--repeats", 1, "--device",
                    "cpu", "--json"])
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        step = scaling_model.Step.of_layers(report)
        self.assertAlmostEqual(step.seconds, 1e-3 * report["milliseconds"])
        sizes = sum(size for size, _ in step.buckets(0.01))
        self.assertEqual(sizes, step.parameters[-1].end * scaling_model.FLOAT)
        times = [written for _, written in step.buckets(0.01)]
        self.assertEqual(times, sorted(times))  # backward is in the flat buffer's order, from its end
        self.assertLess(times[-1], step.seconds - step.update + 1e-9)


@unittest.skipUnless(HAS_MPI, WITHOUT_MPI)
class Scaling(WithScratch):
    def test_rows_and_plot(self):
        table = self.folder / "scaling.csv"
        done = run([sys.executable, "-B", ROOT / "bench" / "scaling" / "measure.py", "--plume", PLUME, "--ranks", 2, 1,
                    "--modes", "weak", "strong", "--batch", 1, "--global-batch", 2, "--steps", 3, "--launch",
                    "mpiexec -n {ranks}", "--out", table, "--", "--base", 4, "--size", 32, "--device", "cpu",
                    "--threads", 1, "--out", self.folder])
        self.assertEqual(done.returncode, 0, done.stderr)
        with table.open(newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([(row["mode"], row["ranks"], row["global_batch"]) for row in rows],
                         [("weak", "1", "1"), ("weak", "2", "2"), ("strong", "1", "2"), ("strong", "2", "2")])
        for row in rows:
            self.assertEqual(row["verified"], "PASS")
            alone = next(other for other in rows if other["mode"] == row["mode"])
            kept = float(row["img_per_s"]) / (int(row["ranks"]) * float(alone["img_per_s"]))
            self.assertAlmostEqual(float(row["efficiency"]), kept)
        plot = [PYTHON, "-B", ROOT / "bench" / "scaling" / "plot.py", table, "-o", self.folder / "scaling.svg"]
        done = run(plot)
        if not has("matplotlib"):
            self.assertIn("python3-matplotlib", done.stderr)
            self.skipTest("no matplotlib: nothing drawn")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("<svg", (self.folder / "scaling.svg").read_text()[:1000])


class Jube(WithScratch):
    """bench/jube/default.yaml, by JUBE where it is installed."""

    DEFINITION = ROOT / "bench" / "jube" / "default.yaml"

    @unittest.skipUnless(HAS_MPI, WITHOUT_MPI)
    @unittest.skipUnless(shutil.which("jube"), "no jube (Debian and Ubuntu: jube)")
    def test_runs(self):
        done = run(["jube", "run", self.DEFINITION, "--outpath", self.folder, "--tag", "local", "test"],
                   env=os.environ | {"PLUME": PLUME, "SYSTEMNAME": "here"}, cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        done = run(["jube", "result", self.folder, "--analyse", "--only", "csv"], cwd=self.folder)
        head, *rows = [line.split(",") for line in done.stdout.splitlines() if line.count(",") > 5]
        found = [dict(zip(head, row)) for row in rows]
        self.assertEqual([row["ranks"] for row in found], ["1", "2"], done.stdout)
        for row in found:
            self.assertEqual((row["systemname"], row["verified"]), ("here", "PASS"))
            self.assertAlmostEqual(float(row["time_to_report"]) * float(row["img_per_s"]) / 1e6, 1, places=2)
            self.assertTrue(float(row["step_s_std"]) >= 0)

    @unittest.skipUnless(has("yaml"), "no PyYAML (Debian and Ubuntu: python3-yaml)")
    def test_patterns_find_what_plume_prints(self):
        done = run([PYTHON, "-c", "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))",
                    self.DEFINITION])
        self.assertEqual(done.returncode, 0, done.stderr)
        report = run([PLUME, "bench", "train", "--base", 4, "--size", 32, "--steps", 3, "--device", "cpu"]).stdout
        numbers = {"$jube_pat_int": r"([+-]?\d+)", "$jube_pat_nint": r"[+-]?\d+", "$jube_pat_wrd": r"(\S+)",
                   "$jube_pat_fp": r"([+-]?\d*\.?\d+(?:[eE][-+]?\d+)?)"}
        for pattern in json.loads(done.stdout)["patternset"][0]["pattern"]:
            regex = pattern["_"]
            for name, text in numbers.items():
                regex = regex.replace(name, text)
            matches = len(re.findall(regex, report, re.MULTILINE))
            expected = {"seconds_of_steps": 3, "exposed_comm": 0}.get(pattern["name"], 1)
            self.assertEqual(matches, expected, pattern["name"])


class Peers(WithScratch):
    def setUp(self):
        super().setUp()
        for name, text in (("mpiexec", STAND_IN_MPIEXEC), ("plume", STAND_IN_PLUME), ("python", STAND_IN_PYTHON)):
            (self.folder / name).write_text(text)
            (self.folder / name).chmod(0o755)

    def compare(self, *arguments, **environment):
        command = [sys.executable, "-B", ROOT / "bench" / "peers" / "ranks.py", "--plume", self.folder / "plume",
                   "--python", self.folder / "python", "--works", "16:2", "--ranks", 2, "--rounds", 2, "--out",
                   self.folder / "ranks", *arguments]
        path = f"{self.folder}:{os.environ['PATH']}"
        return run(command, env=os.environ | {"PATH": path} | environment)

    def test_rows(self):
        done = self.compare()
        self.assertEqual(done.returncode, 0, done.stderr)
        rate, kept = json.loads((self.folder / "ranks.json").read_text())
        self.assertAlmostEqual(rate["ours"], 2 * 2 / 0.16)
        self.assertAlmostEqual(rate["peer"], 2 * 2 / 0.25)
        self.assertAlmostEqual(rate["ratio"], 0.25 / 0.16)
        self.assertEqual({name: len(rounds) for name, rounds in rate["rounds"].items()},
                         {"plume on 1": 2, "plume on 2": 2, "peer on 1": 2, "peer on 2": 2})
        self.assertAlmostEqual(kept["ratio"], 0.10 / 0.16)
        self.assertAlmostEqual(kept["torch"], 0.20 / 0.25)
        self.assertIn(kept["work"], (self.folder / "ranks.md").read_text())

    def test_checks(self):
        done = self.compare("--check")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("below what is asked: weak scaling", done.stderr)
        done = self.compare(VERIFIED="FAIL")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("not a training", done.stderr)

    @unittest.skipUnless(HAS_MPI and has("torch"), f"{PYTHON} has no torch, or {WITHOUT_MPI}")
    def test_the_peer_trains(self):
        done = run([shutil.which("mpiexec"), "-n", 2, PYTHON, "-B", ROOT / "bench" / "peers" / "ranks_peer.py",
                    "--base", 4, "--size", 32, "--batch", 1, "--steps", 3, "--port", 29571])
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual((report["ranks"], report["verified"]), (2, "PASS"))
        self.assertGreater(report["step_s"], 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
