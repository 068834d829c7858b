"""Under which circumstances figures were measured: what every table says of itself."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def machine():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return f"{os.cpu_count()} cores of {line.partition(':')[2].strip()}"
    return f"{os.cpu_count()} cores"


def commit():
    describe = ["git", "-C", ROOT, "describe", "--always", "--dirty"]
    return subprocess.run(describe, capture_output=True, text=True, check=False).stdout.strip()


def circumstances():
    """The machine, the commit, and the command that runs, of whose paths the last names are shown."""
    script = pathlib.Path(sys.argv[0]).resolve().relative_to(ROOT)
    shown = [word if "/" not in word else pathlib.Path(word).name for word in sys.argv[1:]]
    return {"machine": machine(), "commit": commit(), "command": " ".join(["python3", str(script), *shown])}
