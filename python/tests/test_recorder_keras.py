# SPDX-License-Identifier: Apache-2.0
"""The callback sees every step and its rows, and training does not notice it."""
import keras
import numpy as np
import pytest
import tensorflow as tf
from memory_runs import MemoryRuns

import flair.keras
from flair import errors

X = np.arange(24, dtype="float32")[:, None] + np.array([[0, 0.25, 0.5]], "float32")
Y = (np.arange(24) % 2).astype("int64")


def net(**compile_options):
    keras.utils.set_random_seed(5)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(8, activation="relu", name="a"),
                              keras.layers.BatchNormalization(name="n"), keras.layers.Dropout(0.3), keras.layers.Dense(2, name="b")])
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.SparseCategoricalCrossentropy(from_logits=True), **compile_options)
    return model


def both(fit, **compile_options):
    ends = []
    for record in (False, True):
        model, runs = net(**compile_options), MemoryRuns()
        callbacks = [flair.keras.Recorder(data=(X, Y), repo=runs)] if record else []
        fit(model, callbacks)
        ends.append([w.numpy() for w in model.weights])
    assert all(np.array_equal(a, b) for a, b in zip(*ends)), "recording changed the training"
    state, _ = flair.keras.state_of(model)
    assert all(np.array_equal(runs.steps[-1][0][k], v) for k, v in state.items())
    return callbacks[0], runs


@pytest.mark.parametrize("options", [{}, {"steps_per_execution": 3}])
def test_hidden_shuffling_is_seen_through(options):
    run, runs = both(lambda m, c: m.fit(X, Y, batch_size=5, epochs=2, shuffle=True, verbose=0, callbacks=c), **options)
    assert run.steps == 10 and run.samples == 24 and run.finished
    assert sorted(sum(runs.rows()[:5], [])) == sorted(sum(runs.rows()[5:], [])) == list(range(24))
    assert runs.rows()[0] != [0, 1, 2, 3, 4]
    assert runs.framework.startswith("keras ") and set(runs.finished) == {"loss"}
    assert len({s["a.weight"].tobytes() for s, _ in runs.steps}) == 11, "every step has its own weights"


def test_tf_data_with_validation():
    def fit(model, callbacks):
        pipeline = tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(24, seed=3).batch(6).prefetch(2)
        model.fit(pipeline, validation_data=(X, Y), verbose=0, callbacks=callbacks)
    run, runs = both(fit)
    assert [len(r) for r in runs.rows()] == [6] * 4 and run.samples == 24


def test_fit_again_after_recording_is_not_recorded():
    model, runs = net(), MemoryRuns()
    model.fit(X, Y, verbose=0, callbacks=[flair.keras.Recorder(data=(X, Y), repo=runs)])
    count = len(runs.steps)
    model.fit(X, Y, verbose=0)
    assert len(runs.steps) == count


def test_a_loop_of_ones_own():
    model, runs = net(), MemoryRuns()
    run = flair.keras.Recorder(data=(X, Y), repo=runs).attach(model, model.optimizer)
    for k in range(3):
        x, y = X[8 * k:8 * k + 8], Y[8 * k:8 * k + 8]
        run.batch(x, y)
        with tf.GradientTape() as tape:
            loss = model.loss(y, model(x, training=True))
        model.optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
    run.finish()
    assert runs.rows() == [list(range(0, 8)), list(range(8, 16)), list(range(16, 24))]


def test_augmented_rows_are_an_error():
    pipeline = tf.data.Dataset.from_tensor_slices((X + 1e-3, Y)).batch(6)
    with pytest.raises(Exception, match="row 0 of the batch is not in data="):
        net().fit(pipeline, verbose=0, callbacks=[flair.keras.Recorder(data=(X, Y), repo=MemoryRuns())])


def test_no_data_is_refused():
    with pytest.raises(errors.InvalidArgument, match="no data"):
        net().fit(X, Y, verbose=0, callbacks=[flair.keras.Recorder(repo=MemoryRuns())])
