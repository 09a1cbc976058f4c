"""transfer: a model from and to the hub over loopback. Baseline: nginx serving and taking the same bytes."""
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

import models
import table
from bench_commit import LAYERS_PER_GIB

NGINX = """
{user} worker_processes 2; pid {folder}/nginx.pid; error_log {folder}/nginx.err; daemon off;
events {{ worker_connections 256; }}
http {{
  access_log off; sendfile on; tcp_nopush on; client_max_body_size 0;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; root {folder}; location /put/ {{ dav_methods PUT; }} }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url, process):
    for _ in range(1000):
        try:
            urllib.request.urlopen(url, timeout=2)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            if process.poll() is not None:
                raise SystemExit(f"bench: nothing serves {url}")
            time.sleep(0.01)


def start_nginx(folder):
    """Serves what is in `folder`, and takes what is put under /put/."""
    port = free_port()
    (folder / "put").mkdir()
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, user="user root;" if os.geteuid() == 0 else ""))
    process = subprocess.Popen(["nginx", "-c", config, "-p", folder], stderr=subprocess.DEVNULL)
    wait_for(f"http://127.0.0.1:{port}/", process)
    return process, f"http://127.0.0.1:{port}"


def get(urls, headers=()):
    """Seconds for the bodies of all of them, one connection, into nothing."""
    command = ["curl", "-sSf"]
    for header in headers:
        command += ["-H", header]
    for url in urls:
        command += ["-o", "/dev/null", url]
    return table.run(*command).seconds


def put(path, url):
    """Seconds until the server has taken the file."""
    return table.run("curl", "-sSf", "-o", "/dev/null", "-T", path, url).seconds


def rows(small):
    layers = 2 if small else 2 * LAYERS_PER_GIB
    downloads, uploads, clones, nginx_gets, nginx_puts, copies = [], [], [], [], [], []
    with tempfile.TemporaryDirectory(dir=table.ROOT / "build") as scratch:
        scratch = pathlib.Path(scratch)
        env = {"HOME": str(scratch), "PATH": os.environ["PATH"]}
        hub_url = f"http://127.0.0.1:{free_port()}"
        hub = subprocess.Popen([table.FLAIR, "hub", "serve", "--data", scratch / "hub", "--listen", hub_url[7:]],
                               env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        watch = table.RssWatch(hub.pid)
        nginx = None
        try:
            wait_for(hub_url + "/healthz", hub)
            nginx, nginx_url = start_nginx(scratch)
            flair = lambda *a, cwd=scratch: table.run(table.FLAIR, *a, cwd=cwd, env=env)  # noqa: E731
            flair("wallet", "new")
            wallet = json.loads(flair("wallet", "show", "--json").output)["address"]
            flair("login", hub_url)
            flair("init", scratch / "repo")
            repo = scratch / "repo"
            model = repo / "model.safetensors"
            models.write_safetensors(model, layers, seed=1)
            megabytes = model.stat().st_size / 1e6
            flair("add", ".", cwd=repo)
            flair("commit", "-m", "model", cwd=repo)
            for n in range(3):
                address = f"{hub_url}/{wallet}/model{n}"
                flair("repo", "create", address)
                flair("remote", "add", f"r{n}", address, cwd=repo)
                uploads.append(megabytes / flair("push", f"r{n}", cwd=repo).seconds)
                nginx_puts.append(megabytes / put(model, f"{nginx_url}/put/model"))
                (scratch / "put/model").unlink()
                clones.append(megabytes / flair("clone", address, scratch / f"clone{n}").seconds)
                shutil.rmtree(scratch / f"clone{n}")

            packs = sorted(next((scratch / "hub/repos").iterdir()).joinpath("objects/packs").glob("*.pack"))
            packed = sum(p.stat().st_size for p in packs) / 1e6
            tokens = json.loads((scratch / ".config/flair/tokens.json").read_text())
            token = tokens["hubs"][hub_url][wallet]["token"]
            repo_id = packs[0].parent.parent.parent.name
            name = next(f"model{n}" for n in range(3)
                        if json.loads(flair("repo", "show", f"{hub_url}/{wallet}/model{n}", "--json").output)["id"] == repo_id)
            packs_url = f"{nginx_url}/{packs[0].parent.relative_to(scratch)}"
            random.seed(1)
            for n in range(5):
                pair = [(nginx_gets, [f"{packs_url}/{p.name}" for p in packs], ()),
                        (downloads, [f"{hub_url}/api/v1/repos/{wallet}/{name}/packs/{p.name}" for p in packs],
                         (f"Authorization: Bearer {token}",))]
                random.shuffle(pair)  # neither always meets the warmer cache
                for into, urls, headers in pair:
                    into.append(packed / get(urls, headers))
            for n in range(3):
                copies.append(megabytes / table.run("dd", f"if={model}", f"of={scratch}/copy", "bs=4M", "conv=fsync",
                                                    "status=none").seconds)
        finally:
            if nginx is not None:
                nginx.send_signal(signal.SIGTERM)
                nginx.wait()
            hub.send_signal(signal.SIGTERM)
            hub.wait()
            rss = watch.stop()
    return [table.row("transfer.download_mb_per_s", downloads, "MB/s", nginx_gets),
            table.row("transfer.upload_mb_per_s", uploads, "MB/s", nginx_puts),
            table.row("transfer.clone_mb_per_s", clones, "MB/s", copies),
            table.row("hub.rss_mb", [rss], "MB")]
