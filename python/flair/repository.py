# SPDX-License-Identifier: Apache-2.0
"""Repository: a working folder under version control, as `flair` the command sees it."""
import dataclasses
import datetime
import json
import math
import pathlib
import weakref

import numpy as np

from . import _core, errors, identity, light, model_file, models, tensors
from .runs import Run

MODEL = "model.safetensors"

_loaded = weakref.WeakKeyDictionary()  # model -> the repository it was loaded from


def loaded_from(model):
    try:
        return _loaded.get(model)
    except TypeError:  # not weakly referable
        return None


@dataclasses.dataclass(frozen=True)
class Commit:
    """One point of a model's history. `str(commit)` is its id."""
    id: str
    parents: tuple
    author: str
    time: datetime.datetime
    message: str
    metrics: dict
    samples: int
    steps: int
    framework: str
    method: str | None

    def __str__(self):
        return self.id

    @property
    def short(self):
        """The id's first 12 digits."""
        return self.id[:12]


def _commit(d):
    return Commit(d["id"], tuple(d["parents"]), d["author"], datetime.datetime.fromtimestamp(d["time_s"], datetime.timezone.utc),
                  d["message"], d["metrics"], d["samples"], d["steps"], d["framework"], d["method"])


@dataclasses.dataclass(frozen=True)
class Check:
    """One thing the hub looked at before it took a push."""
    name: str
    passed: bool
    detail: str


@dataclasses.dataclass(frozen=True)
class Proposal:
    """What a push became: a proposal to review, or (`moved`) the branch's new tip. `egress`: what left the machine."""
    number: int
    url: str
    checks: tuple
    moved: bool
    up_to_date: bool
    commit: str
    target: str
    evidence: dict
    egress: dict


@dataclasses.dataclass(frozen=True)
class TensorChange:
    """`kind`: added, removed, reshaped, changed, same. `stats`: None unless both sides can be compared."""
    path: str
    name: str
    kind: str
    before: tuple | None
    after: tuple | None
    stats: dict | None


