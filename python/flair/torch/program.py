# SPDX-License-Identifier: Apache-2.0
"""The program of a PyTorch training set-up: model and loss as one graph, read by operators.py.

torch.export traces the model as it stands, with shapes of the sample; neither weights nor statistics nor the random
generator are touched. What tracing would lose without a word (a backward pass of one's own, torch.no_grad, autocast) is
looked for and refused.
"""
import contextlib
import inspect
import logging
import warnings

import torch

from .. import errors, programs
from .operators import Walk
from .optimizers import clipping_of, optimiser_of, rates_of
from .state import canonical_name
from .values import Counter, Label, Refused, Value, place_of

_LOSSES = {"cross_entropy_loss", "nll_loss_nd", "nll_loss"}


class _Wrapped(torch.nn.Module):
    """Model and loss: columns in, the loss out."""

    def __init__(self, model, loss):
        super().__init__()  # in training mode itself; its parts stay as they are
        self.model, self.loss = model, loss

    def forward(self, *columns):
        return self.loss(self.model(*columns[:-1]), columns[-1])


def _unwrapped(model):
    while True:
        if isinstance(model, torch.nn.parallel.DistributedDataParallel) and torch.distributed.get_world_size() > 1:
            raise errors.Unsupported(f"program: {type(model.module).__name__}: several ranks train it; train it on one")
        if isinstance(model, (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel)):
            model = model.module
        elif "_orig_mod" in model._modules:  # torch.compile
            model = model._orig_mod
        else:
            return model


def _check_model(model, loss):
    if not model.training:
        raise errors.Unsupported(f"program: {type(model).__name__}: it is in eval mode; call model.train() first")
    for name, module in model.named_modules():
        name = name or type(model).__name__
        if isinstance(module, torch.nn.SyncBatchNorm):
            raise errors.Unsupported(f"program: {name}: SyncBatchNorm takes statistics of several ranks; use BatchNorm")
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm) and module.track_running_stats and module.momentum is None:
            raise errors.Unsupported(f"program: {name}: a batch norm with momentum=None; use a number, such as 0.1")
        if isinstance(module, torch.nn.RNNBase) and module.dropout and module.num_layers > 1:
            raise errors.Unsupported(f"program: {name}: dropout {module.dropout:g} inside nn.{module.mode} cannot be public; "
                                     "set dropout=0, put nn.Dropout between layers")
        if module._backward_hooks or module._backward_pre_hooks:
            raise errors.Unsupported(f"program: {name}: a hook of its backward pass may change gradients; remove it")
    for name, parameter in model.named_parameters():
        if parameter._backward_hooks:
            raise errors.Unsupported(f"program: {name}: a hook may change its gradient; remove it")
        if parameter.dtype != torch.float32:
            raise errors.Unsupported(f"program: {name}: {str(parameter.dtype)[6:]} is not float32; call model.float()")
    if isinstance(loss, torch.nn.Module) and any(True for _ in loss.parameters()):
        raise errors.Unsupported("program: loss: it has parameters of its own; make it part of the model")


def _raising_layer(error, model):
    """The innermost module of `model` whose method is on the traceback."""
    names, found, trace = {id(m): n for n, m in model.named_modules()}, "", error.__traceback__
    while trace:
        code, local = trace.tb_frame.f_code, trace.tb_frame.f_locals
        if code.co_argcount and id(local.get(code.co_varnames[0])) in names:
            found = names[id(local[code.co_varnames[0]])]
        trace = trace.tb_next
    return found or type(model).__name__


class _OwnBackward(Exception):
    pass


@contextlib.contextmanager
def _tracing():
    """Quiet, and a user's autograd function raises: its forward pass alone would be traced."""
    own, disabled = torch.autograd.Function.__dict__["apply"], logging.root.manager.disable

    def apply(cls, *args, **kwargs):
        if cls.__module__.split(".")[0] != "torch":
            raise _OwnBackward(cls.__name__)
        return own.__get__(None, cls)(*args, **kwargs)

    torch.autograd.Function.apply = classmethod(apply)
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
        torch.autograd.Function.apply = own


