"""commit: a 1 GiB model into a repository; status of a clean 5 GiB one. Baseline: copying the file, fsync included."""
import pathlib
import statistics
import tempfile

import models
import table

LAYERS_PER_GIB = 16


def copy_durably(source, target):
    return table.run("dd", f"if={source}", f"of={target}", "bs=4M", "conv=fsync", "status=none")


def new_repository(folder):
    env = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
    table.run(table.FLAIR, "wallet", "new", env=env)
    table.run(table.FLAIR, "init", folder / "repo", env=env)
    return folder / "repo", env


def rows(small):
    layers = 1 if small else LAYERS_PER_GIB
    speeds, copies, memory, second = [], [], [], []
    with tempfile.TemporaryDirectory(dir=table.ROOT / "build") as scratch:
        scratch = pathlib.Path(scratch)
        first, step = scratch / "first.safetensors", scratch / "step.safetensors"
        models.write_safetensors(first, layers, seed=1)
        models.write_safetensors(step, layers, seed=2, base_seed=1)
        megabytes = first.stat().st_size / 1e6
        for n in range(3):
            folder = scratch / f"run{n}"
            folder.mkdir()
            repo, env = new_repository(folder)
            model = repo / "model.safetensors"
            for source, into in ((first, speeds), (step, second)):
                copies.append(megabytes / copy_durably(source, model).seconds)
                add = table.run(table.FLAIR, "add", ".", cwd=repo, env=env)
                commit = table.run(table.FLAIR, "commit", "-m", "version", cwd=repo, env=env)
                into.append(megabytes / (add.seconds + commit.seconds))
                memory.append(max(add.rss_mb, commit.rss_mb))
            table.run("rm", "-r", folder)
        first.unlink()
        step.unlink()

        folder = scratch / "large"
        folder.mkdir()
        repo, env = new_repository(folder)
        models.write_safetensors(repo / "model.safetensors", 5 * layers, seed=3)
        add = table.run(table.FLAIR, "add", ".", cwd=repo, env=env)
        table.run(table.FLAIR, "commit", "-m", "large", cwd=repo, env=env)
        memory.append(add.rss_mb)
        statuses = [1000 * table.run(table.FLAIR, "status", cwd=repo, env=env).seconds for _ in range(11)]
        stats = [1000 * table.run("stat", repo / "model.safetensors").seconds for _ in range(11)]
    return [table.row("commit.mb_per_s", speeds, "MB/s", copies),
            table.row("commit.delta_mb_per_s", second, "MB/s", copies),
            table.row("commit.rss_mb", [max(memory)], "MB"),
            table.row("status.clean_ms", statuses, "ms", [statistics.median(stats)])]
