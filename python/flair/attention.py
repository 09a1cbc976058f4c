# SPDX-License-Identifier: Apache-2.0
"""The two ways PyTorch programs name an attention's projections, and the change between them.

nn.MultiheadAttention packs query, key and value into `in_proj_weight` (3d, d) and `in_proj_bias`; models written by
hand, transformers and the Keras door have `q_proj`, `k_proj`, `v_proj`. The numbers are the same.
"""
import numpy as np

_PARTS = ("q_proj", "k_proj", "v_proj")


def _packed(kind, prefix):
    return f"{prefix}in_proj_{kind}"


def as_wanted(state, wanted):
    """Renames packed to separate projections and back where `wanted` (names) has the other form.

    `state`: name -> numpy array, changed and returned.
    """
    for name in list(state):
        for kind in ("weight", "bias"):
            if name.endswith(_packed(kind, "")):
                prefix = name.removesuffix(_packed(kind, ""))
                parts = [f"{prefix}{part}.{kind}" for part in _PARTS]
                if name not in wanted and all(p in wanted for p in parts):
                    for part, array in zip(parts, np.split(state.pop(name), 3)):
                        state[part] = array
            elif name.endswith(f"q_proj.{kind}") and name in state:
                prefix = name.removesuffix(f"q_proj.{kind}")
                parts = [f"{prefix}{part}.{kind}" for part in _PARTS]
                packed = _packed(kind, prefix)
                if packed in wanted and all(p in state and p not in wanted for p in parts):
                    state[packed] = np.concatenate([state.pop(p) for p in parts])
    return state
