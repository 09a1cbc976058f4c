# SPDX-License-Identifier: Apache-2.0
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

# Two copies of LLVM live in a process with both frameworks; the one behind torch._dynamo must come first.
import torch._dynamo  # noqa: E402, F401
