# SPDX-License-Identifier: Apache-2.0
"""A PyTorch optimizer and its scheduler as a program says them: an optimiser, a rate for each step, a clipping.

Neither is touched: the schedule is found by stepping copies. What has no program is refused with what has one.
"""
import copy
import warnings

import torch

from .. import errors, programs

_SGD, _ADAM = ("momentum", "dampening", "nesterov"), ("betas", "eps")
_KNOWN = {torch.optim.SGD: _SGD, torch.optim.Adam: _ADAM, torch.optim.AdamW: _ADAM}


def _stop(optimizer, what, remedy):
    raise errors.Unsupported(f"program: {type(optimizer).__name__}: {what}; {remedy}")


def _one(optimizer, name, values, remedy):
    if any(value != values[0] for value in values):
        _stop(optimizer, f"groups with several values of {name} ({', '.join(map(str, dict.fromkeys(values)))})", remedy)
    return values[0]


def _plain(value):
    return tuple(float(v) for v in value) if isinstance(value, (list, tuple)) else float(value)


def optimiser_of(optimizer):
    """(what `programs.call` gives, id of each parameter whose weight decay is 0 while others have one).

    Errors: Unsupported for any but SGD, Adam and AdamW themselves, for amsgrad and maximize, and for groups that differ in
    more than having a weight decay or none.
    """
    kind = type(optimizer)
    if kind not in _KNOWN:
        base = next((k.__name__ for k in kind.__mro__[1:] if k in _KNOWN), None)
        _stop(optimizer, f"a subclass of {base} may step otherwise" if base else "the engine has no such optimiser",
              f"use torch.optim.{base}" if base else "use torch.optim.SGD, Adam or AdamW")
    groups = optimizer.param_groups
    for switch in ("maximize", "amsgrad", "differentiable"):
        if any(group.get(switch) for group in groups):
            _stop(optimizer, f"{switch}=True", f"use {switch}=False")
    said = {name: _one(optimizer, name, [_plain(g[name]) if name != "nesterov" else bool(g[name]) for g in groups],
                       "use one value") for name in _KNOWN[kind]}
    decays = [float(group["weight_decay"]) for group in groups]
    decay = _one(optimizer, "weight_decay", [d for d in decays if d] or [0.0], "use one value, or 0 where there is none")
    without = {id(p) for group, d in zip(groups, decays, strict=True) if decay and not d for p in group["params"]}
    if kind is torch.optim.SGD:
        if not said["momentum"]:
            said["dampening"] = 0.0  # is of the momentum
        return programs.call("sgd", momentum=said["momentum"] or None, dampening=said["dampening"] or None,
                             nesterov=said["nesterov"] or None, weight_decay=decay or None), without
    coupled = kind is torch.optim.Adam and not any(g.get("decoupled_weight_decay") for g in groups)
    return programs.call("adam" if coupled else "adamw", beta1=said["betas"][0], beta2=said["betas"][1], eps=said["eps"],
                         weight_decay=decay), without


def rates_of(optimizer, scheduler, steps):
    """The learning rates of `steps` steps, floats; of a `scheduler`, which moves once a step, from where it stands.

    Errors: Unsupported for groups of several rates, for ReduceLROnPlateau, and for schedulers that change more than the
    rate; InvalidArgument for a scheduler of another optimizer, and for no steps.
    """
    if steps < 1:
        raise errors.InvalidArgument(f"program: {steps} steps; a program has a learning rate for one at least")
    if scheduler is None:
        return [_rate_of(optimizer)]
    if isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
        _stop(scheduler, "learning rates that depend on how training goes", "use a schedule of steps, such as StepLR")
    if getattr(scheduler, "optimizer", None) is not optimizer:
        raise errors.InvalidArgument(f"program: the {type(scheduler).__name__} is not of this optimizer")
    stand_in = type(optimizer)([{**{k: copy.deepcopy(v) for k, v in group.items() if k != "params"}, "params": [torch.zeros(1)]}
                                for group in optimizer.param_groups])
    mover = copy.deepcopy(scheduler, {id(optimizer): stand_in})
    other = _but_rates(stand_in)
    rates = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the stand-in's step is never called
        for _ in range(steps):
            rates.append(_rate_of(stand_in, optimizer))
            if _but_rates(stand_in) != other:
                _stop(scheduler, "it changes more than the learning rate", "use cycle_momentum=False, or another schedule")
            mover.step()
    return rates


def _rate_of(optimizer, of=None):
    return _one(of or optimizer, "lr", [float(group["lr"]) for group in optimizer.param_groups], "use one learning rate")


def _but_rates(optimizer):
    return [{k: _plain(group[k]) for k in (*_KNOWN[type(optimizer)], "weight_decay")} for group in optimizer.param_groups]


def clipping_of(clip_norm):
    """What `programs.call` gives for the max_norm of clip_grad_norm_ over all parameters, or None."""
    return None if clip_norm is None else programs.call("norm", limit=float(clip_norm))
