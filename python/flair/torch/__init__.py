# SPDX-License-Identifier: Apache-2.0
"""The PyTorch door: state_dict names and layouts are the canonical ones, and the recorder."""
from .state import load_into, state_of

__all__ = ["load_into", "record", "state_of"]


def __getattr__(name):
    if name == "record":
        from .recorder import record
        return record
    raise AttributeError(name)
