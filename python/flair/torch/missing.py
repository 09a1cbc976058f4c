# SPDX-License-Identifier: Apache-2.0
"""What the engine has no operator for yet, by ATen name: what people call it, and what to do instead."""

MISSING = {
    **{name: (name, "use relu") for name in (
        "gelu", "silu", "sigmoid", "tanh", "elu", "selu", "celu", "softplus", "leaky_relu", "hardtanh", "relu6", "hardsigmoid",
        "hardswish", "prelu", "rrelu", "mish", "clamp", "clamp_min", "clamp_max", "abs", "softsign", "logsigmoid", "threshold")},
    **{name: (name, "leave it out, or compute what depends on data alone before training") for name in (
        "exp", "log", "sqrt", "rsqrt", "reciprocal", "sin", "cos", "maximum", "minimum", "max", "min", "amax", "amin", "norm",
        "linalg_vector_norm", "cumsum", "std", "var", "flip", "roll", "einsum", "prod", "topk", "sort")},
    "softmax": ("softmax", "give the logits to cross_entropy; attention comes later"),
    "_softmax": ("softmax", "give the logits to cross_entropy; attention comes later"),
    "log_softmax": ("log_softmax but before nll_loss", "use cross_entropy on the logits"),
    "scaled_dot_product_attention": ("attention", "use linear, convolution and pooling layers"),
    "layer_norm": ("layer_norm", "use BatchNorm"),
    "group_norm": ("group_norm", "use BatchNorm"),
    "instance_norm": ("instance_norm", "use BatchNorm"),
    "rms_norm": ("rms_norm", "use BatchNorm"),
    "embedding": ("embedding", "register one-hot rows and use Linear"),
    "index": ("indexing by a tensor", "use slices, or make row weights a column of the data"),
    "index_select": ("indexing by a tensor", "use slices"),
    "gather": ("gather", "use slices"),
    "lstm": ("LSTM", "use linear and convolution layers"),
    "gru": ("GRU", "use linear and convolution layers"),
    "rnn_tanh": ("RNN", "use linear and convolution layers"),
    "rnn_relu": ("RNN", "use linear and convolution layers"),
    "conv3d": ("conv3d", "use Conv2d"),
    "conv_transpose1d": ("transposed convolution", "use Linear, or a convolution and a reshape"),
    "conv_transpose2d": ("transposed convolution", "use Linear, or a convolution and a reshape"),
    "pad": ("pad", "use the padding of the layer that follows, with zeros"),
    "constant_pad_nd": ("pad", "use the padding of the layer that follows"),
    "expand": ("expand", "let add or mul broadcast"),
    "repeat": ("repeat", "let add or mul broadcast"),
    "detach": ("detach", "freeze what is in front with requires_grad_(False)"),
    "bernoulli": ("random draw of the model's own (Dropout1d to 3d, stochastic depth)", "use nn.Dropout"),
    "alpha_dropout": ("alpha_dropout", "use nn.Dropout"),
    **{name: ("random draw of the model's own", "use nn.Dropout, or make it a column of the data") for name in (
        "rand", "randn", "rand_like", "randn_like", "normal_functional", "uniform", "randint")},
    **{name: (name, "use cross_entropy or mse_loss") for name in (
        "binary_cross_entropy", "binary_cross_entropy_with_logits", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div",
        "soft_margin_loss", "cosine_embedding_loss", "margin_ranking_loss", "poisson_nll_loss")},
    **{name: ("bilinear resize" if "bi" in name else "resize", "use a stride, or resize the data before") for name in (
        "upsample_nearest2d", "upsample_bilinear2d", "upsample_bicubic2d")},
}

# Tensors that are computed and yet no part of a program: refused where a node of the program reads them.
MADE_ELSEWHERE = {
    **{name: ("a constant tensor", "make it a buffer of the model (register_buffer), or a column of the data") for name in (
        "zeros", "ones", "full", "arange", "eye", "linspace", "scalar_tensor", "empty", "new_zeros", "new_ones", "new_full",
        "new_empty", "zeros_like", "ones_like", "full_like", "empty_like", "tril", "triu")},
    **{name: ("a comparison", "make what depends on it a column of the data, or use relu") for name in (
        "gt", "lt", "ge", "le", "eq", "ne", "logical_and", "logical_or", "logical_not", "bitwise_and", "bitwise_not", "isnan")},
}
