"""Runs of the real command that are proven and verified: what the benches `prove` and `verify` measure."""
import dataclasses
import functools
import json
import os
import pathlib
import shutil
import tempfile
import time

import programs
import safetensors.torch
import table
import torch
from networks import WORKLOADS, fashion_arrays
from torch import nn

import flair

VERIFICATIONS = 5
THIN = 16  # of --small: widths, and steps
SEED = f"{7:064}"


@dataclasses.dataclass
class Proven:
    steps: int
    plain_s: list  # PyTorch's seconds for a step, run after run
    proofs: list  # as `flair prove --json` says, proof after proof of the same run
    rss_mb: float
    verdicts: list  # as `flair verify --json` says

    @property
    def proof(self):
        """The one whose time is the median."""
        return sorted(self.proofs, key=lambda proof: proof["seconds"])[len(self.proofs) // 2]

    @property
    def step_s(self):
        return [proof["seconds"] / self.steps for proof in self.proofs]

    def stage_s(self, *stages):
        """Seconds of a step, proof after proof."""
        return [sum(proof["stages"][stage] for stage in stages) / self.steps for proof in self.proofs]

    @property
    def cells(self):
        return self.proof["cells_per_chunk"] * self.proof["chunks"]

    @property
    def verify_ms(self):
        return [1000 * verdict["seconds"] for verdict in self.verdicts]


def steps_of(name, small):
    return max(WORKLOADS[name].steps // THIN, 1) if small else WORKLOADS[name].steps


class Prepared:
    """A folder with a run's program, weights and registered data, and the command in it."""

    def __init__(self, workload, network, steps, folder):
        self.folder, self.env = folder, {"HOME": str(folder), "PATH": os.environ["PATH"]}
        self.flair("wallet", "new")
        _write_run(workload, network, steps, folder)
        source, columns = workload.data(folder)
        self.flair("data", "register", source, "--name", "run", "--columns", columns, "--program", "run.txt")
        if workload.calibrate:
            self.flair("program", "calibrate", "run.txt", "--data", "run.data", "--weights", "run.safetensors", *workload.calibrate,
                       "-o", "run.txt")

    def flair(self, *arguments):
        return table.run(table.FLAIR, *arguments, "--json", cwd=self.folder, env=self.env)

    def prove(self, run, proofs, *more):
        """(what `prove` says each time, its most memory, what each verification of the last proof says)"""
        said, rss_mb = [], 0
        for _ in range(proofs):
            # Else the second proof would be the first one's chunks.
            shutil.rmtree(pathlib.Path(run) / "chunks", ignore_errors=True)
            proof = self.flair("prove", run, "-o", "run", *more)
            said.append(json.loads(proof.output))
            rss_mb = max(rss_mb, proof.rss_mb)
        verdicts = [json.loads(self.flair("verify", "run.proof", "--statement", "run.statement.json").output)
                    for _ in range(VERIFICATIONS)]
        return said, rss_mb, verdicts


@functools.cache  # the growth of a workload ends with the workload itself
def proven(name, steps, small):
    workload = WORKLOADS[name]
    torch.manual_seed(0)
    network = workload.build(THIN if small else 1)
    with tempfile.TemporaryDirectory(dir=table.ROOT / "build") as scratch:
        prepared = Prepared(workload, network, steps, pathlib.Path(scratch))
        run = json.loads(prepared.flair("train", "run.toml", "--exact").output)["run"]
        proofs, rss_mb, verdicts = prepared.prove(run, workload.proofs)
    return Proven(steps, _plain_steps(workload, network), proofs, rss_mb, verdicts)


class OfPixels(nn.Module):
    """A network with the program's names, and its first step."""

    def __init__(self, network):
        super().__init__()
        self.net = network

    def forward(self, x):
        return self.net(x.float() / 256)


def recorded(name, steps, small):
    """The same run trained by PyTorch on Fashion-MNIST, recorded, and proven with its slack."""
    workload = WORKLOADS[name]
    torch.manual_seed(0)
    network = workload.build(THIN if small else 1)
    images, labels = fashion_arrays()
    data = torch.utils.data.TensorDataset(torch.from_numpy(images)[:, None], torch.from_numpy(labels).long())
    with tempfile.TemporaryDirectory(dir=table.ROOT / "build") as scratch:
        prepared = Prepared(workload, network, steps, pathlib.Path(scratch))
        os.environ["FLAIR_KEYPAIR"] = str(prepared.folder / "id.json")
        flair.new_wallet(prepared.folder / "id.json")
        repo = flair.init(prepared.folder / "repo")
        model, optimizer = OfPixels(network), _optimizer(workload, network)
        batches = flair.batches(SEED, len(data), workload.batch, steps)
        with flair.record(model, optimizer, data=data, repo=repo) as run:
            for x, y in torch.utils.data.DataLoader(data, batch_sampler=batches):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(x), y).backward()
                optimizer.step()
        proofs, rss_mb, verdicts = prepared.prove(run.folder, workload.proofs, "--program", "run.txt", "--data", "run.data", "--seed", SEED)
    return Proven(steps, _plain_steps(workload, network), proofs, rss_mb, verdicts)


def _write_run(workload, network, steps, folder):
    text = programs.program_of(network, workload.batch, workload.image, rate=workload.rate,
                               optimiser=workload.optimiser)
    (folder / "run.txt").write_text(text)
    safetensors.torch.save_file(programs.tensors_of(network), folder / "run.safetensors")
    (folder / "run.toml").write_text(f'program = "run.txt"\ndata = "run.data"\nweights = "run.safetensors"\n'
                                     f'steps = {steps}\nseed = "{SEED}"\n')


def _optimizer(workload, network):
    top, bottom = map(int, workload.rate.split("/"))
    return workload.torch(network.parameters(), lr=top / bottom)


def _plain_steps(workload, network):
    """What is proven, unproven: seconds of five training steps behind two that warm up."""
    images, labels = torch.rand(workload.batch, *workload.image), torch.arange(workload.batch) % 10
    optimizer = _optimizer(workload, network)
    seconds = []
    for _ in range(7):
        start = time.perf_counter()
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(images), labels).backward()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    return seconds[2:]
