# SPDX-License-Identifier: Apache-2.0
"""The Keras door: weights in PyTorch's names and layouts, both ways, and the recorder."""
from .state import load_into, state_of

__all__ = ["Recorder", "load_into", "state_of"]


def __getattr__(name):
    if name == "Recorder":
        from .recorder import Recorder
        return Recorder
    raise AttributeError(name)
