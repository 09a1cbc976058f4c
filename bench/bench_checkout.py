"""checkout: the tip of a branch into an empty folder. Baseline: copying the file."""
import pathlib
import tempfile

import models
import table
from bench_commit import LAYERS_PER_GIB, new_repository


def rows(small):
    layers = 1 if small else LAYERS_PER_GIB
    speeds, copies, memory = [], [], []
    with tempfile.TemporaryDirectory(dir=table.ROOT / "build") as scratch:
        scratch = pathlib.Path(scratch)
        repo, env = new_repository(scratch)
        model = repo / "model.safetensors"
        models.write_safetensors(model, layers, seed=1)
        megabytes = model.stat().st_size / 1e6
        table.run(table.FLAIR, "add", ".", cwd=repo, env=env)
        table.run(table.FLAIR, "commit", "-m", "tip", cwd=repo, env=env)
        for n in range(3):
            model.rename(scratch / "original")
            restored = table.run(table.FLAIR, "restore", "model.safetensors", cwd=repo, env=env)
            table.run("cmp", model, scratch / "original")
            speeds.append(megabytes / restored.seconds)
            memory.append(restored.rss_mb)
            copies.append(megabytes / table.run("cp", scratch / "original", scratch / "copy").seconds)
    return [table.row("checkout.mb_per_s", speeds, "MB/s", copies),
            table.row("checkout.rss_mb", [max(memory)], "MB")]
