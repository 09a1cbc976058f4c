"""A PyTorch network as the text of a training program: its graph, read by torch.fx, node by node."""
import torch
import torch.fx
from torch import nn


def _call(module, source, name):
    """A module's operator, and whether it has weights of its own."""
    match module:
        case nn.Linear():
            return f"linear({source}, {name}.weight, {name}.bias)"
        case nn.Conv2d():
            bias = f", {name}.bias" if module.bias is not None else ""
            (top, left), stride = module.padding, list(module.stride)
            return f"conv({source}, {name}.weight{bias}, stride={stride}, pad={[top, left, top, left]})"
        case nn.BatchNorm2d():
            return f"batch_norm({source}, {name}.weight, {name}.bias, {name}.running_mean, {name}.running_var)"
        case nn.ReLU():
            return f"relu({source})"
        case nn.Dropout():
            top, bottom = module.p.as_integer_ratio()
            return f"dropout({source}, p={top}/{bottom})"
        case nn.MaxPool2d():
            return f"max_pool({source}, window={[module.kernel_size] * 2}, stride={[module.stride] * 2})"
        case nn.AdaptiveAvgPool2d(output_size=1):
            return f"reduce({source}, axes=[2, 3], by=mean)"
        case nn.Flatten():
            return f"flatten({source})"
    raise ValueError(f"no operator for {module}")


def prefixed(name):
    """Names of a program begin with a letter; those of a Sequential are numbers."""
    return f"net.{name}"


def tensors_of(network):
    """What a program keeps of a network, by the program's names."""
    return {prefixed(name): tensor for name, tensor in network.state_dict().items() if not name.endswith("num_batches_tracked")}


def program_of(network, batch, image, *, rate, optimiser):
    lines = ["flair program 1", f"batch {batch}", f"data images {list(image)} bits 9 scale 0", "label labels classes 10"]
    buffers = {name for name, _ in network.named_buffers()}
    shapes = [(name, list(tensor.shape)) for name, tensor in network.state_dict().items() if not name.endswith("num_batches_tracked")]
    lines += [f"param {prefixed(name)} {dims}" for name, dims in shapes if name not in buffers]
    lines += [f"buffer {prefixed(name)} {dims}" for name, dims in shapes if name in buffers]
    lines.append("pixels = affine(images, scale=1/256)")
    modules, names, last = dict(network.named_modules()), {}, None
    for node in torch.fx.symbolic_trace(network).graph.nodes:
        if node.op == "placeholder":
            names[node] = "pixels"
            continue
        if node.op == "output":
            last = names[node.args[0]]
            continue
        names[node] = "n" + str(node)
        if node.op == "call_module":
            call = _call(modules[node.target], names[node.args[0]], prefixed(node.target))
        elif node.op == "call_function" and node.target.__name__ == "add":
            call = f"add({names[node.args[0]]}, {names[node.args[1]]})"
        else:
            raise ValueError(f"no operator for {node.format_node()}")
        lines.append(f"{names[node]} = {call}")
    lines += [f"l = cross_entropy({last}, labels)", "loss l", f"optimiser {optimiser}", f"schedule {rate}"]
    return "\n".join(lines) + "\n"
