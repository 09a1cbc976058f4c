"""rss: peak memory of every command that moves contents, on a model of 5 GiB, and of the hub beside them."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import models
import table
from bench_commit import LAYERS_PER_GIB
from bench_transfer import free_port, wait_for

TARGET_MB = 300


def rows(small):
    layers = 2 if small else 5 * LAYERS_PER_GIB
    peaks, hub_url = {}, f"http://127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory(dir=table.ROOT / "build") as scratch:
        scratch = pathlib.Path(scratch)
        env = {"HOME": str(scratch), "PATH": os.environ["PATH"]}
        repo, model = scratch / "repo", scratch / "repo/model.safetensors"

        def flair(name, *arguments, cwd=repo):
            peaks[name] = max(peaks.get(name, 0), table.run(table.FLAIR, *arguments, cwd=cwd, env=env).rss_mb)
        hub = subprocess.Popen([table.FLAIR, "hub", "serve", "--data", scratch / "hub", "--listen", hub_url[7:]],
                               env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        watch = table.RssWatch(hub.pid)
        try:
            wait_for(hub_url + "/healthz", hub)
            for setup in (("wallet", "new"), ("login", hub_url), ("init", repo)):
                table.run(table.FLAIR, *setup, cwd=scratch, env=env)
            wallet = json.loads(table.run(table.FLAIR, "wallet", "show", "--json", env=env).output)["address"]
            address = f"{hub_url}/{wallet}/model"
            table.run(table.FLAIR, "repo", "create", address, cwd=scratch, env=env)
            table.run(table.FLAIR, "remote", "add", "origin", address, cwd=repo, env=env)
            models.write_safetensors(model, layers, seed=1)
            flair("add", "add", ".")
            flair("commit", "commit", "-m", "model")
            flair("status", "status")
            flair("push", "push")
            models.write_safetensors(model, layers, seed=2, base_seed=1)
            flair("add (delta)", "add", ".")
            flair("commit", "commit", "-m", "update")
            flair("diff", "diff", "HEAD~1")
            flair("show", "show", "HEAD")
            flair("blame", "blame")
            flair("log", "log")
            flair("push (delta)", "push")
            flair("switch", "switch", "--detach", "HEAD~1")
            flair("restore", "restore", "--source", "main", "model.safetensors")
            flair("reset --hard", "reset", "--hard", "HEAD")
            flair("switch", "switch", "main")
            flair("revert", "revert", "HEAD", "-m", "back")
            flair("fsck", "fsck")
            flair("gc", "gc")
            shutil.rmtree(repo)  # the disk is for one copy more
            flair("clone", "clone", address, scratch / "clone", cwd=scratch)
            shutil.rmtree(scratch / "clone")
            flair("clone --light int8", "clone", address, scratch / "light", "--light", "int8", cwd=scratch)
        finally:
            hub.send_signal(signal.SIGTERM)
            hub.wait()
            peaks["hub serve"] = watch.stop()
    return [table.row(f"rss.{name}", [peak], "MB", [TARGET_MB]) for name, peak in peaks.items()]
