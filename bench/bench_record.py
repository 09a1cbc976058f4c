"""record: a training step with the recorder, and without it (the baseline). Also the bytes a step leaves on disk."""
import json
import pathlib
import sys
import tempfile
import time

import table

CASES = tuple(f"{model}_{framework}" for framework in ("torch", "keras") for model in ("mlp", "cnn", "resnet"))
RUNS, BATCH = 3, 64


def rows(small):
    steps, result = 8 if small else 40, []
    for case in CASES:  # a process each: the frameworks do not share one well
        measured = json.loads(table.run(sys.executable, __file__, case, steps).output.splitlines()[-1])
        result.append(table.row(f"record.{case}.overhead", measured["recorded"], "ms/step", measured["plain"]))
        result.append(table.row(f"record.{case}.bytes_per_step", measured["bytes"], "byte", [measured["raw"]]))
    return result


def _data(steps):
    sys.path.insert(0, str(table.ROOT / "examples"))
    import common
    return common.fashion(steps * BATCH)


def _torch(model, steps):
    import torch
    import torchvision
    from torch import nn

    import flair
    images, labels = (torch.from_numpy(a) for a in _data(steps))
    data = torch.utils.data.TensorDataset(images[:, None].repeat(1, 3 if model == "resnet" else 1, 1, 1), labels)
    build = {"mlp": lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10)),
             "cnn": lambda: nn.Sequential(nn.Conv2d(1, 16, 5, 2, 2), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(), nn.Flatten(),
                                          nn.Linear(1568, 64), nn.ReLU(), nn.Linear(64, 10)),
             "resnet": lambda: torchvision.models.resnet18(num_classes=10)}[model]

    def train(repo):
        net = build()
        optimizer = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9)

        def loop():
            start = time.perf_counter()
            for x, y in torch.utils.data.DataLoader(data, BATCH):
                optimizer.zero_grad()
                nn.functional.cross_entropy(net(x), y).backward()
                optimizer.step()
            return time.perf_counter() - start
        raw = sum(t.numel() * t.element_size() for t in net.state_dict().values())
        if repo is None:
            return loop(), None, raw
        with flair.record(net, optimizer, data=data, repo=repo) as run:
            seconds = loop()
        return seconds, run.folder, raw
    return train


def _keras(model, steps):
    import keras
    from keras import layers as K

    import flair.keras
    x, y = _data(steps)
    x = x[..., None]
    build = {"mlp": lambda: keras.Sequential([keras.Input((28, 28, 1)), K.Flatten(), K.Dense(256, "relu"), K.Dense(10)]),
             "cnn": lambda: keras.Sequential([keras.Input((28, 28, 1)), K.Conv2D(16, 5, 2, "same", activation="relu"),
                                              K.Conv2D(32, 3, 2, "same", activation="relu"), K.Flatten(), K.Dense(64, "relu"), K.Dense(10)]),
             "resnet": lambda: keras.applications.ResNet50(weights=None, input_shape=(32, 32, 1), classes=10,
                                                           classifier_activation=None)}[model]
    if model == "resnet":
        import numpy as np
        x = np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)))

    def train(repo):
        net = build()
        net.compile(keras.optimizers.SGD(0.01, momentum=0.9), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        net.train_on_batch(x[:BATCH], y[:BATCH])  # traced before the clock starts
        callbacks = [flair.keras.Recorder(data=(x, y), repo=repo)] if repo is not None else []
        start = time.perf_counter()
        net.fit(x, y, batch_size=BATCH, verbose=0, shuffle=False, callbacks=callbacks)
        return time.perf_counter() - start, callbacks[0].folder if callbacks else None, sum(int(w.numpy().nbytes) for w in net.weights)
    return train


def measure(case, steps):
    import flair
    model, framework = case.split("_")
    steps = min(steps, 3) if model == "resnet" else steps
    train = (_torch if framework == "torch" else _keras)(model, steps)
    found = {"recorded": [], "plain": [], "bytes": []}
    train(None)  # warm up
    for _ in range(RUNS):
        found["plain"].append(1000 * train(None)[0] / steps)
        with tempfile.TemporaryDirectory() as folder:
            seconds, run, raw = train(flair.init(folder))
            found["recorded"].append(1000 * seconds / steps)
            found["bytes"].append(sum(p.stat().st_size for p in pathlib.Path(run).rglob("*") if p.is_file()) / steps)
    print(json.dumps({**found, "raw": raw}))


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2]))