def _exported(model, loss, sample):
    try:
        with _tracing():
            whole = torch.export.export(_Wrapped(model, loss), tuple(sample))
            for node in whole.graph.nodes:
                _check_region(node, model)
            return whole.run_decompositions(decomp_table={})
    except errors.Error:
        raise
    except _OwnBackward as error:
        raise errors.Unsupported(f"program: {_raising_layer(error, model)}: {error} has a backward pass of its own; "
                                 "use PyTorch's operators") from None
    except Exception as error:
        layer, first = _raising_layer(error, model), str(error).strip().split("\n")[0]
        if "data-dependent" in first or "DataDependent" in type(error).__name__:
            raise errors.Unsupported(f"program: {layer}: what it does depends on the data ({first}); compute both and weigh "
                                     "them, or decide outside of the model") from error
        raise errors.Unsupported(f"program: {layer}: torch.export cannot trace it ({first}); "
                                 "check that the model runs on the sample") from error


def _check_region(node, model):
    kind = type(node.target).__name__
    if node.op != "call_function" or isinstance(node.target, torch._ops.OpOverload) or "Wrap" not in kind:
        return
    node.meta.setdefault("nn_module_stack", {})
    said = {"WrapWithSetGradEnabled": ("torch.no_grad stops gradients inside of the model",
                                       "take it away, and freeze parameters with requires_grad_(False)"),
            "WrapWithAutocast": ("autocast is not float32", "train without it")}.get(kind)
    if said:
        raise errors.Unsupported(f"program: {_inside(node, model)}: {said[0]}; {said[1]}")


def _inside(node, model):
    """The place of a region's first operator that has one."""
    for argument in node.args:
        graph = getattr(node.graph.owning_module, str(argument.target), None) if isinstance(argument, torch.fx.Node) else None
        for inner in getattr(graph, "graph", torch.fx.Graph()).nodes:
            if inner.op == "call_function" and inner.meta.get("nn_module_stack"):
                return place_of(inner, model)
    return type(model).__name__


