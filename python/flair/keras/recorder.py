# SPDX-License-Identifier: Apache-2.0
"""Records a Keras training run (TensorFlow backend).

    model.fit(any_pipeline, callbacks=[flair.keras.Recorder(data=(x, y), repo=repo)])

Rows are found by content: what reaches the step is looked up among the rows of `data`, so that shuffling, prefetching
and workers do not matter, and a row that is not in the data (random augmentation) is an error. The weights are read
inside the training graph before the step, so that steps_per_execution > 1 is recorded step by step. A loop of one's
own (GradientTape) calls `attach(model, optimizer)` once, `batch(x, y)` in each step and `finish()` at the end.

A run that will be proven takes one line more, which gives it the order of the hub's ticket:

    recorder = flair.keras.Recorder(repo=repo, card="digits.data")
    model.fit(recorder.data(x, y), callbacks=[recorder])
"""
import hashlib

import keras
import numpy as np
import tensorflow as tf

from .. import errors
from ..assignment import assign
from ..runs import Run, place_for
from ..tensors import of_array
from .state import Mapping


class _Rows:
    """Content of a data set: digest of a row's columns -> row number; equal rows are the same row."""

    def __init__(self, columns):
        self.columns, self.index = [np.asarray(c) for c in columns], None

    @staticmethod
    def _digests(columns):
        for rows in zip(*columns):
            digest = hashlib.blake2b(digest_size=16)
            for row in rows:
                digest.update(np.ascontiguousarray(row).tobytes())
            yield digest.digest()

    def find(self, batch, step):
        batch = [b.reshape(len(b), *c.shape[1:]) if b.size == len(b) * int(np.prod(c.shape[1:])) else b
                 for b, c in zip(batch, self.columns)]
        if self.index is None:  # in the types that the pipeline hands over
            self.index = {}
            for i, digest in enumerate(self._digests([c.astype(b.dtype) for c, b in zip(self.columns, batch)])):
                self.index.setdefault(digest, i)
        found = []
        for j, digest in enumerate(self._digests(batch)):
            if digest not in self.index:
                raise errors.InvalidArgument(f"record: step {step}: row {j} of the batch is not in data=",
                                             "random augmentation, or a change after the registered data? register what fit receives")
            found.append(self.index[digest])
        return found

    def check(self, batch, rows, step):
        """Is the batch these rows, in this order?"""
        for b, c in zip(batch, self.columns):
            wanted = c[rows].astype(b.dtype)
            if b.size != wanted.size or not np.array_equal(b.reshape(wanted.shape), wanted):
                raise errors.InvalidArgument(f"record: step {step} read other rows than the ticket's seed draws",
                                             "a loop of one's own takes the batches of recorder.data(x, y), one after another")
        return rows


