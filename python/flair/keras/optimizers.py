# SPDX-License-Identifier: Apache-2.0
"""A Keras optimizer as a program says it: optimiser, learning rates, clipping, and what decays.

Keras' rules differ from PyTorch's (the rate is inside the momentum, Adam's epsilon stands elsewhere, weight decay is
decoupled in every optimizer), so a program says `rule=keras` wherever that makes another step, and nowhere else.
"""
import keras
import numpy as np

from .. import errors, programs
from .wiring import refuse

_KINDS = (keras.optimizers.SGD, keras.optimizers.Adam, keras.optimizers.AdamW)
# attribute -> (what it is, what to do instead)
_REFUSED = {
    "clipnorm": ("clipnorm clips every tensor by itself", "use global_clipnorm"),
    "clipvalue": ("clipvalue clips every number by itself", "use global_clipnorm"),
    "amsgrad": ("the engine has no amsgrad", "leave it out"),
    "use_ema": ("an average of the weights takes their place", "leave use_ema out, and average the result's versions"),
    "loss_scale_factor": ("loss_scale_factor changes the gradients that are clipped", "leave it out: float32 needs none"),
    "gradient_accumulation_steps": ("a step of several batches", "use one batch of their size"),
}


class Rules:
    """`optimiser`, `clip`: text; `rates`: one a step; `decays(variable)`: whether weight decay moves it.

    Errors: Unsupported for another class and for what the language does not say.
    """

    def __init__(self, optimizer, steps, clip_norm=None):
        self._optimizer, kind = optimizer, type(optimizer).__name__
        if type(optimizer) not in _KINDS:
            if isinstance(optimizer, _KINDS):
                raise refuse(kind, f"a class made of {type(optimizer).__base__.__name__} may step otherwise",
                             "use keras.optimizers.SGD, Adam or AdamW itself")
            raise refuse(kind, "the engine has no such optimizer yet", "use keras.optimizers.SGD, Adam or AdamW")
        for name, (what, instead) in _REFUSED.items():
            if getattr(optimizer, name, None):
                raise refuse(kind, what, instead)
        self.rates = _rates(optimizer, steps)
        limit = optimizer.global_clipnorm or None
        if clip_norm is not None and limit is not None:
            raise errors.InvalidArgument("program: clip_norm, and the optimizer's global_clipnorm; give one of them")
        limit = clip_norm if limit is None else limit
        self.clip = None if limit is None else programs.call("norm", limit=limit)
        self._decay = optimizer.weight_decay or 0
        self.optimiser = self._sgd() if isinstance(optimizer, keras.optimizers.SGD) else self._adam()

    def _sgd(self):
        o = self._optimizer
        steady = all(rate == self.rates[0] for rate in self.rates)
        other = self.clip or o.momentum and (self._decay or not steady)
        return programs.call("sgd", momentum=o.momentum or None, nesterov=True if o.nesterov and o.momentum else None,
                             weight_decay=self._decay or None, rule="keras" if other else None)

    def _adam(self):  # with weight decay Keras' Adam is its AdamW
        o = self._optimizer
        return programs.call("adamw" if self._decay else "adam", beta1=o.beta_1, beta2=o.beta_2, eps=o.epsilon,
                             weight_decay=self._decay or None, rule="keras")

    def decays(self, variable):
        """As Keras asks: the backend's variable, by identity and by name (exclude_from_weight_decay)."""
        return not self._decay or self._optimizer._use_weight_decay(variable.value)


def _rates(optimizer, steps):
    """One rate a step, from step 0 on, as float32 has them."""
    if steps < 1:
        raise errors.InvalidArgument("program: a schedule has one step or more")
    rate = optimizer._learning_rate
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        return [float(np.asarray(rate(step))) for step in range(steps)]
    if callable(rate) and not isinstance(rate, keras.Variable):
        raise refuse(type(optimizer).__name__, "a learning rate that a function gives",
                     "use a keras.optimizers.schedules.LearningRateSchedule")
    return [float(np.asarray(rate))]
