"""Runs plume as a user would, and looks for secrets in all that it leaves behind."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

# What all tests of the cloud share, and all tests.
sys.path += [str(folder) for folder in pathlib.Path(__file__).resolve().parents[1:3]]
import leaks

ACCESS_KEY = "AKIDTESTTESTTESTTEST"
SECRET = "wJalrXUtnFEMI/K7MDENG+secret/of/this/test"
TOKEN = "IQoJb3JpZ2luX2VjEJr//token+of/this/test=="
PLUME = None  # set by main()


def without_secrets(found, where):
    leaks.expect_none((SECRET, TOKEN), found, where)


class PlumeTest(unittest.TestCase):
    ENDPOINT = None  # a server's address

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.runs = 0

    def environment(self):
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}
        return dict(kept, AWS_ACCESS_KEY_ID=ACCESS_KEY, AWS_SECRET_ACCESS_KEY=SECRET, AWS_SESSION_TOKEN=TOKEN,
                    AWS_REGION="us-east-1", AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null",
                    AWS_EC2_METADATA_DISABLED="true", OMP_WAIT_POLICY="passive",
                    XDG_STATE_HOME=str(self.folder / "state"),
                    AWS_ENDPOINT_URL=self.ENDPOINT or "http://127.0.0.1:1", NO_PROXY="127.0.0.1")

    def command(self, *arguments):
        return [PLUME, *map(str, arguments)]

    def plume(self, *arguments, code=0, env=None, **options):
        """Standard output; standard error is self.errors. Every run is looked through for secrets."""
        result = subprocess.run(self.command(*arguments), env=dict(self.environment(), **(env or {})), text=True,
                                capture_output=True, timeout=120, stdin=subprocess.DEVNULL, **options)
        self.errors = result.stderr
        self.runs += 1
        without_secrets(result.stdout, "stdout of " + " ".join(map(str, arguments)))
        without_secrets(result.stderr, "stderr of " + " ".join(map(str, arguments)))
        self.look_through_files()
        self.assertEqual(result.returncode, code, f"{arguments}\n{result.stdout}\n{result.stderr}")
        return result.stdout

    def look_through_files(self):
        """Journals and whatever else lies there."""
        for path in self.folder.rglob("*"):
            if path.is_file():
                without_secrets(path.read_bytes(), path)