class _Batches(keras.utils.PyDataset):
    """The batches of an epoch, by their numbers in the ticket's order. fit shuffles the numbers, reads ahead and drops
    readers that it began: what it delivers only says types and shapes, and each step reads its own rows."""

    def __init__(self, recorder, columns):
        super().__init__(workers=1, use_multiprocessing=False)
        self._recorder, self._columns = recorder, columns

    def __len__(self):
        return self._recorder._assignment.per_epoch

    def __getitem__(self, number):
        rows = self._recorder._assignment.rows(self._recorder._seen() // len(self) * len(self) + number)
        return tuple(tf.nest.map_structure(lambda column: np.asarray(column)[rows], c) for c in self._columns)

    def on_epoch_begin(self):
        self._recorder._is_fed = True


class Recorder(keras.callbacks.Callback, Run):
    """`data`: the arrays whose row numbers count, as fit receives them. `repo`: where the run goes; by default where the
    model came from. `card`: the folder of the registered data set, for a run that will be proven: the repository's program is
    what it follows, the hub is asked for a ticket unless it is here, and `data(x, y)` feeds fit in the order of its seed."""

    def __init__(self, data=None, repo=None, settings=None, card=None):
        keras.callbacks.Callback.__init__(self)
        Run.__init__(self)
        self._repo, self._settings, self._wrapped = repo, settings or {}, None
        self._rows_of = _Rows(tf.nest.flatten(data)) if data is not None else None
        self._pending, self._error, self._is_fed = None, None, False
        if card is not None:
            self._repo = place_for(None, repo)
            self._assignment = assign(self._repo, card)

    def data(self, x, y=None):
        """The training data in the ticket's order, for model.fit(recorder.data(x, y), callbacks=[recorder]), whatever
        shuffle= says.

        x, y: arrays of one row for each record of the card, or structures of such. Returns a keras.utils.PyDataset whose
        batches are the program's. Errors: InvalidArgument without card=, or with other than the card's number of rows.
        """
        if self._assignment is None:
            raise errors.InvalidArgument("record: the order of data() is that of a ticket, and there is none",
                                         "Recorder(card=FOLDER); or Recorder(data=(x, y)), which records the order as it is")
        columns = [c for c in (x, y) if c is not None]
        self._rows_of = _Rows(tf.nest.flatten(columns))
        for column in self._rows_of.columns:
            self._assignment.check_size(len(column))
        return _Batches(self, columns)

    def _seen(self):
        """Steps that began."""
        return self.steps + (self._pending is not None)

    # --- inside the graph ---------------------------------------------------------

    def _assigned(self, data):
        """What the step trains on: the rows of its number, in the structure and types of what fit delivered."""
        delivered = tf.nest.flatten(data)
        if len(delivered) != len(self._rows_of.columns):
            raise errors.InvalidArgument("record: fit weighs its rows", "leave class_weight= and sample_weight= out: no program has them")
        types = [tensor.dtype for tensor in delivered]

        def read():
            if not self._is_fed:
                raise errors.InvalidArgument("record: fit reads other data than recorder.data(x, y)",
                                             "model.fit(recorder.data(x, y), callbacks=[recorder])")
            rows = self._assignment.rows(self._seen())
            return [column[rows].astype(t.as_numpy_dtype) for column, t in zip(self._rows_of.columns, types)]

        columns = tf.numpy_function(read, [], types)
        for column, tensor in zip(columns, delivered):
            column.set_shape(tensor.shape)
        return tf.nest.pack_sequence_as(data, columns)

    def _note(self, step, rate, count, *arrays):  # `count` columns of the batch, then the weights
        try:
            if self._assignment is None:
                rows = self._rows_of.find(arrays[:count], int(step))
            else:
                rows = self._rows_of.check(arrays[:count], self._assignment.rows(self._seen()), self._seen())
            if self._pending and self._pending[0] == step:  # accumulation: the weights have not moved
                self._pending[1].append(rows)
            else:
                self._write_pending()
                self._pending = (int(step), [rows], float(rate), self._canonical(arrays[count:]))
        except Exception as error:
            self._error = error
            raise
        return np.int64(0)

    def _canonical(self, arrays):
        values = {id(v): np.array(a) for v, a in zip(self._variables, arrays)}
        return [of_array(name, a) for name, a in self._mapping.take(values)[0].items()]

    def _write_pending(self):
        if self._pending:
            _, micro, rate, tensors = self._pending
            self._step(tensors, micro, [rate])
            self._pending = None

    def batch(self, *columns):
        """Records the current step: the batch as registered, the weights as they are now."""
        columns = [c for c in tf.nest.flatten(columns) if c is not None]
        step, rate = (tf.convert_to_tensor(t) for t in (self._optimizer.iterations, self._optimizer.learning_rate))
        return tf.numpy_function(self._note, [step, rate, len(columns), *columns, *[v.value for v in self._variables]], tf.int64)

    def attach(self, model, optimizer):
        """Begins the run."""
        if not model.built:
            raise errors.InvalidArgument("record: the model has no weights yet", "build it first: an Input layer, or one call on a batch")
        if self._rows_of is None:
            raise errors.InvalidArgument("record: no data whose rows could be recorded", "Recorder(data=(x, y))")
        self._mapping, self._optimizer, self._variables = Mapping(model), optimizer, model.weights
        self._trained = model
        self._begin(place_for(model, self._repo), f"keras {keras.__version__} tensorflow {tf.__version__}",
                    {"optimizer": type(optimizer).__name__, **self._settings})
        return self

    def _train_step(self, data):
        if self._assignment is not None:
            data = self._assigned(data)
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.control_dependencies([self.batch(x, y, weight)]):
            return self._wrapped(tf.nest.map_structure(tf.identity, data))

    # --- Keras' side --------------------------------------------------------------

    def on_train_begin(self, logs=None):
        model, self._is_fed = self.model, False
        if self._wrapped is not None:
            return
        self.attach(model, model.optimizer)
        self._wrapped, self._jit = model.train_step, model.jit_compile
        model.train_step, model.jit_compile = self._train_step, False  # XLA cannot call back
        model.train_function = None
        model.make_train_function(force=True)

    def on_epoch_end(self, epoch, logs=None):
        self.log(**{k: v for k, v in (logs or {}).items() if np.isscalar(v)})

    def on_train_end(self, logs=None):
        self._restore()
        self.finish()

    def _restore(self):
        if self._wrapped is not None:
            self.model.train_step, self.model.train_function, self.model.jit_compile = self._wrapped, None, self._jit
            self._wrapped = None

    def finish(self):
        self._write_pending()
        state, _ = self._mapping.take()
        self._end(of_array(name, a) for name, a in state.items())
