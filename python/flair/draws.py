# SPDX-License-Identifier: Apache-2.0
"""The order of training that a seed fixes, so that nobody chooses which batches are seen when."""
from . import _core


def batches(seed, records, batch, steps, first_step=0):
    """The rows of each step's batch, a list of `steps` lists of `batch` row numbers below `records`.

    For `torch.utils.data.DataLoader(data, batch_sampler=flair.batches(...))`: a run in this order can be proven
    (`flair prove RUN --seed SEED`). `seed`: 64 hex digits. Each epoch is a shuffle of all records; a last batch that is
    not full is dropped (docs/spec/step.md, "Draws"). Errors: InvalidArgument.
    """
    return _core.draw_batches(seed, records, batch, steps, first_step)
