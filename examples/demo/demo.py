#!/usr/bin/env python3
"""./dev demo: three sites improve one model together, on Fashion-MNIST that none of them shares.

Two sites train with PyTorch, one with Keras; a fourth pushes a poisoned update. Every step is a command that a
person could type, and every claim of the story is checked: the demo ends with 1 if one does not hold.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request

from people import BIN, Person, StepFailed

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "build/demo"
SITES = ("north", "south", "west")  # west trains with Keras
SHARDS = len(SITES) + 1  # the intruder has a shard too
NUM_IMAGES, IMAGE_BYTES = 60_000, 28 * 28  # Fashion-MNIST's training set
POLICY = """\
format = 1

[access]
repository = "private"
updates = "open"

[branches.main]
push = ["owner"]
reviews = 1

[contribution]
min_samples = 500

[merge]
methods = ["fedavg", "krum"]
"""


def say(text=""):
    print(text, flush=True)


def expect(condition, what):
    if not condition:
        raise StepFailed(f"the story does not hold: {what}")


def megabytes(count):
    return f"{count / 1e6:.2f} MB"


class Hub:
    """`flair hub serve` in the background, with a folder of its own."""

    def __init__(self, port):
        self.url, self.data = f"http://127.0.0.1:{port}", FOLDER / "hub"
        self.log = (FOLDER / "hub.log").open("wb")
        self.process = subprocess.Popen([str(BIN / "flair"), "hub", "serve", "--data", str(self.data),
                                         "--listen", f"127.0.0.1:{port}"], stdout=self.log, stderr=self.log)
        for _ in range(100):
            try:
                urllib.request.urlopen(f"{self.url}/healthz", timeout=1)
                return
            except (urllib.error.URLError, OSError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise StepFailed(f"the hub did not start; see {FOLDER / 'hub.log'}")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)


def free_port(wanted):
    import socket
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Story:
    def __init__(self, hub):
        self.hub = hub
        self.owner = Person("owner", FOLDER)
        self.sites = [Person(name, FOLDER) for name in SITES]
        self.intruder = Person("intruder", FOLDER)
        self.address = f"{hub.url}/maria/fashion"
        self.model_bytes = 0
        self.travelled = 0

    # --- the parts of the story, in order -----------------------------------------

    def create(self):
        say("1. Maria creates a repository and pushes an untrained CNN with a policy.")
        for person in (self.owner, *self.sites, self.intruder):
            person.address = person.flair("wallet", "new")["address"]
        self.owner.flair("login", self.hub.url, "--handle", "maria")
        self.owner.flair("repo", "create", "maria/fashion", "--private")
        repo = self.owner.home / "fashion"
        self.owner.flair("init", repo)
        self.owner.repo = repo
        self.owner.start("create_model.py", "--out", repo / "model.safetensors").result()
        self.model_bytes = (repo / "model.safetensors").stat().st_size
        (repo / "flair.toml").write_text(POLICY)
        self.owner.flair("add", "model.safetensors", "flair.toml")
        commit = self.owner.flair("commit", "-m", "Untrained CNN")["commit"]
        self.owner.flair("remote", "add", "origin", self.address)
        pushed = self.owner.flair("push")
        expect(pushed["moved"], "the owner's first push moves main")
        say(f"   commit {commit[:12]}, {megabytes(self.model_bytes)}, accuracy {self.global_accuracy():.3f}")

    def invite(self):
        say("2. She invites three sites (and, unknowing, a fourth that means harm); each clones the model.")
        for person in (*self.sites, self.intruder):
            refused = person.flair_error("clone", self.address, person.home / "fashion", expect=4)
            expect("error" in refused, "a stranger is refused")
            person.flair("login", self.hub.url, "--handle", f"site-{person.name}")
            self.owner.flair("invite", person.address, "--role", "contributor")
            person.flair("clone", self.address, person.home / "fashion", cwd=person.home)
            person.repo = person.home / "fashion"

    def train(self, round_number, with_intruder=False):
        """Every site trains from main and pushes; returns site name -> what it pushed."""
        jobs = []
        for index, person in enumerate(self.sites):
            if round_number > 1:
                person.flair("switch", "main")
                person.flair("pull")
            script = "site_keras.py" if person.name == "west" else "site_torch.py"
            jobs.append((person, ("--repo", person.repo, "--data-shard", f"{index}/{SHARDS}", "--seed", 100 * round_number + index,
                                  "--epochs", 1), script))
        if with_intruder:
            jobs.append((self.intruder, ("--repo", self.intruder.repo, "--data-shard", f"{SHARDS - 1}/{SHARDS}", "--seed", 666,
                                         "--epochs", 1, "--poison"), "site_torch.py"))
        results = {}
        for pair in (jobs[:2], jobs[2:]):  # two at a time: one core each
            for person, job in [(p, p.start(script, *args)) for p, args, script in pair]:
                results[person.name] = job.result()
        for name, r in results.items():
            self.travelled += r["egress_bytes"]
            say(f"   {name:8} {r['framework']:10} {r['samples']:5} samples, accuracy at home {r['accuracy']:.3f}, "
                f"commit {r['commit'][:12]} -> proposal {r['proposal']}, {megabytes(r['egress_bytes'])} travelled")
        return results

    def reject_poison(self, pushed):
        say("4. The evidence: Maria looks before anything counts.")
        say("      proposal  site       norm    ratio to median  cosine to others  Krum rank")
        worst = None
        for name, r in pushed.items():
            shown = self.owner.flair("proposal", "show", r["proposal"])
            e = shown["evidence"]
            say(f"      {r['proposal']:<9} {name:9} {e['update_norm']:7.2f}  {e['norm_ratio']:13.2f}    {e['cosine']:14.2f}   {e['krum_rank']:9}")
            if worst is None or e["krum_score"] > worst[1]:
                worst = (name, e["krum_score"], r["proposal"])
        expect(worst[0] == "intruder", "the Krum score singles the poisoned update out")
        self.owner.flair("proposal", "review", worst[2], "--reject", "-m", "Ten times the norm of the others, against their direction")
        self.owner.flair("proposal", "close", worst[2])
        refused = self.owner.flair_error("proposal", "merge", worst[2], expect=3)
        say(f"   proposal {worst[2]} rejected; merging it anyway is refused: {refused}")

    def merge(self, round_number, pushed, method="fedavg"):
        numbers = [r["proposal"] for name, r in pushed.items() if name != "intruder"]
        for number in numbers:
            self.owner.flair("proposal", "review", number, "--approve", "-m", "Norms and cosines as expected")
        merged = self.owner.flair("proposal", "merge", *numbers, "--method", method, "-m", f"Round {round_number}")
        self.owner.flair("pull")
        shown = self.owner.flair("show", merged["commit"])
        expect(len(shown["parents"]) == 1 + len(numbers), "a round is one commit with all its contributions as parents")
        measured = self.measure()
        accuracy = measured["global"]
        say(f"   merged by {method}: commit {merged['commit'][:12]} with {len(shown['parents'])} parents, global accuracy {accuracy:.3f}; "
            f"at the sites {', '.join(f'{name} {at_home:.3f}' for name, at_home in zip(SITES, measured['sites']))}")
        return merged["commit"], accuracy

    def redo_with_krum(self, merge_commit, pushed, before, accuracy):
        say("7. Second thoughts: the last merge is reverted, and done again with Krum.")
        reverted = self.owner.flair("revert", merge_commit, "-m", "Revert round 3")["commit"]
        back = self.global_accuracy()
        expect(abs(back - before) < 1e-9, "the revert restores the model of round 2")
        say(f"   reverted: commit {reverted[:12]}, accuracy {back:.3f} as after round 2; the history keeps both")
        self.owner.flair("switch", "--create", "krum", f"{merge_commit}~1")
        again = self.owner.flair("merge", *[r["commit"] for r in pushed.values()], "--method", "krum", "-m", "Round 3 by Krum")
        krum = self.global_accuracy()
        self.owner.flair("switch", "main")
        self.owner.flair("merge", "krum", "-m", "Take round 3 by Krum")
        expect(self.owner.flair("push")["moved"], "the owner may push to main")
        expect(abs(self.global_accuracy() - krum) < 1e-9, "main now holds Krum's choice")
        say(f"   again by krum: commit {again['commit'][:12]}, accuracy {krum:.3f} (FedAvg had {accuracy:.3f})")

    def light(self):
        say("8. A reader takes a light clone to look at.")
        target = self.sites[0].home / "light"
        cloned = self.sites[0].flair("clone", self.address, target, "--light", "int8", cwd=self.sites[0].home)
        accuracy = self.sites[0].start("evaluate.py", "--repo", target).result()["global"]
        say(f"   int8: {megabytes(cloned['received_bytes'])} instead of {megabytes(self.model_bytes)}, accuracy {accuracy:.3f}")
        expect(cloned["received_bytes"] < 0.5 * self.model_bytes, "a light clone is less than half the bytes")

    def nothing_else_travelled(self):
        """What the hub holds: every file of every commit, and how many bytes in all."""
        paths = set()
        for commit in self.owner.flair("log")["commits"]:
            paths |= {change["path"] for change in self.owner.flair("show", commit["commit"])["changes"]}
        expect(paths == {"model.safetensors", "flair.toml"}, f"commits hold the model and its policy, not {sorted(paths)}")
        held = sum(f.stat().st_size for f in (self.hub.data / "repos").rglob("*") if f.is_file())
        images = NUM_IMAGES * IMAGE_BYTES // SHARDS
        expect(held < images / 2, "the hub holds fewer bytes than the images of a single site")
        say(f"   the hub: {megabytes(held)} in all, in every commit model.safetensors and flair.toml alone; "
            f"the images of one site: {megabytes(images)}")

    def measure(self):
        """Accuracies of the owner's version: {"global": of the test set, "sites": of each shard's hold-out}."""
        return self.owner.start("evaluate.py", "--repo", self.owner.repo, "--shards", SHARDS).result()

    def global_accuracy(self):
        return self.measure()["global"]


def tell(hub):
    start = time.perf_counter()
    story = Story(hub)
    story.create()
    untrained = story.global_accuracy()
    story.invite()
    say("3. Round 1: each site trains on its own clothes; what leaves is the update.")
    pushed = story.train(1, with_intruder=True)
    story.reject_poison(pushed)
    _, first = story.merge(1, pushed)
    expect(first > untrained + 0.2, "round 1 improves the model")
    say("5. Round 2.")
    _, second = story.merge(2, story.train(2))
    say("6. Round 3.")
    pushed = story.train(3)
    commit, third = story.merge(3, pushed)
    expect(third > first, "three rounds beat one")
    story.redo_with_krum(commit, pushed, second, third)
    story.light()
    say("9. What left the sites?")
    story.nothing_else_travelled()
    rounds = 3 * len(SITES) + 1
    say(f"\n{rounds} updates of a {megabytes(story.model_bytes)} model: {megabytes(story.travelled)} travelled, "
        f"{story.travelled / rounds / story.model_bytes:.2f} of the model for each; no image left its site. "
        f"{time.perf_counter() - start:.0f} seconds.")
    say(f"Hub: {hub.url}   repository: {story.address}   as Maria: HOME={story.owner.home}")


def main():
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop the hub at the end")
    parser.add_argument("--port", type=int, default=8420)
    options = parser.parse_args()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    hub = None
    try:
        hub = Hub(free_port(options.port))
        tell(hub)
        if not options.once:
            say("The hub stays up until Ctrl-C.")
            hub.process.wait()
    except StepFailed as failure:
        print(f"demo: {failure}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        pass
    finally:
        if hub:
            hub.stop()


if __name__ == "__main__":
    main()
