"""What programs leave when they are aborted: a core holds all that they knew."""

import pathlib
import resource
import signal
import subprocess


def start(command, folder, **more):
    """The process, which may leave cores of any size in its folder; `more` is Popen's."""

    def allow():
        _, most = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (most, most))

    return subprocess.Popen(command, cwd=folder, preexec_fn=allow, **more)


def abort(process, folder):
    """The cores that it leaves."""
    process.send_signal(signal.SIGABRT)
    if process.wait(timeout=60) != -signal.SIGABRT:
        raise AssertionError(f"{process.args} ended with {process.returncode} before it was aborted")
    return sorted(pathlib.Path(folder).glob("core*"))


def why_none(folder, secret):
    """Why this system keeps no cores where they can be found, as the control shows: a program that hides nothing, with
    the secret in its environment. None: it does."""
    folder = pathlib.Path(folder) / "control"
    folder.mkdir()
    process = start(["/bin/cat"], folder, env={"SECRET": secret}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(b"x")
    process.stdin.flush()
    process.stdout.read(1)  # by now it is cat, and no longer what starts it
    found = abort(process, folder)
    process.stdin.close()
    process.stdout.close()
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if not found:
        return f"no core of an aborted program lies in its folder (kernel.core_pattern is {pattern})"
    holds = secret.encode() in found[0].read_bytes()
    for path in found:
        path.unlink()
    return None if holds else "the core of an aborted program does not hold its environment"
