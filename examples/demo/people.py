"""The people of the demo: each has a home folder, a wallet and a working folder, and types `flair` commands."""
import json
import os
import pathlib
import subprocess
import sys

BIN = pathlib.Path(sys.executable).parent


class StepFailed(Exception):
    """A command did not do what the story says it does."""


class Person:
    def __init__(self, name, folder):
        self.name, self.home, self.repo = name, folder / name, None
        self.home.mkdir(parents=True)
        # A home of one's own keeps wallets and tokens apart; two threads at most leave a core to the others.
        self.env = {**os.environ, "HOME": str(self.home), "PATH": f"{BIN}:{os.environ['PATH']}",
                    "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore",
                    "CUDA_VISIBLE_DEVICES": ""}
        for inherited in ("FLAIR_KEYPAIR", "XDG_CONFIG_HOME"):
            self.env.pop(inherited, None)

    def _run(self, command, cwd, expect):
        done = subprocess.run(command, cwd=cwd or self.repo or self.home, env=self.env, text=True, capture_output=True)
        if done.returncode != expect:
            raise StepFailed(f"{self.name}: `{' '.join(map(str, command))}` ended with {done.returncode} instead of {expect}\n"
                             f"{done.stdout[-2000:]}{done.stderr[-4000:]}")
        return done

    def flair(self, *args, cwd=None, expect=0):
        """Runs a flair command and returns the document it prints with --json."""
        done = self._run([str(BIN / "flair"), "--json", *map(str, args)], cwd, expect)
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def flair_error(self, *args, expect):
        """Runs a flair command that must be refused, and returns its first error line."""
        return self._run([str(BIN / "flair"), *map(str, args)], None, expect).stderr.splitlines()[0]

    def start(self, script, *args):
        """Starts a Python script of this folder beside the others."""
        command = [sys.executable, str(pathlib.Path(__file__).parent / script), *map(str, args)]
        process = subprocess.Popen(command, cwd=self.repo or self.home, env=self.env, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return Job(self, script, process)


class Job:
    def __init__(self, person, script, process):
        self.person, self.script, self.process = person, script, process

    def result(self):
        """The JSON document on the script's last line."""
        out, err = self.process.communicate()
        if self.process.returncode != 0:
            raise StepFailed(f"{self.person.name}: {self.script} ended with {self.process.returncode}\n{out[-2000:]}{err[-4000:]}")
        return json.loads(out.strip().splitlines()[-1])