def _column_names(model, sample, columns):
    """One for each tensor of the sample; the same tensor twice is one column."""
    if columns is not None:
        names = list(columns)
    else:
        own = [p.name for p in inspect.signature(model.forward).parameters.values()
               if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        inputs = len(sample) - 1
        own = own[:inputs] if len(own) >= inputs else [f"input{i}" for i in range(inputs)]
        names = [*own, "labels"]
    first = {}
    distinct = [first.setdefault(id(tensor), i) for i, tensor in enumerate(sample)]
    if len(names) == len(first) < len(sample):  # named once
        given = iter(names)
        names = [next(given) if i == at else None for i, at in enumerate(distinct)]
    if len(names) != len(sample):
        raise errors.InvalidArgument(f"program: {len(names)} names for the {len(sample)} columns of the sample")
    return [names[at] for at in distinct]


def _check_sample(sample):
    if not isinstance(sample, (tuple, list)) or len(sample) < 2 or not all(isinstance(t, torch.Tensor) and t.dim() for t in sample):
        raise errors.InvalidArgument("program: the sample is a batch as the loop has it: tensors (inputs.., target)")
    if len({t.shape[0] for t in sample}) > 1:
        raise errors.InvalidArgument(f"program: the sample's tensors have {', '.join(str(t.shape[0]) for t in sample)} rows")


def _classes(graph):
    """Placeholder -> classes, of those that are the target of a cross entropy."""
    found = {}
    for node in graph.nodes:
        if node.op == "call_function" and getattr(getattr(node.target, "_overloadpacket", None), "__name__", "") in _LOSSES:
            target, logits = node.args[1], node.args[0].meta["val"]
            while isinstance(target, torch.fx.Node) and target.op == "call_function" and target.args:
                target = target.args[0]
            if isinstance(target, torch.fx.Node) and target.op == "placeholder" and not target.meta["val"].is_floating_point():
                found[target] = logits.shape[1] if logits.dim() > 1 else 0
    return found


class _Leaves:
    """Placeholders of the graph: columns, parameters, buffers, constants."""

    def __init__(self, draft, model, optimizer, whole, without):
        self._draft, self._whole, self._without, self._model = draft, whole, without, model
        self._first = {}  # id of a tensor -> its first name: tied weights are one
        for name, tensor in [*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)]:
            self._first.setdefault(id(tensor), (canonical_name(name), tensor))
        self._by_name = {name: tensor for name, tensor in [*model.named_parameters(remove_duplicate=False),
                                                           *model.named_buffers(remove_duplicate=False)]}
        self._trained = {id(p) for group in optimizer.param_groups for p in group["params"]}
        for group in optimizer.param_groups:
            for p in group["params"]:
                if id(p) not in self._first:
                    raise errors.Unsupported(f"program: {type(optimizer).__name__}: it holds a tensor {list(p.shape)} that is not of "
                                             "this model; give it the model's parameters")
        self._made = {}

    def of(self, spec):
        """The value of a placeholder that is no column; None for what none of the model's nodes may read."""
        kind = spec.kind.name
        if kind in ("CONSTANT_TENSOR", "BUFFER") and not spec.target.startswith("model."):
            tensor = self._whole.constants.get(spec.target, self._whole.state_dict.get(spec.target))
            return self._constant(spec.target, tensor)
        tensor = self._by_name.get(spec.target.removeprefix("model."))
        if tensor is None:
            return self._constant(spec.target, self._whole.constants.get(spec.target))
        name, tensor = self._first[id(tensor)]
        if id(tensor) not in self._made:
            self._made[id(tensor)] = self._parameter(name, tensor) if kind == "PARAMETER" else self._buffer(name, spec, tensor)
        return self._made[id(tensor)]

    def _constant(self, name, tensor):
        if tensor is None or tensor.numel() != 1 or tensor.is_complex():
            dims = list(tensor.shape) if tensor is not None else "?"
            return Refused(f"a constant tensor {dims}", "make it a buffer of the model (register_buffer), or a column of the data")
        return programs.written(tensor.item())

    def _parameter(self, name, tensor):
        if not tensor.requires_grad:  # nothing moves it
            return Value(self._draft.buffer(name, tensor.shape), tensor.shape)
        if id(tensor) not in self._trained:
            raise errors.Unsupported(f"program: {name}: the optimizer does not have it; give it to the optimizer, or freeze it with "
                                     "requires_grad_(False)")
        scale = programs.scale_of(tensor.detach().cpu().numpy())
        return Value(self._draft.parameter(name, tensor.shape, scale, decay=id(tensor) not in self._without), tensor.shape)

    def _buffer(self, name, spec, tensor):
        if not tensor.is_floating_point():
            if name.rpartition(".")[2] == "num_batches_tracked":
                return Counter()
            if tensor.numel() != 1:
                return Refused(f"an integer buffer '{name}'", "make it a column of the data")
        moved = {s.target for s in self._whole.graph_signature.output_specs if s.kind.name == "BUFFER_MUTATION"}
        if tensor.numel() == 1 and spec.target not in moved and not name.endswith(("running_mean", "running_var")):
            return programs.written(tensor.item())
        if spec.persistent is False:
            return Refused(f"buffer '{name}' is not in the state_dict", "register it with persistent=True")
        if tensor.dtype != torch.float32:
            return Refused(f"buffer '{name}' is {str(tensor.dtype)[6:]}", "call model.float()")
        return Value(self._draft.buffer(name, tensor.shape), tensor.shape)


