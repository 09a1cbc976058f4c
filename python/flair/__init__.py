# SPDX-License-Identifier: Apache-2.0
"""Flair: version control and a hub for machine-learning models.

    repo = flair.clone("http://127.0.0.1:8420/alice/digits")
    repo.load_into(model)
    with flair.record(model, optimizer, data=train_set) as run:
        train(model, optimizer, train_set)
    repo.commit(model, run=run, metrics={"accuracy": accuracy}, message="Round 3, site B")
    print(repo.push().url)
"""
import importlib

from .client import Client
from .draws import batches
from .errors import (AlreadyExists, Cancelled, Conflict, Error, IntegrityError, InvalidArgument, IoError, MappingError, NoSpace,
                     NotFound, PolicyViolation, Unauthorised, Unavailable, Unsupported)
from .identity import new_wallet, wallet
from .programs import Program, program
from .repository import Check, Commit, Proposal, Repository, TensorChange, clone, discover, init, open
from .tensors import Tensor, Tensors

__version__ = "0.1.0"

__all__ = [
    "AlreadyExists", "Cancelled", "Check", "Client", "Commit", "Conflict", "Error", "IntegrityError", "InvalidArgument", "IoError",
    "MappingError", "NoSpace", "NotFound", "PolicyViolation", "Program", "Proposal", "Repository", "Tensor", "TensorChange", "Tensors",
    "Unauthorised", "Unavailable", "Unsupported", "batches", "clone", "discover", "init", "keras", "new_wallet",
    "open", "program", "record", "torch", "wallet",
]


def __getattr__(name):
    """A framework is imported when its door is used."""
    if name == "record":
        from .torch.recorder import record
        return record
    if name in ("keras", "torch"):
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module 'flair' has no attribute '{name}'")
