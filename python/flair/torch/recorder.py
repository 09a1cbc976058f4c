# SPDX-License-Identifier: Apache-2.0
"""Records a PyTorch training run without a change to its loop.

    with flair.record(model, optimizer, data=train_set) as run:
        train(model, optimizer, train_set)

Taken before every optimizer step: parameters and buffers, the rows of the micro-batches whose gradients are in it, the
learning rate of each group; at the end the weights once more. Training computes the same numbers as without: nothing
here draws a random number or touches a gradient.
"""
import collections
import contextlib

import torch
from torch.utils.data import DataLoader, IterableDataset, Subset
from torch.utils.data.dataloader import _BaseDataLoaderIter

from .. import errors
from ..assignment import assign
from ..runs import Run, place_for
from .state import canonical_name, of_torch


class _Tap:
    """An index sampler that keeps each batch's rows until the loader hands that batch out: workers prefetch."""

    def __init__(self, sampler):
        self.sampler, self.queue = sampler, collections.deque()

    def __len__(self):
        return len(self.sampler)

    def __iter__(self):
        self.queue.clear()
        for rows in self.sampler:
            self.queue.append(rows if isinstance(rows, (list, tuple)) else [rows])
            yield rows


class _Drawn:
    """An index sampler in the order that the ticket's seed draws: from the run's step to the end of its epoch."""

    def __init__(self, run):
        self.run = run

    def __len__(self):
        return self.run._assignment.per_epoch

    def __iter__(self):
        return self.run._assignment.rest_of_epoch(self.run.steps)


def _named(model):
    if isinstance(model, dict):
        return dict(model)
    if isinstance(model, (list, tuple)):
        return {str(i): m for i, m in enumerate(model)}
    return {"": model}


