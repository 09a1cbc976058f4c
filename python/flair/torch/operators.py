# SPDX-License-Identifier: Apache-2.0
"""From ATen nodes to a program's nodes.

The graph is what torch.export gives without decompositions: functional, with every layer whole. A `Walk` gives each node
its value. What costs nothing waits: an `affine`, a permutation and a shape are written only when a node reads them, after
what came before is folded into them, so that two ways to write one thing give one program.
"""
import fractions
import math
import operator

import torch

from .. import errors, programs
from .missing import MADE_ELSEWHERE, MISSING
from .values import Counter, Label, LogSoftmax, Refused, Value, place_of

_FOLDED = 1 << 31  # folding stops where a fraction's terms would pass this


class Walk:
    """One pass over an exported graph. `draft`: what it writes; `values`: what graph nodes stand for, by node."""

    def __init__(self, draft, model):
        self.draft, self.model = draft, model
        self.values, self._written = {}, {}
        self.moved = set()  # buffers that a norm moves

    def stop(self, what, remedy):
        raise errors.Unsupported(f"program: {place_of(self.node, self.model)}: {what}; {remedy}")

    def leaf(self, node, value):
        """What a placeholder stands for: a Value, Label, Counter, Fraction (a constant of one element) or Refused."""
        self.values[node] = value

    def walk(self, nodes):
        for self.node in nodes:
            if self.node.op == "call_function":
                self.values[self.node] = self._value_of(self.node)

    def _value_of(self, node):
        target = node.target
        if target is operator.getitem:
            whole = self.values[node.args[0]]
            return whole[node.args[1]] if isinstance(whole, (list, tuple)) else whole
        overload = isinstance(target, torch._ops.OpOverload)
        self.name = name = target._overloadpacket.__name__ if overload else getattr(target, "__name__", str(target))
        if name.startswith(("_assert", "sym_constrain")):
            return None
        if name in MADE_ELSEWHERE:
            return Refused(*MADE_ELSEWHERE[name])
        method = getattr(self, "aten_" + name, None)
        if method is None or not overload:
            return self._refuse(node, name)
        self._check_kind(node, name)
        given = {}
        for i, argument in enumerate(target._schema.arguments):
            default = argument.default_value if argument.has_default_value() else None
            value = node.args[i] if i < len(node.args) else node.kwargs.get(argument.name, default)
            given["x" if argument.name == "self" else argument.name] = self._resolved(value)
        found = node.meta.get("val")
        self.out = tuple(found.shape) if isinstance(found, torch.Tensor) else None
        return method(**given)

    def _refuse(self, node, name):
        if name in ("lstm", "gru") and any(isinstance(a, float) and a > 0 for a in node.args):
            p = next(a for a in node.args if isinstance(a, float) and a > 0)
            self.stop(f"dropout {p:g} inside nn.{name.upper()} cannot be public", "set dropout=0, put nn.Dropout between layers")
        found = node.meta.get("val")
        if isinstance(found, torch.Tensor) and found.is_complex() or name.startswith("fft"):
            self.stop("complex numbers have no program", "keep real and imaginary parts apart")
        if name in MISSING:
            what, remedy = MISSING[name]
            self.stop(f"the engine has no {what} yet", remedy)
        self.stop(f"the engine has no {name}", "use the operators of docs/spec/program.md")

    def _check_kind(self, node, name):
        found = node.meta.get("val")
        if not isinstance(found, torch.Tensor) or found.dtype == torch.float32:
            return
        if found.is_complex():
            self.stop("complex numbers have no program", "keep real and imaginary parts apart")
        if found.dtype.is_floating_point:
            self.stop(f"{str(found.dtype)[6:]} is not float32", "train in float32: model.float(), and no autocast")
        if name == "_to_copy" and any(n.meta["val"].is_floating_point() for n in node.all_input_nodes):
            self.stop("floats become integers", "make what needs them a column of the data")
        if name not in _MOVES and not any(isinstance(self.values.get(n), Counter) for n in node.all_input_nodes):
            self.stop(f"arithmetic of {str(found.dtype)[6:]}", "call .float() on the input first")

    def _resolved(self, argument):
        if isinstance(argument, torch.fx.Node):
            value = self.values[argument]
            if not isinstance(value, (Value, list, tuple)) and self.name not in _TAKERS.get(type(value), ()):
                self.read(value)  # which stops
            return value
        if isinstance(argument, (list, tuple)):
            return [self._resolved(a) for a in argument]
        return argument

    # Writing.

    def read(self, value):
        """The name of a value of which nothing waits any more."""
        if isinstance(value, Label):
            self.stop(f"'{value.name}' is a label, which only the loss reads", "make it a column of its own, and one-hot if need be")
        if isinstance(value, Refused):
            self.stop(f"it reads {value.what}", value.remedy)
        if isinstance(value, LogSoftmax):
            self.stop("the engine has no log_softmax but before nll_loss", "use cross_entropy on the logits")
        if not isinstance(value, Value):
            self.stop("a constant stands where a tensor is expected" if isinstance(value, fractions.Fraction) else
                      "it reads how many batches a norm saw", "use tensors that depend on the data")
        name, dims = value.name, value.dims
        if (value.scale, value.shift) != (1, 0):
            name = self._once("affine", name, scale=value.scale if value.scale != 1 else None, shift=value.shift or None)
        if value.axes != tuple(range(len(dims))):
            name, dims = self._once("permute", name, axes=value.axes), value.permuted
        if value.shape != dims:
            if len(dims) >= 2 and value.shape == (dims[0], math.prod(dims[1:])):
                return self._once("flatten", name)
            return self._once("reshape", name, dims=value.shape)
        return name

    def _once(self, operator, name, **attributes):
        key = (operator, name, *attributes.items())
        if key not in self._written:
            self._written[key] = self.draft.node(operator, name, **attributes)
        return self._written[key]

    def write(self, operator, *inputs, dims=None, **attributes):
        """A node that reads values; `dims`: its own, by default those of the graph's node."""
        names = [value if isinstance(value, str) else self.read(value) for value in inputs]
        return Value(self.draft.node(operator, *names, **attributes), self.out if dims is None else dims)

    # Arithmetic.

    def _affine(self, x, scale, shift):
        if isinstance(x, fractions.Fraction):
            return x * scale + shift
        if isinstance(x, Value):
            folded = x.scale * scale, x.shift * scale + shift
            if max(max(abs(f.numerator), f.denominator) for f in folded) >= _FOLDED:
                x, folded = Value(self.read(x), x.shape), (fractions.Fraction(scale), fractions.Fraction(shift))
            return x.but(scale=folded[0], shift=folded[1], shape=self.out)
        return Value(self.read(x), self.out)  # refuses

    def _number(self, x):
        return x if isinstance(x, (Value, Label, LogSoftmax, Counter)) or x is None else programs.written(x)

    def _sum(self, a, b, alpha, sign):
        a, b, factor = self._number(a), self._number(b), sign * programs.written(alpha)
        if isinstance(a, Counter):
            return a
        if isinstance(b, fractions.Fraction):
            return self._affine(a, 1, factor * b)
        if isinstance(a, fractions.Fraction):
            return self._affine(b, factor, a)
        one = two = fractions.Fraction(1)
        if isinstance(a, Value) and not a.shift:
            a, one = a.but(scale=1), a.scale
        if isinstance(b, Value) and not b.shift:
            b, two = b.but(scale=1), b.scale
        two *= factor
        return self.write("add", a, b, alpha=None if one == 1 else one, beta=None if two == 1 else two)

    def aten_add(self, x, other, alpha=1, **given):
        return self._sum(x, other, alpha, 1)

    def aten_sub(self, x, other, alpha=1, **given):
        return self._sum(x, other, alpha, -1)

    def aten_rsub(self, x, other, alpha=1, **given):
        return self._sum(other, x, alpha, -1)

    def aten_neg(self, x, **given):
        return self._affine(x, -1, 0)

    def aten_mul(self, x, other, **given):
        a, b = self._number(x), self._number(other)
        if isinstance(a, fractions.Fraction):
            a, b = b, a
        if isinstance(b, fractions.Fraction):
            return self._affine(a, b, 0)
        return self.write("mul", a, b)

    def aten_div(self, x, other, rounding_mode=None, **given):
        other = self._number(other)
        if rounding_mode is not None:
            self.stop("a division that rounds", "divide without rounding_mode")
        if not isinstance(other, fractions.Fraction):
            self.stop("the engine has no division by a tensor yet",
                      "keep the reciprocal in a buffer and multiply, or prepare the data")
        return self._affine(self._number(x), 1 / other, 0)

    def aten_pow(self, x, exponent, **given):
        if isinstance(exponent, Value) or exponent not in (1, 2, 3, 4):
            self.stop(f"the engine has no power {'of a tensor' if isinstance(exponent, Value) else exponent} yet", "use products")
        if exponent == 1:
            return x
        square = self.write("mul", x, x)
        return square if exponent == 2 else self.write("mul", square, x if exponent == 3 else square)

    def aten_square(self, x, **given):
        return self.write("mul", x, x)

    # Layers.

    def aten_relu(self, x, **given):
        return self.write("relu", x)

    def _flat(self, x):
        return x.but(shape=(math.prod(x.shape[:-1]), x.shape[-1])) if len(x.shape) != 2 else x

    def aten_linear(self, input, weight, bias=None):
        if len(input.shape) == 0 or not isinstance(weight, Value):
            return self.write("linear", input, weight)  # refused by the core
        return self.write("linear", input, weight, *([bias] if bias is not None else []))

    def _product(self, a, b, bias=None):
        """a[.., k] times b[k, n], or batches of both."""
        for x in (a, b):
            if not isinstance(x, Value):
                self.read(x)
        if len(a.shape) == 1 or len(b.shape) == 1:
            rows, columns = (1, *a.shape) if len(a.shape) == 1 else a.shape, (*b.shape, 1) if len(b.shape) == 1 else b.shape
            wanted, a, b = self.out, a.but(shape=rows), b.but(shape=columns)
            self.out = (*rows[:-1], columns[-1])
            return self._product(a, b).but(shape=wanted)
        if len(b.shape) == 2 and b.transposed:  # x Wᵀ
            return self.write("linear", a, b.but(axes=None, shape=b.dims), *([bias] if bias is not None else []))
        shape = self.out
        if len(b.shape) == 2 and len(a.shape) > 2:
            a = self._flat(a)
        if len(a.shape) != len(b.shape) or a.shape[:-2] != b.shape[:-2]:
            self.stop("a product that broadcasts batches", "give both factors the same leading sizes")
        turned = {}
        for key, x in (("transpose_a", a), ("transpose_b", b)):
            turned[key] = True if x.transposed else None
        a, b = (x.but(axes=None, shape=x.dims) if x.transposed else x for x in (a, b))
        rows = a.shape[-1] if turned["transpose_a"] else a.shape[-2]
        columns = b.shape[-2] if turned["transpose_b"] else b.shape[-1]
        found = self.write("matmul", a, b, dims=(*a.shape[:-2], rows, columns), **turned)
        if bias is not None:
            found = self.write("add", found, bias, dims=found.dims)
        return found.but(shape=shape)

    def aten_matmul(self, x, other, **given):
        return self._product(x, other)

    def aten_mm(self, x, mat2, **given):
        return self._product(x, mat2)

    def aten_bmm(self, x, mat2, **given):
        return self._product(x, mat2)

    def aten_addmm(self, x, mat1, mat2, beta=1, alpha=1, **given):
        if (beta, alpha) != (1, 1):
            self.stop("addmm with factors", "write the factors as products")
        return self._product(mat1, mat2, x)

    def _pair(self, given, default):
        given = list(given) if isinstance(given, (list, tuple)) else [given]
        return default if not given or given == [None] else given * 2 if len(given) == 1 else given

    def _planes(self, x, kind):
        if isinstance(x, Value) and len(x.shape) != 4:
            self.stop(f"{kind} of {len(x.shape)} dims", "give it a batch: [N, C, H, W]")

    def aten_conv2d(self, input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        self._planes(input, "a convolution")
        stride, dilation = self._pair(stride, [1, 1]), self._pair(dilation, [1, 1])
        if padding == "valid":
            padding = 0
        if padding == "same":
            room = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True)]
            pad = [room[0] // 2, room[0] - room[0] // 2, room[1] // 2, room[1] - room[1] // 2]
        else:
            high, wide = self._pair(padding, [0, 0])
            pad = [high, high, wide, wide]
        return self.write("conv", input, weight, *([bias] if bias is not None else []),
                          stride=stride if stride != [1, 1] else None, pad=pad if any(pad) else None,
                          dilation=dilation if dilation != [1, 1] else None, groups=groups if groups != 1 else None)

    def aten_conv1d(self, input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        """As planes of height 1."""
        if len(input.shape) != 3:
            self.stop(f"a convolution of {len(input.shape)} dims", "give it a batch: [N, C, L]")

        def one(given, other):
            return [other, *(given if isinstance(given, (list, tuple)) else [given])]

        shape, self.out = self.out, (*self.out[:2], 1, self.out[2])
        high = input.but(shape=(*input.shape[:2], 1, input.shape[2]))
        wide = weight.but(shape=(*weight.shape[:2], 1, weight.shape[2]))
        return self.aten_conv2d(high, wide, bias, one(stride, 1), padding if isinstance(padding, str) else one(padding, 0),
                                one(dilation, 1), groups).but(shape=shape)

    def aten_max_pool2d(self, x, kernel_size, stride=(), padding=0, dilation=1, ceil_mode=False, **given):
        self._planes(x, "a pool")
        window = self._pair(kernel_size, None)
        stride, padding = self._pair(stride, window), self._pair(padding, [0, 0])
        if self._pair(dilation, [1, 1]) != [1, 1]:
            self.stop("a pool with dilation", "use dilation=1")
        pad = []
        for n, k, s, p, out in zip(x.shape[2:], window, stride, padding, self.out[2:], strict=True):
            pad += [p, max(p, (out - 1) * s + k - n - p)]  # ceil_mode pads behind
        return self.write("max_pool", x, window=window, stride=stride, pad=pad if any(pad) else None)

    def aten_max_pool1d(self, x, kernel_size, stride=(), padding=0, dilation=1, ceil_mode=False, **given):
        shape = self.out
        self.out = (*shape[:2], 1, shape[2])

        def one(given, other):
            given = given if isinstance(given, (list, tuple)) else [given]
            return [other, *given] if given else []

        high = x.but(shape=(*x.shape[:2], 1, x.shape[2]))
        return self.aten_max_pool2d(high, one(kernel_size, 1), one(stride, 1), one(padding, 0), one(dilation, 1)).but(shape=shape)

    def aten_avg_pool2d(self, x, kernel_size, stride=(), padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None,
                        **given):
        self._planes(x, "a pool")
        window = self._pair(kernel_size, None)
        stride = self._pair(stride, window)
        if any(self._pair(padding, [0, 0])):
            self.stop("an average pool with padding", "use padding=0")
        if divisor_override is not None:
            self.stop("divisor_override", "leave it out")
        if any((n - k) // s + 1 != out for n, k, s, out in zip(x.shape[2:], window, stride, self.out[2:], strict=True)):
            self.stop("an average pool with ceil_mode that leaves its input", "use ceil_mode=False")
        return self.write("avg_pool", x, window=window, stride=stride)

    def _bins(self, x, output_size):
        """The window of an adaptive pool, which is its stride."""
        self._planes(x, "a pool")
        if any(n % out for n, out in zip(x.shape[2:], output_size, strict=True)):
            self.stop(f"an adaptive pool from {list(x.shape[2:])} to {list(output_size)}, in windows of several sizes",
                      "use sizes that divide, or a pool with a window")
        return [n // out for n, out in zip(x.shape[2:], output_size, strict=True)]

    def aten_adaptive_avg_pool2d(self, x, output_size, **given):
        window = self._bins(x, self.out[2:])
        if window == [1, 1]:
            return x
        if list(self.out[2:]) == [1, 1]:
            return self._reduced(x, [2, 3], "mean")
        return self.write("avg_pool", x, window=window, stride=window)

    def aten_adaptive_max_pool2d(self, x, output_size, **given):
        shape = tuple(self.node.meta["val"][0].shape)
        window = self._bins(x, shape[2:])
        return [self.write("max_pool", x, dims=shape, window=window, stride=window), None]

    def _norm(self, x, weight, bias, mean, variance, momentum, eps, mode):
        if weight is None or bias is None:
            self.stop("a batch norm without weight and bias", "use affine=True")
        if mean is None:
            self.stop("a batch norm without running statistics", "use track_running_stats=True")
        if mode == "train" and mean.name in self.moved:
            self.stop("a batch norm that is used twice in a step", "use a layer of its own for each")
        # In mode eval nothing moves, whatever the momentum.
        found = self.write("batch_norm", x, weight, bias, mean, variance, dims=x.shape, mode="eval" if mode == "eval" else None,
                           eps=programs.written(eps), momentum=programs.written(momentum) if mode == "train" else None)
        if mode == "train":
            self.moved |= {mean.name, variance.name}
        return found

    def aten__native_batch_norm_legit_functional(self, input, weight, bias, running_mean, running_var, training, momentum, eps):
        found = self._norm(input, weight, bias, running_mean, running_var, momentum, eps, "train" if training else "eval")
        return [found, None, None, running_mean, running_var]

    def aten__native_batch_norm_legit_no_training(self, input, weight, bias, running_mean, running_var, momentum, eps):
        return [self._norm(input, weight, bias, running_mean, running_var, momentum, eps, "eval"), None, None]

    def aten__native_batch_norm_legit(self, **given):
        self.stop("a batch norm without running statistics", "use track_running_stats=True")

    def aten_native_dropout(self, input, p, train):
        if not train or p == 0:
            return [input, None]
        if p >= 1:
            self.stop("dropout of everything", "use p below 1")
        return [self.write("dropout", input, dims=input.shape, p=programs.written(p)), None]

    # Losses.

    def _mean_of_the_batch(self, reduction, name):
        if reduction != 1:
            self.stop(f"{name} with reduction='{'sum' if reduction == 2 else 'none'}'", "use reduction='mean'")

    def _classes(self, logits, target, weight, reduction):
        self._mean_of_the_batch(reduction, "cross_entropy")
        if weight is not None:
            self.stop("cross_entropy with weights of classes", "leave weight out")
        if not isinstance(target, Label):
            if not isinstance(target, Value):
                self.read(target)
            self.stop("cross_entropy with probabilities as its target", "give it class numbers, int64")
        if len(logits.shape) != 2:
            self.stop(f"cross_entropy of logits {list(logits.shape)}", "give it [batch, classes]")
        return self.write("cross_entropy", logits, target.name, dims=())

    def aten_cross_entropy_loss(self, x, target, weight=None, reduction=1, ignore_index=-100, label_smoothing=0.0, **given):
        if label_smoothing:
            self.stop(f"cross_entropy with label_smoothing={label_smoothing:g}", "use label_smoothing=0")
        return self._classes(x, target, weight, reduction)

    def aten_log_softmax(self, x, dim, **given):
        if len(x.shape) != 2 or dim % 2 != 1:
            self.stop("the engine has no log_softmax but before nll_loss", "use cross_entropy on the logits")
        return LogSoftmax(x)

    def aten_nll_loss_nd(self, x, target, weight=None, reduction=1, ignore_index=-100, **given):
        if not isinstance(x, LogSoftmax):
            self.stop("nll_loss of what is no log_softmax", "use cross_entropy on the logits")
        return self._classes(x.logits, target, weight, reduction)

    def aten_mse_loss(self, x, target, reduction=1, **given):
        self._mean_of_the_batch(reduction, "mse_loss")
        if x.shape != target.shape:
            self.stop(f"mse_loss of {list(given['self'].shape)} and {list(target.shape)}", "give both the same shape")
        return self.write("mse", x, target, dims=())

    # Wiring.

    def _same(self, x, **given):
        return x

    aten_clone = aten_contiguous = aten_alias = aten_lift_fresh_copy = aten__to_copy = _same

    def _shaped(self, x, **given):
        if isinstance(x, (Label, Refused, fractions.Fraction)):
            if isinstance(x, Label) and self.out != (self.draft.batch,):
                self.read(x)
            return x
        return x.but(shape=self.out)

    aten_view = aten__unsafe_view = aten_reshape = aten_flatten = aten_unflatten = aten_squeeze = aten_unsqueeze = _shaped

    def aten_expand(self, x, **given):
        if isinstance(x, fractions.Fraction) or isinstance(x, Value) and x.shape == self.out:
            return x
        if isinstance(x, Value) and math.prod(x.shape) == math.prod(self.out):
            return x.but(shape=self.out)
        return self._refuse(self.node, "expand")

    def aten_detach(self, x):
        """Of a constant; what depends on parameters would need a gradient that stops."""
        return x if isinstance(x, fractions.Fraction) else self._refuse(self.node, "detach")

    def aten_broadcast_tensors(self, tensors):
        shapes = [x.shape for x in tensors if isinstance(x, Value)]
        if len(shapes) != len(tensors) or len(set(shapes)) > 1:
            self.stop(f"a loss of shapes {' and '.join(str(list(s)) for s in shapes)}", "give both the same shape")
        return tensors

    def _permuted(self, x, axes):
        if x.shape != x.permuted:
            x = Value(self.read(x), x.shape)
        axes = [x.axes[a] for a in axes]
        return Value(x.name, x.dims, x.scale, x.shift, axes)

    def aten_permute(self, x, dims, **given):
        return self._permuted(x, [d % len(x.shape) for d in dims])

    def aten_transpose(self, x, dim0, dim1, **given):
        axes = list(range(len(x.shape)))
        axes[dim0], axes[dim1] = axes[dim1], axes[dim0]
        return self._permuted(x, axes)

    def aten_t(self, x, **given):
        return self._permuted(x, list(range(len(x.shape)))[::-1])

    aten_numpy_T = aten_t

    def _slice(self, x, axis, begin, size):
        if begin == 0 and size == x.shape[axis]:
            return x
        return self.write("slice", x, dims=(*x.shape[:axis], size, *x.shape[axis + 1:]), axis=axis, begin=begin, size=size)

    def aten_slice(self, x, dim=0, start=None, end=None, step=1, **given):
        if step != 1:
            self.stop(f"a slice with step {step}", "use step 1")
        axis = dim % len(x.shape)
        n = x.shape[axis]
        begin = min(max(start + n if (start or 0) < 0 else start or 0, 0), n)
        return self._slice(x, axis, begin, self.out[axis])

    def aten_select(self, x, dim, index, **given):
        shape = self.out
        axis = dim % len(x.shape)
        return self._slice(x, axis, index % x.shape[axis], 1).but(shape=shape)

    def aten_narrow(self, x, dim, start, length, **given):
        return self._slice(x, dim % len(x.shape), start % x.shape[dim], length)

    def _pieces(self, x, axis, sizes):
        begins = [sum(sizes[:i]) for i in range(len(sizes))]
        return [self._slice(x, axis, begin, size) if self._used(i) else None
                for i, (begin, size) in enumerate(zip(begins, sizes, strict=True))]

    def _used(self, i):
        return any(user.target is operator.getitem and user.args[1] == i for user in self.node.users)

    def aten_split(self, x, split_size, dim=0, **given):
        axis = dim % len(x.shape)
        n = x.shape[axis]
        return self._pieces(x, axis, [min(split_size, n - at) for at in range(0, n, split_size)])

    def aten_split_with_sizes(self, x, split_sizes, dim=0, **given):
        return self._pieces(x, dim % len(x.shape), split_sizes)

    def aten_unbind(self, x, dim=0, **given):
        axis = dim % len(x.shape)
        shape = (*x.shape[:axis], *x.shape[axis + 1:])
        return [p and p.but(shape=shape) for p in self._pieces(x, axis, [1] * x.shape[axis])]

    def aten_cat(self, tensors, dim=0):
        if len(tensors) == 1:
            return tensors[0]
        return self.write("concat", *tensors, axis=dim % len(self.out))

    def aten_stack(self, tensors, dim=0):
        axis = dim % len(self.out)
        return self.aten_cat([x.but(shape=(*x.shape[:axis], 1, *x.shape[axis:])) for x in tensors], axis)

    def _reduced(self, x, axes, by):
        if not isinstance(x, Value):
            self.read(x)
        axes = sorted({a % len(x.shape) for a in axes}) if axes else list(range(len(x.shape)))
        shape = self.out
        if not axes:
            return x
        kept = tuple(n for i, n in enumerate(x.shape) if i not in axes)
        return self.write("reduce", x, dims=kept, axes=axes, by=by).but(shape=shape)

    def aten_mean(self, x, dim=None, dtype=None, **given):
        return self._reduced(x, dim, "mean")

    def aten_sum(self, x, dim=None, dtype=None, **given):
        return self._reduced(x, dim, "sum")


_SAME = {"clone", "contiguous", "alias", "lift_fresh_copy", "_to_copy"}
_SHAPED = {"view", "_unsafe_view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze"}

# Operators that move numbers and compute none: integers may pass them.
_MOVES = _SAME | _SHAPED | {"expand", "permute", "transpose", "t", "slice", "select", "narrow", "cat", "stack"}

# Which operators take what is no tensor of the program.
_TAKERS = {
    Label: _SAME | _SHAPED | {"cross_entropy_loss", "nll_loss_nd"},
    LogSoftmax: {"nll_loss_nd"},
    Counter: {"add"},
    Refused: _SAME | _SHAPED | {"cross_entropy_loss", "nll_loss_nd"},  # as the weights of classes, which are refused by their own name
    fractions.Fraction: _SAME | _SHAPED | {"add", "sub", "rsub", "mul", "div", "neg", "expand", "detach"},
}
