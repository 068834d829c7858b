"""Ceph's gateway for a test or measurement in Python."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2]))
from free_port import free_port

PROGRAMS = ["curl", "ceph-mon", "ceph-osd", "ceph", "radosgw", "radosgw-admin"]


def missing():
    """A program that it needs and that is not here; None: all are."""
    return next((name for name in PROGRAMS if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") is None), None)


@contextlib.contextmanager
def gateway(folder, key_id, secret):
    """Its address; `folder` is its own, and goes with it."""
    port = free_port()
    script = pathlib.Path(__file__).with_name("rgw.sh")
    environment = os.environ | {"ACCESS_KEY": key_id, "SECRET_KEY": secret}
    process = subprocess.Popen(
        [script, folder, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        said = process.stdout.readline().strip()
        if said != "ready":
            raise RuntimeError(f"{script}: {said}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.stdin.close()
        process.wait(timeout=60)
        process.stdout.close()
        shutil.rmtree(folder, ignore_errors=True)