class record(Run):
    """`model`, `optimizer`: one, or lists (a GAN; a dict of models names their tensors). `data`: the data set whose
    row numbers count. `repo`: where the run goes; by default where the model came from. `card`: the folder of the
    registered data set that data= is, for a run that will be proven: the repository's program is what it follows, the hub is
    asked for a ticket unless it is here, and DataLoaders over data= read in the order of its seed, whatever sampler they have."""

    def __init__(self, model, optimizer, data=None, repo=None, settings=None, card=None):
        super().__init__()
        if isinstance(data, IterableDataset):
            raise errors.Unsupported("record: an IterableDataset has no row numbers",
                                     "leave data= out and report each batch with run.rows([...])")
        self._models = _named(model)
        self._optimizers = list(optimizer) if isinstance(optimizer, (list, tuple)) else [optimizer]
        self._data, self._repo = data, place_for(next(iter(self._models.values())), repo)
        self._settings = {"optimizer": ", ".join(type(o).__name__ for o in self._optimizers), **(settings or {})}
        if card is not None:
            self._bind(card)
        inner = [n or type(m).__name__ for model in self._models.values() for n, m in model.named_modules()
                 if isinstance(m, torch.nn.RNNBase) and m.dropout and m.num_layers > 1]
        if inner:  # masks that the core cannot draw again; a later proof will say so
            self._settings["dropout_inside"] = ", ".join(inner)
        self._fetched, self._forwarded, self._used = [], [], []
        self._stack = contextlib.ExitStack()

    def _bind(self, card):
        if self._data is None:
            raise errors.InvalidArgument("record: card= needs data=, the data set that was registered")
        if len(self._optimizers) > 1 or len(self._models) > 1:
            raise errors.Unsupported("record: a run of several models or optimizers follows no program yet",
                                     "leave card= out: it is recorded, and cannot be proven")
        self._assignment = assign(self._repo, card)
        self._assignment.check_size(len(self._data))

    def rows(self, indices):
        """The one line for loops that index tensors themselves: the rows of the batch that comes next."""
        self._fetched.append([int(i) for i in (indices.tolist() if hasattr(indices, "tolist") else indices)])

    def _tensors(self):
        for prefix, model in self._models.items():
            for name, tensor in model.state_dict(keep_vars=True).items():
                if isinstance(tensor, torch.Tensor):
                    name = canonical_name(name)
                    yield of_torch(f"{prefix}.{name}" if prefix else name, tensor)

    # A batch belongs to a step once a model saw it in training mode and a gradient of it was accumulated.
    def _forward(self, module, args):
        if module.training and torch.is_grad_enabled() and self._fetched:
            self._forwarded.append(self._fetched[-1])
            self._fetched.clear()

    def _gradient(self, _):
        if self._forwarded:
            self._used += self._forwarded
            self._forwarded = []

    def _before_step(self, optimizer, args, kwargs):
        if len(args) > 1 or kwargs.get("closure"):
            raise errors.Unsupported("record: an optimiser that takes a closure (LBFGS) is not recorded",
                                     "use one of the SGD or Adam family")
        if not self._used and len(self._optimizers) == 1:  # a generator's step sees no rows
            raise errors.InvalidArgument(f"record: step {self.steps} has no recorded batch",
                                         "iterate a DataLoader over data=, or call run.rows(indices) before the forward pass")
        micro, self._used = self._used, []
        self._step(self._tensors(), micro, [float(g["lr"]) for g in optimizer.param_groups], self._optimizers.index(optimizer))

    def _patch(self, owner, name, value):
        if name in vars(owner):
            self._stack.callback(setattr, owner, name, vars(owner)[name])
        else:
            self._stack.callback(delattr, owner, name)
        setattr(owner, name, value)

    def _is_ours(self, data):
        while isinstance(data, Subset) and data is not self._data:
            data = data.dataset
        return self._data is not None and data is self._data

    def _check_loader(self, loader):
        batch = self._assignment.program.batch
        if loader.dataset is not self._data:
            raise errors.Unsupported("record: a Subset of data= cannot be read in the ticket's order",
                                     "register the rows that are trained on as a data set of their own")
        if not loader._auto_collation or loader.batch_size not in (None, batch):
            raise errors.InvalidArgument(f"record: the program's batches have {batch} rows, the DataLoader's "
                                         f"{loader.batch_size if loader._auto_collation else 'are no batches'}",
                                         f"DataLoader(data, batch_size={batch})")

    def _tap_loaders(self):
        run, index, following = self, DataLoader._index_sampler.fget, _BaseDataLoaderIter.__next__

        def index_sampler(loader):
            if not run._is_ours(loader.dataset):
                return index(loader)  # a validation loader
            if not getattr(loader, "in_order", True):
                raise errors.Unsupported("record: DataLoader(in_order=False) loses the order of the batches",
                                         "leave in_order at its default")
            if run._assignment is None:
                return _Tap(index(loader))
            run._check_loader(loader)
            return _Tap(_Drawn(run))

        def next_batch(iterator):
            batch = following(iterator)
            if isinstance(iterator._index_sampler, _Tap):
                rows, data = iterator._index_sampler.queue.popleft(), iterator._dataset
                while isinstance(data, Subset) and data is not run._data:
                    rows, data = [data.indices[i] for i in rows], data.dataset
                run.rows(rows)
            return batch

        self._patch(DataLoader, "_index_sampler", property(index_sampler))
        self._patch(_BaseDataLoaderIter, "__next__", next_batch)

    def __enter__(self):
        self._begin(self._repo, f"pytorch {torch.__version__.split('+')[0]}", self._settings)
        self._tap_loaders()
        for optimizer in self._optimizers:
            self._stack.callback(optimizer.register_step_pre_hook(self._before_step).remove)
            # GradScaler skips a step by not calling it; the zero_grad that follows drops the batch.
            self._patch(optimizer, "zero_grad",
                        lambda *a, _zero=optimizer.zero_grad, **k: (self._used.clear(), _zero(*a, **k))[1])
        for model in self._models.values():
            self._stack.callback(model.register_forward_pre_hook(self._forward).remove)
            for parameter in model.parameters():
                if parameter.requires_grad:
                    self._stack.callback(parameter.register_post_accumulate_grad_hook(self._gradient).remove)
        return self

    def __exit__(self, kind, value, trace):
        self._stack.close()
        if kind is None:
            self._end(self._tensors())
        return False