def _check_mutations(whole, walk, leaves, model):
    """Only norms move buffers."""
    moved = [(s.target, node) for s, node in zip(whole.graph_signature.output_specs, whole.graph.output_node().args[0], strict=True)
             if s.kind.name != "USER_OUTPUT"]
    for target, node in moved:
        value = walk.values.get(node)
        if isinstance(value, Counter) or isinstance(value, Value) and value.name in walk.moved:
            continue
        name = target.removeprefix("model.")
        raise errors.Unsupported(f"program: {name}: the forward pass changes it; only a batch norm's statistics may move")


def draft(model, loss, optimizer, sample, steps, scheduler=None, clip_norm=None, columns=None, formats=None, profile=()):
    """The program of a PyTorch set-up; arguments as of flair.program.

    `sample`: float32 tensors [batch, ..] or integer ones, which the model makes floats (`x.float() / 256`); the target is
    last, int64 [batch] for a cross entropy. An input that is the target, too, is given twice and is one column.
    Errors: Unsupported "program: LAYER: what it is; what to do instead"; InvalidArgument.
    """
    model, formats = _unwrapped(model), formats or {}
    optimiser, without = optimiser_of(optimizer)
    rates = rates_of(optimizer, scheduler, int(steps))
    _check_model(model, loss)
    _check_sample(sample)
    names = _column_names(model, sample, columns)
    whole = _exported(model, loss, sample)
    made = programs.Draft(sample[0].shape[0])
    walk = Walk(made, model)
    leaves = _Leaves(made, model, optimizer, whole, without)
    placeholders = [node for node in whole.graph.nodes if node.op == "placeholder"]
    specs = whole.graph_signature.input_specs
    classes, inputs, columns_made = _classes(whole.graph), iter(zip(names, sample, strict=True)), {}
    labelled = {name for node, (name, _) in zip([p for p, s in zip(placeholders, specs, strict=True) if s.kind.name == "USER_INPUT"],
                                                zip(names, sample, strict=True), strict=True) if node in classes}
    for node, spec in zip(placeholders, specs, strict=True):
        if spec.kind.name != "USER_INPUT":
            walk.leaf(node, leaves.of(spec))
            continue
        name, tensor = next(inputs)
        if name not in columns_made:
            columns_made[name] = _column(made, name, tensor, classes.get(node, 0) if name in labelled else 0, formats)
        walk.leaf(node, columns_made[name])
    walk.walk(whole.graph.nodes)
    _check_mutations(whole, walk, leaves, model)
    outputs = [node for s, node in zip(whole.graph_signature.output_specs, whole.graph.output_node().args[0], strict=True)
               if s.kind.name == "USER_OUTPUT"]
    value = walk.values.get(outputs[0]) if len(outputs) == 1 and isinstance(outputs[0], torch.fx.Node) else None
    if not isinstance(value, Value) or value.shape != ():
        raise errors.Unsupported("program: loss: it is no single number that depends on the model; return a mean")
    return made.finish(walk.read(value), optimiser, rates, clipping_of(clip_norm), profile)


def _column(made, name, tensor, classes, formats):
    if classes:
        if tensor.dim() != 1:
            raise errors.Unsupported(f"program: loss: labels {list(tensor.shape)}; give cross_entropy one class a row, [batch]")
        return Label(made.label(name, classes))
    if tensor.is_complex():
        raise errors.Unsupported(f"program: {name}: complex numbers have no program; keep real and imaginary parts apart")
    if tensor.is_floating_point() and tensor.dtype != torch.float32:
        raise errors.Unsupported(f"program: {name}: {str(tensor.dtype)[6:]} is not float32; "
                                 "give the sample as the loop has it, in float32")
    bits, scale = formats.get(name) or programs.format_of(tensor.detach().cpu().numpy())
    made.column(name, tensor.shape[1:], bits, scale)
    return Value(name, tensor.shape)
