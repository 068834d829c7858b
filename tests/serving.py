"""plume-infer serve as a process of a test's own."""

import contextlib
import subprocess
import time
import urllib.request

from free_port import free_port


@contextlib.contextmanager
def serving(plume_infer, model, *options, **more):
    """The address of plume-infer serve, once it answers; `more` is Popen's."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([plume_infer, "serve", model, "--port", str(port), *options], **more)
    try:
        for _ in range(500):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/ping") as reply:
                if reply.status == 200:
                    break
            if process.poll() is not None:
                raise RuntimeError(f"plume-infer serve {model} ended with {process.returncode}")
            time.sleep(0.02)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=40)
