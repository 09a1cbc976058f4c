# SPDX-License-Identifier: Apache-2.0
"""What both recorders share: one run, written step by step into a run folder.

A writer is anything with `step(number, tensors, rows)` and `finish(metrics)`; a repository's `begin_run` gives the
core's (docs/formats/run.md). Beside the model's tensors each step holds what led to the next one, under names that no
model has: `@lr` (F64, one per parameter group), `@micro` (U32, rows per micro-batch), `@optimizer` (U32, its number).
"""
import numpy as np

from . import errors
from .tensors import of_array


class Run:
    """A recorded run. `id`, `folder`: where it is; `steps`, `samples`: updates made, distinct rows they saw."""

    def __init__(self):
        self.id = self.folder = None
        self.steps, self.metrics, self.finished = 0, {}, False
        self._rows, self._writer, self._assignment = set(), None, None

    @property
    def samples(self):
        return len(self._rows)

    def log(self, **metrics):
        """Metrics of the run, by name; the last value counts."""
        self.metrics.update({name: float(value) for name, value in metrics.items()})

    def __repr__(self):
        return f"<flair run {self.id}: {self.steps} steps, {self.samples} distinct rows{'' if self.finished else ', open'}>"

    def _begin(self, repo, framework, settings):
        settings = {k: str(v) for k, v in settings.items()}
        if self._assignment is None:
            self._writer = repo.begin_run(framework, settings)
        else:
            self._writer = repo.begin_run(framework, {**settings, **self._assignment.settings()}, self._assignment)
        self.id, self.folder = self._writer.id, self._writer.folder

    def _step(self, tensors, micro, rates, optimizer=0):
        """The state before an update: `tensors` (name -> Tensor), the rows of each micro-batch behind it."""
        rows = np.array([row for batch in micro for row in batch], np.int64)
        if rows.size and (rows.min() < 0 or rows.max() >= 1 << 32):
            raise errors.InvalidArgument(f"record: row {int(rows.min() if rows.min() < 0 else rows.max())} is no row number")
        if self._assignment is not None:
            self._assignment.check_rows(self.steps, rows.tolist())
        notes = {"@lr": np.array(rates, "float64"), "@micro": np.array([len(b) for b in micro], "uint32"),
                 "@optimizer": np.array(optimizer, "uint32")}
        self._writer.step(self.steps, [*tensors, *(of_array(n, a) for n, a in notes.items() if a.size)], rows.astype("<u4"))
        self._rows.update(rows.tolist())
        self.steps += 1

    def _end(self, tensors):
        """The state after the last update; seals the run."""
        self._writer.step(self.steps, list(tensors), np.empty(0, "<u4"))
        self._writer.finish(self.metrics)
        self._writer, self.finished = None, True


def place_for(model, repo):
    """The repository a run goes to: the one named, the one the model was loaded from, the one around the folder."""
    if repo is not None:
        return repo
    from . import repository
    found = repository.loaded_from(model) if model is not None else None
    if found is not None:
        return found
    try:
        return repository.discover(".")
    except errors.NotFound:
        raise errors.NotFound("record: no repository to keep the run in", "pass repo=, or load the model with repo.load_into") from None
