# SPDX-License-Identifier: Apache-2.0
"""A PyTorch model's state_dict as canonical tensors, and back.

Names are the state_dict's without what wrappers put in front (torch.compile, DataParallel). Tied weights are written
under each of their names, except those that the version before this one leaves out.
"""
import numpy as np
import torch

from .. import attention
from ..errors import InvalidArgument, MappingError
from ..mapping import ABSENT, RESET_BEFORE, describe
from ..model_file import dtype_name
from ..tensors import Tensor, of_array

_WRAPPERS = ("_orig_mod.", "module.")


def canonical_name(name):
    for wrapper in _WRAPPERS:
        while wrapper in name:
            at = name.index(wrapper)
            if at and name[at - 1] != ".":
                break  # "submodule." is no wrapper
            name = name[:at] + name[at + len(wrapper):]
    return name


def _entries(module):
    found = {}
    for name, value in module.state_dict(keep_vars=True).items():
        if not isinstance(value, torch.Tensor):
            raise MappingError(f"torch: '{name}' of {type(module).__name__} is no tensor but {type(value).__name__} (extra state)",
                               "keep it in a file of its own")
        if value.layout != torch.strided or value.is_quantized or value.is_meta:
            raise MappingError(f"torch: '{name}' is {'quantised' if value.is_quantized else value.layout}; only dense tensors are stored")
        clean = canonical_name(name)
        if clean in found:
            raise MappingError(f"torch: two tensors are called '{clean}'")
        found[clean] = value
    return found


def _identity(tensor):
    return (tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tensor.stride()) if tensor.numel() else id(tensor)


def of_torch(name, tensor):
    """A Tensor over the memory of a torch tensor; copied only from a device or when strided."""
    tensor = tensor.detach().cpu().contiguous()
    memory = memoryview(tensor.reshape(-1).view(torch.uint8).numpy()) if tensor.numel() else memoryview(b"")
    return Tensor(name, dtype_name(tensor.dtype), tuple(tensor.shape), memory)


def state_of(module, carried=None):
    """name -> Tensor, and metadata. `carried`: names of the version this one follows."""
    entries = _entries(module)
    if carried:
        groups = {}
        for name, value in entries.items():
            groups.setdefault(_identity(value), []).append(name)
        for names in groups.values():
            kept = [n for n in names if n in carried]
            if kept and len(names) > 1:
                for name in set(names) - set(kept):
                    del entries[name]
    state = {name: of_torch(name, value) for name, value in entries.items()}
    if carried and set(state) != set(carried):
        state = _renamed(state, carried)
    return state, {}


def _renamed(state, carried):
    wanted = attention.as_wanted({n: t.numpy() for n, t in state.items() if "in_proj_" in n or "_proj." in n}, carried)
    return {**{n: t for n, t in state.items() if not ("in_proj_" in n or "_proj." in n)},
            **{n: state[n] if n in state else of_array(n, a) for n, a in wanted.items()}}


def load_into(module, tensors, metadata=None, strict=True):
    """Copies into the module's own tensors; nothing is changed unless everything fits.

    Errors: InvalidArgument (names, shapes, types), MappingError.
    """
    metadata = metadata or {}
    for name in metadata.get(RESET_BEFORE, "").split():
        raise MappingError(f"torch: '{name}' is a GRU that resets before the product, which nn.GRU does not compute",
                           "in Keras, use GRU(reset_after=True)")
    entries = _entries(module)
    source = {name: tensors[name] for name in tensors}
    if set(source) != set(entries):
        source = _adapted(source, entries)
    for name in metadata.get(ABSENT, "").split():  # a bias that Keras does not have computes like zeros
        if name in entries and name not in source:
            source[name] = torch.zeros_like(entries[name])
    by_memory = {}
    for name, value in entries.items():
        by_memory.setdefault(_identity(value), []).append(name)
    tied = {n for names in by_memory.values() if any(m in source for m in names) for n in names}
    missing = [n for n in entries if n not in source and n not in tied]
    extra = [n for n in source if n not in entries]
    if strict and (missing or extra):
        raise InvalidArgument("torch: the tensors do not fit the model: " + describe(missing, extra))
    plan = []
    for name, value in entries.items():
        if name not in source:
            continue
        new = source[name]
        new = new.torch() if hasattr(new, "torch") else torch.as_tensor(new)
        if new.shape != value.shape or new.dtype != value.dtype:
            raise InvalidArgument(f"torch: tensor '{name}' is {new.dtype} {list(new.shape)}; "
                                  f"the model has {value.dtype} {list(value.shape)}")
        plan.append((value, new))
    with torch.no_grad():
        for value, new in plan:
            value.copy_(new)


def _adapted(source, wanted):
    parts = {n: np.asarray(t) for n, t in source.items() if "in_proj_" in n or "_proj." in n}
    return {**{n: t for n, t in source.items() if n not in parts}, **attention.as_wanted(parts, wanted)}
