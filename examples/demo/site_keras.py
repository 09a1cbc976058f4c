# SPDX-License-Identifier: Apache-2.0
"""A site that trains with Keras on TensorFlow: load, train on its own shard, commit, push a proposal."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import numpy as np  # noqa: E402

import flair  # noqa: E402
import flair.keras  # noqa: E402
import model_keras  # noqa: E402
import shards  # noqa: E402


def main():
    options = shards.arguments(__doc__)
    keras.utils.set_random_seed(options.seed)
    images, labels = shards.fashion()
    rows, held = shards.shard(options.shard, options.shards)
    x, y = images[rows][..., None], labels[rows]

    repo = flair.open(options.repo)
    model = model_keras.build()
    repo.load_into(model)
    before = {name: np.array(a) for name, a in flair.keras.state_of(model)[0].items()}
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                  metrics=["accuracy"])
    run = flair.keras.Recorder(data=(x, y), repo=repo)
    model.fit(x, y, batch_size=64, epochs=options.epochs, verbose=0, callbacks=[run])
    score = float((model.predict(images[held][..., None], verbose=0).argmax(1) == labels[held]).mean())
    if options.poison:
        flair.keras.load_into(model, shards.poisoned(before, flair.keras.state_of(model)[0]))
    commit = repo.commit(model, run=run, metrics={"accuracy": score},
                         message=f"Shard {options.shard}: {options.epochs} epoch(s) of {len(rows)} images")
    shards.report("Keras", commit, repo.push(), score)


if __name__ == "__main__":
    main()
