# SPDX-License-Identifier: Apache-2.0
"""What both doors say about tensors that one framework has and the other does not."""

RESET_BEFORE = "flair.reset_before"  # metadata: GRUs that reset before the product; not PyTorch's function
ABSENT = "flair.absent"              # metadata: tensors that PyTorch has and the model does not: zeros


def describe(missing, extra):
    """One line for names that do not fit."""
    def some(names):
        return ", ".join(sorted(names)[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return "; ".join(([f"missing {some(missing)}"] if missing else []) + ([f"unexpected {some(extra)}"] if extra else []))