class Repository:
    """Made by flair.init, flair.open and flair.clone. Calls may come from several threads; one runs at a time."""

    def __init__(self, core):
        self._core = core

    def __repr__(self):
        return f"flair.Repository({self.path})"

    @property
    def path(self):
        """The working folder."""
        return pathlib.Path(self._core.root)

    # --- models -------------------------------------------------------------------

    def tensors(self, ref=None, path=MODEL):
        """name -> Tensor of a commit, a branch, ...; None: the file as it lies in the folder.

        What the working folder is known to hold is mapped, the rest is decoded tensor by tensor, when it is asked for.
        The file of a light clone gives the model's tensors (names, dtypes, shapes) with the copy's rounded values.
        Errors: NotFound (no such file or ref), IntegrityError (no model file), Unsupported (a blob).
        """
        if ref is None:
            stored = tensors.of_file(self.path / path)
            return self._whole(stored) if light.METADATA in stored.metadata else stored
        found = self._core.file(str(ref), path)
        if not found["tensors"] and found["format"] == "blob":
            raise errors.Unsupported(f"{path} at {ref} is no model file")
        if found["on_disk"]:
            memory = model_file.map_file(self.path / path)
            entries = {n: tensors.Tensor(n, d, s, memory, at) for n, d, s, at, _ in found["tensors"]}
        else:
            def reader(name, dtype, shape, content):
                return lambda: tensors.Tensor(name, dtype, shape, self._core.read_tensor(content))
            entries = {n: reader(n, d, s, content) for n, d, s, _, content in found["tensors"]}
        return tensors.Tensors(entries, self._metadata(str(ref), path, found))

    def _whole(self, copy):
        commit, path = copy.metadata.get(light.COMMIT, ""), copy.metadata.get(light.PATH, "")
        found = self._core.file(commit, path)
        layout = {name: (dtype, tuple(shape)) for name, dtype, shape, _, _ in found["tensors"]}
        return light.whole(copy, layout, {**self._metadata(commit, path, found), **copy.metadata})

    def _metadata(self, ref, path, found):
        if found["format"] != "safetensors" or not found["size_bytes"]:
            return {}
        size = int.from_bytes(self._core.read_bytes(ref, path, 8).tobytes(), "little")
        header = json.loads(self._core.read_bytes(ref, path, 8 + size)[8:].tobytes())
        return header.get(model_file.METADATA) or {}

    def load_into(self, model, strict=True, ref=None, path=MODEL):
        """Fills a torch.nn.Module or keras.Model; {"name": model, ...} fills each from name.safetensors.

        Errors: InvalidArgument names what does not fit, MappingError what Keras cannot hold; the model stays as it was.
        """
        if models.is_group(model):
            for name, part in model.items():
                self.load_into(part, strict, ref, f"{name}.safetensors")
            return
        stored = self.tensors(ref, path)
        models.load(model, stored, stored.metadata, strict)
        try:
            _loaded[model] = self
        except TypeError:
            pass

    def save(self, model, path=MODEL):
        """Writes the model's file without committing; what a framework has no place for is kept from the file there.

        `path`: inside the repository; folders are made. Returns the paths written. Errors: InvalidArgument (a path that
        leaves the repository), Unsupported (a light clone, a dtype without a place in safetensors); nothing is written then.
        """
        if models.is_group(model):
            parts = {f"{name}.safetensors": part for name, part in model.items()}
            for part_path in parts:
                self._check_target(part_path)
            return [written for part_path, part in parts.items() for written in self.save(part, part_path)]
        target = self._check_target(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        carried = None
        if target.exists():
            try:
                carried = tensors.of_file(target)
            except errors.IntegrityError:
                carried = None
        state, metadata = models.state_of(model, carried)
        model_file.write(target, state, metadata)
        return [path]

    def _check_target(self, path):
        """The file that `path` names, when a version of the model may be written there."""
        self._core.check_can_stage(str(path))
        target = self.path / path
        if not target.parent.resolve().is_relative_to(self.path.resolve()):
            raise errors.InvalidArgument(f"{path}: a symbolic link leads out of the repository", "name a path inside it")
        return target

    # --- history ------------------------------------------------------------------

    def commit(self, model=None, run=None, metrics=None, message="", samples=None, keypair=None, add=(), path=MODEL,
               allow_empty=False, time=None):
        """Saves the model (if there is one), stages it and what `add` names, signs; returns the Commit.

        `run`: what flair.record gave; its distinct rows are the commit's samples, its steps and framework go with it.
        `metrics`: name -> finite float. `samples`: distinct rows, 0 to 2^32. `add`: further paths. `time`: seconds since
        the Unix epoch. Errors: InvalidArgument, NotFound (no wallet), Unsupported (a light clone); nothing is written then.
        """
        secret = identity.secret(keypair)
        if samples is not None and not 0 <= int(samples) <= _core.MAX_SAMPLES:
            raise errors.InvalidArgument(f"commit: samples={samples} is not a count from 0 to {_core.MAX_SAMPLES}")
        metrics = sorted((str(k), float(v)) for k, v in (metrics or {}).items())
        for name, value in metrics:
            if not math.isfinite(value):
                raise errors.InvalidArgument(f"commit: the metric {name} is {value}", "a metric is a finite number")
        if run is not None and not (isinstance(run, Run) and run.finished):
            raise errors.InvalidArgument("commit: the run is not finished", "leave the `with flair.record(...)` block first")
        if not message:
            message = f"Training of {run.steps} steps" if run is not None else "Update"
        paths = self.save(model, path) if model is not None else []
        if paths or add:
            self._core.add([*paths, *map(str, add)])
        one = next(iter(model.values())) if models.is_group(model) else model
        made = self._core.commit(secret, message, metrics,
                                 samples=None if samples is None else int(samples),
                                 framework=models.framework_text(one) if model is not None else "",
                                 run_id=run.id if run is not None else "", allow_empty=allow_empty,
                                 time_s=None if time is None else int(time))
        return self.show(made)

    def show(self, ref="HEAD"):
        """The Commit that `ref` (branch, tag, id, HEAD~1, @alias) names. Errors: NotFound, InvalidArgument (ambiguous)."""
        return _commit(self._core.log([str(ref)], 1)[0])

    def log(self, ref="HEAD", limit=0):
        """Commits, newest first; a merge's parents included. `limit`: at most so many; 0: all."""
        return [_commit(d) for d in self._core.log([str(ref)], limit)]

    def diff(self, a, b="HEAD", tensors="", detail="stats"):
        """TensorChange for each tensor that differs. `detail`: names (no content is read), stats, histogram."""
        return [TensorChange(f["path"], t["name"], t["kind"], t["before"], t["after"], t["stats"])
                for f in self._core.diff(str(a), str(b), detail, tensors) for t in f["tensors"]]

    def resolve(self, ref):
        """The id of the commit that `ref` names, 64 hex digits. Errors: NotFound, InvalidArgument (ambiguous)."""
        return self._core.resolve(str(ref))

    @property
    def head(self):
        """The commit HEAD is on, or None before the first one."""
        return self._core.status()["commit"]

    @property
    def branch(self):
        """HEAD's branch, or None when it is on a commit."""
        return self._core.status()["branch"]

    def status(self):
        """How the working folder differs from HEAD and from the index.

        {"branch": str or None, "commit": id or None, "staged" and "unstaged": [(path, "added" | "modified" | "deleted")],
        "untracked", "refused" (links and other things no commit holds) and "left_out" (what a partial clone did not
        bring): [path], "light": "int8", "bf16" or None}.
        """
        return self._core.status()

    def add(self, *paths):
        """Stages files and folders; returns [(path, "added" | "modified" | "deleted")]. Errors: NotFound, Unsupported."""
        return self._core.add([str(p) for p in paths])

    def branches(self):
        """Branch name -> commit id."""
        return {name.removeprefix("heads/"): commit for name, commit in self._core.refs("heads/")}

    def create_branch(self, name, at="HEAD"):
        """A branch at a commit; HEAD stays where it is. Errors: AlreadyExists, InvalidArgument (the name)."""
        self._core.branch(name, str(at))

    def tag(self, name, at="HEAD"):
        """A tag at a commit. Errors: AlreadyExists, InvalidArgument (the name)."""
        self._core.tag(name, str(at))

    def switch(self, target, create=False, detach=False, start=""):
        """Moves the working folder to a branch; create=True makes it first."""
        self._core.switch(str(target), "create" if create else "detach" if detach else "", str(start))

    def restore(self, *paths, source=""):
        """Files from the index, or from the commit `source`."""
        return self._core.restore([str(p) for p in paths] or [""], str(source))

    def reset(self, ref, mode="mixed"):
        """Moves HEAD's branch to `ref`. `mode`: soft (nothing else), mixed (the index too) or hard (the files too)."""
        self._core.reset(str(ref), mode)

    def undo(self):
        """Takes back the last operation, whatever it was; returns its kind."""
        return self._core.undo()

    def verify(self, ref="HEAD"):
        """The author's signature and the commit's completeness. Errors: IntegrityError."""
        self._core.verify(str(ref))

    # --- merging ------------------------------------------------------------------

    def merge(self, refs, method="", weights="", message="", parameters=None, fast_forward=True, dry_run=False, keypair=None):
        """Merges one ref or several into HEAD's branch; the Commit, or None when there was nothing to do.

        Errors: Conflict, with `conflicts`, one line each; nothing happened then.
        """
        refs = [refs] if isinstance(refs, (str, Commit)) else list(refs)
        if isinstance(weights, (list, tuple)):
            weights = ",".join(str(w) for w in weights)
        return self._outcome(self._core.merge(
            identity.secret(keypair), [str(r) for r in refs], method, weights,
            [(str(k), str(v)) for k, v in (parameters or {}).items()], message, dry_run, fast_forward), dry_run)

    def revert(self, ref, by="history", message="", keypair=None):
        """A commit that takes `ref`'s changes back. `by`: history, or subtract (the update, out of what is there now)."""
        return self._outcome(self._core.revert(identity.secret(keypair), str(ref), by, message))

    def cherry_pick(self, ref, message="", keypair=None):
        """A commit that makes `ref`'s changes again, here. Errors: Conflict, with `conflicts`."""
        return self._outcome(self._core.cherry_pick(identity.secret(keypair), str(ref), message))

    def _outcome(self, outcome, dry_run=False):
        if outcome["conflicts"]:
            first = outcome["conflicts"][0]
            more = len(outcome["conflicts"]) - 1
            raise errors.Conflict(f"the versions cannot be joined: {first}" + (f" (and {more} more)" if more else ""),
                                  "another method=, or train again from the target's tip", outcome["conflicts"])
        if outcome["commit"] is None or dry_run or outcome["kind"] == "up-to-date":
            return None
        return self.show(outcome["commit"])

    # --- hubs ---------------------------------------------------------------------

    @property
    def remotes(self):
        """Remote name -> address."""
        return self._core.remotes()

    def set_remote(self, url, name="origin"):
        """Names the repository http://HUB/OWNER/NAME; an older address of that name is replaced."""
        self._core.set_remote(name, url)

    def _hub(self, remote, keypair):
        url = self.remotes.get(remote)
        if url is None:
            raise errors.NotFound(f"there is no remote '{remote}'", f"repo.set_remote('http://HUB/OWNER/NAME', '{remote}')")
        return identity.connect(_core.split_address(url)[0], keypair)

    def fetch(self, remote="origin", keypair=None):
        """Brings the remote's branches as origin/NAME; no file changes. Errors: Unavailable, Unauthorised, NotFound."""
        return self._core.fetch(self._hub(remote, keypair), remote)

    def pull(self, remote="origin", keypair=None):
        """Fetch, then fast-forward. Errors: Conflict when the branches diverged."""
        return self._core.pull(self._hub(remote, keypair), remote)

    def push(self, remote="origin", to="", title="", keypair=None):
        """Moves the branch on the hub where the policy lets this wallet, else opens or updates its proposal."""
        p = self._core.push(self._hub(remote, keypair), remote, to, title)
        return Proposal(p["number"], p["url"], tuple(Check(*c) for c in p["checks"]), p["moved"], p["up_to_date"], p["commit"],
                        p["target"], json.loads(p["evidence"]) if p["evidence"] else {}, p["egress"])

    # --- runs ---------------------------------------------------------------------

    def ticket(self, card, remote="origin", keypair=None):
        """The hub's nonce for the next run from HEAD, as {"ticket", "parent", "card", "seed"}: ids and seed, 64 hex digits.

        `card`: the text of card.json. It is registered under this wallet first. A ticket that is here already needs no hub.
        Errors: NotFound (no commit yet, or one that the hub does not know), Conflict (the card is another wallet's),
        Unavailable, Unauthorised, IntegrityError (what the hub gave is not a ticket of it for this).
        """
        head, wallet = self.head, identity.wallet(keypair)
        if head is None:
            raise errors.NotFound("ticket: there is no commit yet to train from", "commit the untrained model, and push it")
        kept = self._core.kept_ticket(head, card, wallet)
        if kept is not None:
            return kept
        return self._core.ticket(self._hub(remote, keypair), remote, head, card, wallet, self._text_at(head, "flair.toml"))

    def _text_at(self, ref, path):
        """A small file of a commit; empty when it has none."""
        try:
            size = self._core.file(ref, path)["size_bytes"]
        except errors.NotFound:
            return ""
        return self._core.read_bytes(ref, path, size).tobytes().decode("utf-8", "replace")

    def begin_run(self, framework, settings, assignment=None):
        """A run folder's writer; flair.record and flair.keras.Recorder call it."""
        bound = {} if assignment is None else {"program": assignment.program.data, "card": assignment.card,
                                               "ticket": assignment.ticket}
        return _RunWriter(self._core.begin_run(framework, sorted(settings.items()), **bound))

    def read_run(self, run_id):
        """{"framework", "parent", "program", "card", "ticket", "settings", "finished", "rows": per step, "tensors": names per
        step}. Errors: NotFound, IntegrityError."""
        return self._core.read_run(run_id)


class _RunWriter:
    def __init__(self, core):
        self._core, self.id, self.folder = core, core.id, core.folder

    def step(self, number, tensors, rows):
        self._core.step(number, [(t.name, t.dtype_name, t.shape, np.frombuffer(t.buffer(), np.uint8)) for t in tensors],
                        np.ascontiguousarray(rows, np.uint32))

    def finish(self, metrics):
        return self._core.finish(sorted(metrics.items()))


def init(path="."):
    """A new repository in a folder, made if it is absent. Errors: AlreadyExists."""
    return Repository(_core.Repo.init(str(pathlib.Path(path).absolute())))


def open(path="."):
    """The repository of a folder. Errors: NotFound."""
    return Repository(_core.Repo.open(str(pathlib.Path(path).absolute())))


def discover(path="."):
    """The nearest repository at a folder or above it. Errors: NotFound."""
    return Repository(_core.Repo.discover(str(pathlib.Path(path).absolute())))


def clone(url, path=None, light="", branch="", tensors="", depth=0, keypair=None):
    """A copy of a hub's repository; an interrupted one goes on. `light`: int8 or bf16, to look at and evaluate."""
    hub, (owner, name) = _core.split_address(url, identity.default_hub())
    core, _ = identity.connect(hub, keypair).clone(owner, name, str(pathlib.Path(path or name).absolute()), light, branch, tensors, depth)
    return Repository(core)
