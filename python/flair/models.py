# SPDX-License-Identifier: Apache-2.0
"""Which door a model takes, found without importing a framework that is not in use."""
import sys

import numpy as np

from . import errors
from .tensors import Tensor, of_array


def framework_of(model):
    """"torch", "keras" or None (a mapping of tensors)."""
    torch, keras = sys.modules.get("torch"), sys.modules.get("keras")
    if torch is not None and isinstance(model, torch.nn.Module):
        return "torch"
    if keras is not None and isinstance(model, keras.Model):
        return "keras"
    return None


def _door(model):
    kind = framework_of(model)
    if kind == "torch":
        from . import torch as door
    elif kind == "keras":
        from . import keras as door
    else:
        raise errors.InvalidArgument(f"{type(model).__name__} is neither a torch.nn.Module nor a keras.Model")
    return door


def framework_text(model):
    """"pytorch 2.15.0", as a commit's training record names it."""
    kind = framework_of(model)
    if kind == "torch":
        return f"pytorch {sys.modules['torch'].__version__.split('+')[0]}"
    if kind == "keras":
        return f"keras {sys.modules['keras'].__version__}"
    return ""


def is_group(model):
    """{"generator": model, ...}: several models, a file each."""
    return isinstance(model, dict) and bool(model) and all(framework_of(m) for m in model.values())


def state_of(model, carried=None):
    """(name -> Tensor, metadata) of a model or of a mapping of tensors or arrays."""
    if framework_of(model) is None:
        if not hasattr(model, "items"):
            raise errors.InvalidArgument(f"{type(model).__name__} is no torch.nn.Module, keras.Model or mapping of tensors")
        return {str(n): _as_tensor(str(n), v) for n, v in model.items()}, {}
    state, metadata = _door(model).state_of(model, carried=carried)
    return {n: _as_tensor(n, v) for n, v in state.items()}, metadata


def _as_tensor(name, value):
    if isinstance(value, Tensor):
        return value
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        from .torch.state import of_torch
        return of_torch(name, value)
    return of_array(name, np.asarray(value))


def load(model, tensors, metadata, strict):
    _door(model).load_into(model, tensors, metadata, strict)
