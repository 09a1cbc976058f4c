"""Runs of the real command that are proven and verified: what the benches `prove` and `verify` measure."""
import dataclasses
import functools
import json
import os
import pathlib
import tempfile
import time

import programs
import safetensors.torch
import table
import torch
from networks import WORKLOADS
from torch import nn

VERIFICATIONS = 5
THIN = 16  # of --small: widths, and steps


@dataclasses.dataclass
class Proven:
    steps: int
    plain_s: list  # PyTorch's seconds for a step, run after run
    proof: dict  # as `flair prove --json` says
    rss_mb: float
    verdicts: list  # as `flair verify --json` says

    @property
    def step_s(self):
        return self.proof["seconds"] / self.steps

    @property
    def cells(self):
        return self.proof["cells_per_chunk"] * self.proof["chunks"]

    @property
    def verify_ms(self):
        return [1000 * verdict["seconds"] for verdict in self.verdicts]


def steps_of(name, small):
    return max(WORKLOADS[name].steps // THIN, 1) if small else WORKLOADS[name].steps


@functools.cache  # the growth of a workload ends with the workload itself
def proven(name, steps, small):
    workload = WORKLOADS[name]
    torch.manual_seed(0)
    network = workload.build(THIN if small else 1)
    with tempfile.TemporaryDirectory(dir=table.ROOT / "build") as scratch:
        scratch = pathlib.Path(scratch)
        env = {"HOME": str(scratch), "PATH": os.environ["PATH"]}

        def flair(*arguments):
            return table.run(table.FLAIR, *arguments, "--json", cwd=scratch, env=env)
        flair("wallet", "new")
        _write_run(workload, network, steps, scratch)
        source, columns = workload.data(scratch)
        flair("data", "register", source, "--name", "run", "--columns", columns, "--program", "run.txt")
        if workload.calibrate:
            flair("program", "calibrate", "run.txt", "--data", "run.data", "--weights", "run.safetensors", *workload.calibrate,
                  "-o", "run.txt")
        run = json.loads(flair("train", "run.toml", "--exact").output)["run"]
        proof = flair("prove", run, "-o", "run")
        verdicts = [json.loads(flair("verify", "run.proof", "--statement", "run.statement.json").output) for _ in range(VERIFICATIONS)]
    return Proven(steps, _plain_steps(workload, network), json.loads(proof.output), proof.rss_mb, verdicts)


def _write_run(workload, network, steps, folder):
    text = programs.program_of(network, workload.batch, workload.image, rate=workload.rate, momentum=workload.momentum)
    (folder / "run.txt").write_text(text)
    safetensors.torch.save_file(programs.tensors_of(network), folder / "run.safetensors")
    (folder / "run.toml").write_text(f'program = "run.txt"\ndata = "run.data"\nweights = "run.safetensors"\n'
                                     f'steps = {steps}\nseed = "{7:064}"\n')


def _plain_steps(workload, network):
    """What is proven, unproven: seconds of five training steps behind two that warm up."""
    images, labels = torch.rand(workload.batch, *workload.image), torch.arange(workload.batch) % 10
    top, bottom = map(int, (workload.momentum + "/1").split("/")[:2])
    optimizer = torch.optim.SGD(network.parameters(), lr=1 / 64, momentum=top / bottom)
    seconds = []
    for _ in range(7):
        start = time.perf_counter()
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(images), labels).backward()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    return seconds[2:]
