# SPDX-License-Identifier: Apache-2.0
"""Prints tests/vectors/lowering.json: programs that use every operator, optimiser and kind of slack, and digests of their circuits."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import program_text  # noqa: E402
from lowering import lower, slack  # noqa: E402
from lowering.digest import digest  # noqa: E402
from program import Refused  # noqa: E402

SLACK = {"tau": -10, "rho": 5e-4, "rho_first": 2e-2, "kappa": 1, "sigma": 1.0, "beta": 7}
SMALL = "profile logit 8 4\nprofile probability 12\n"


def written(batch: int, leaves: str, nodes: str, optimiser: str = "sgd()", schedule: str = "1/32", rest: str = "") -> str:
    """Leaves and nodes separated by `;`; the last node is the loss."""
    def lines(parts: str) -> str:
        return "".join(part.strip() + "\n" for part in parts.split(";"))

    loss = nodes.split(";")[-1].split("=")[0].strip()
    return (f"flair program 1\nbatch {batch}\n{lines(leaves)}{lines(nodes)}loss {loss}\noptimiser {optimiser}\nschedule {schedule}\n"
            f"{rest.replace(';', chr(10))}{chr(10) if rest else ''}" + ("" if "profile logit" in rest else SMALL))  # fmt: skip


MLP = ("data x [6] bits 12 scale 8; label y classes 3; param a [5, 6]; param b [5]; param c [3, 5] scale 1; param d [3] decay no",
       "h = linear(x, a, b); r = relu(h); z = linear(r, c, d); l = cross_entropy(z, y)")  # fmt: skip
IMAGE = "data x [2, 6, 5] bits 9 scale 8; label y classes 3"


def image(parameters: str, nodes: str, features: int, batch: int = 3, **rest) -> str:
    """From x to f, which is flattened."""
    head = "q = flatten(f); z = linear(q, out); l = cross_entropy(z, y)"
    return written(batch, f"{IMAGE}; {parameters}; param out [3, {features}]", f"{nodes}; {head}", **rest)


def normed(attributes: str = "", convolution: str = "conv(x, k)", **rest) -> str:
    leaves = ("data x [2, 3, 3] bits 9 scale 8; label y classes 3; param k [4, 2, 2, 2]; param g [4]; param b [4]; param out [3, 16]; "
              "buffer m [4]; buffer v [4]")  # fmt: skip
    return written(4, leaves, f"h = {convolution}; n = batch_norm(h, g, b, m, v{attributes}); r = relu(n); q = flatten(r); z = linear(q, out); "
                   "l = cross_entropy(z, y)", **rest)  # fmt: skip


def before_a_norm(optimiser: str, schedule: str, scale: int = 0, rest: str = "") -> str:
    """A gauge tensor: the bias of a convolution."""
    text = normed("", "conv(x, k, c)", optimiser=optimiser, schedule=schedule, rest=rest)
    return text.replace("param g", f"param c [4] scale {scale}\nparam g")


def programs() -> dict:
    made = {
        "one weight, one number": written(2, "data x [] bits 8 scale 4; param w []", "m = mul(x, w); l = reduce(m, axes=[0], by=mean)"),
        "a perceptron": written(8, *MLP),
        "a perceptron, batch of 1": written(1, *MLP),
        "limbs of 9 bits": written(4, *MLP, rest="profile limb 9;profile z gradient 22 24;profile r activation 10 7"),
        "a rate of 0": written(4, *MLP, schedule="0"),
        "rates": written(4, *MLP, schedule="1/8 x 10, 3/64 x 1, 0 x 7, 1/1024"),
        "coarse logits": written(4, *MLP, rest="profile logit 12 7;profile activation 18 12;profile limb 12"),
        "a relu of a parameter": written(2, "data x [4] bits 8 scale 4; param w [4]",
                                         "r = relu(w); m = mul(x, r); l = reduce(m, axes=[0, 1])"),
        "a relu that is read twice": written(2, "data x [4] bits 8 scale 4; data t [4] bits 8 scale 4; param w [4, 4]; param u [4, 4]",
                                             "h = linear(x, w); r = relu(h); k = linear(r, u); s = add(k, r, alpha=1/3); l = mse(s, t)"),
        "two losses on one label": written(4, MLP[0] + "; param e [3, 6]", MLP[1] + "; k = linear(x, e); l2 = cross_entropy(k, y); "
                                           "o = add(l, l2, beta=1/2)"),
        "one logit, two losses": written(4, MLP[0], MLP[1] + "; l2 = cross_entropy(z, y); o = add(l, l2, beta=1/2)"),
        "scaled losses": written(4, MLP[0], MLP[1] + "; s = affine(l, scale=3/5, shift=7)"),
        "tied weights": written(3, "data x [4] bits 8 scale 4; data t [4] bits 8 scale 4; param w [4, 4]",
                                "h = linear(x, w); k = linear(h, w); l = mse(k, t)"),
        "dropout": written(4, MLP[0], "h = linear(x, a, b); r = relu(h); o = dropout(r, p=1/3); z = linear(o, c, d); "
                           "e = dropout(z, p=0); l = cross_entropy(e, y)"),
        "dropout before a sum": written(4, "data x [3] bits 8 scale 4; param w [3]", "h = mul(x, w); d = dropout(h, p=1/4); l = reduce(d, axes=[0, 1])"),
        "dropout of data": written(4, MLP[0], "o = dropout(x); " + MLP[1].replace("linear(x", "linear(o")),
        "weights of other scales": written(4, *MLP).replace("param a [5, 6]", "param a [5, 6] scale -2"),
        "a parameter without effect": written(4, MLP[0] + "; param free [7, 2]", MLP[1]),
        "arithmetic": written(4, "data x [3, 4] bits 8 scale 4; data t [3, 4] bits 8 scale 4; param w [4]; param v [3, 1]; param s []",
                              "a = mul(x, w); b = mul(a, v); c = add(b, s, alpha=2/7, beta=-3); d = affine(c, scale=1/5, shift=1/3); l = mse(d, t)"),
        "sums and means": written(4, "data x [3, 4] bits 8 scale 4; data t [4] bits 8 scale 4; param w [3, 4]",
                                  "a = mul(x, w); b = reduce(a, axes=[1], by=mean); c = affine(b, scale=3); l = mse(c, t)"),
        "a mean is taken away": written(4, "data x [3] bits 8 scale 4; data t [3] bits 8 scale 4; param w [3, 3]",
                                        "h = linear(x, w); m = reduce(h, axes=[0], by=mean); d = add(h, m, beta=-1); l = mse(d, t)"),
        "matrices": written(2, "data x [3, 4] bits 8 scale 4; data t [3, 3] bits 8 scale 4; param w [2, 4, 5]; param u [2, 3, 5]",
                            "a = matmul(x, w); b = matmul(a, u, transpose_b=yes); l = mse(b, t)"),
        "matrices transposed": written(2, "data x [3, 4] bits 8 scale 4; data t [4, 4] bits 8 scale 4; param w [2, 3, 4]",
                                       "a = matmul(x, w, transpose_a=yes); b = matmul(a, a, transpose_a=yes, transpose_b=yes); l = mse(b, t)"),
        "wiring": written(2, "data x [2, 6] bits 8 scale 4; data t [12, 2] bits 8 scale 4; param w [2, 6]",
                          "m = mul(x, w); s = slice(m, axis=2, begin=1, size=4); t2 = slice(m, axis=2, size=2); c = concat(t2, s, t2, s, axis=2); "
                          "p = permute(c, axes=[0, 2, 1]); l = mse(p, t)"),
        "reshapes": written(2, "data x [12] bits 8 scale 4; data t [4, 6] bits 8 scale 4; param w [4, 3]",
                            "r = reshape(x, dims=[2, 2, 3, 2]); p = permute(r, axes=[0, 3, 1, 2]); q = reshape(p, dims=[2, 4, 3]); m = mul(q, w); "
                            "c = concat(m, q, axis=2); l = mse(c, t)"),
        "a slice of a batch": written(4, "data x [6] bits 8 scale 4; data t [3] bits 8 scale 4; param w [3, 6]",
                                      "h = linear(x, w); a = slice(h, axis=0, size=2); b = slice(h, axis=0, begin=2, size=2); c = concat(b, a, axis=0); "
                                      "l = mse(c, t)"),
        "a convolution": image("param k [4, 2, 3, 2]; param b [4]", "h = conv(x, k, b); f = relu(h)", 64),
        "strides, pads, dilation": image("param k [4, 2, 3, 2]", "f = conv(x, k, stride=[2, 1], pad=[1, 0, 2, 1], dilation=[1, 2])", 72),
        "groups": image("param k [4, 2, 1, 1]; param j [6, 2, 3, 3]", "h = conv(x, k); f = conv(h, j, groups=2, stride=[2, 2])", 24),
        "depthwise": image("param k [4, 1, 2, 2]; param j [3, 4, 1, 1]", "h = conv(x, k, groups=2); f = conv(h, j)", 60),
        "two convolutions": image("param k [4, 2, 3, 3]; param j [3, 4, 2, 2]", "h = conv(x, k, pad=[1, 1, 1, 1]); r = relu(h); f = conv(r, j)", 60),
        "a convolution to one": image("param k [4, 2, 6, 5]; param b [4]", "f = conv(x, k, b)", 4),
        "one channel, one row": written(2, "data x [1, 1, 5] bits 9 scale 8; label y classes 2; param k [1, 1, 1, 2]; param out [2, 4]",
                                        "f = conv(x, k); q = flatten(f); z = linear(q, out); l = cross_entropy(z, y)"),
        "pools": image("param k [4, 2, 3, 2]", "h = conv(x, k); r = relu(h); f = max_pool(r)", 16),
        "a pool, then a relu": image("param k [4, 2, 3, 2]", "h = conv(x, k); p = max_pool(h); f = relu(p)", 16),
        "pools that overlap": image("param k [3, 2, 1, 1]", "h = conv(x, k); f = max_pool(h, window=[3, 2], stride=[1, 1])", 48),
        "padded pools": image("param k [3, 2, 1, 1]", "h = conv(x, k); r = relu(h); f = max_pool(r, window=[3, 3], stride=[2, 2], pad=[1, 1, 1, 1])", 27),
        "a pool of thirds": image("param k [3, 2, 1, 1]", "h = conv(x, k); a = affine(h, scale=1/3); f = max_pool(a)", 18),
        "average pools": image("param k [4, 2, 3, 2]", "h = conv(x, k); r = relu(h); f = avg_pool(r, window=[2, 2], stride=[1, 1])", 36),
        "global pooling": image("param k [4, 2, 3, 3]", "h = conv(x, k); r = relu(h); f = reduce(r, axes=[2, 3], by=mean)", 4),
        "a residual": image("param k [2, 2, 3, 3]", "h = conv(x, k, pad=[1, 1, 1, 1]); r = relu(h); f = add(r, x)", 60),
        "a norm": normed(),
        "a norm, biased": normed(", momentum=1/4, eps=1/1000, running_variance=biased"),
        "a frozen norm": normed(", mode=eval"),
        "a norm of vectors": written(6, "data x [5] bits 9 scale 8; label y classes 3; param a [4, 5]; param g [4]; param b [4]; param out [3, 4]; "
                                     "buffer m [4]; buffer v [4]; buffer free [2]",
                                     "h = linear(x, a); n = batch_norm(h, g, b, m, v, momentum=1); r = relu(n); z = linear(r, out); l = cross_entropy(z, y)"),
        "a norm, a residual": image("param k [2, 2, 3, 3]; param g [2]; param b [2]; param j [2, 2, 1, 1]",
                                    "h = conv(x, k, pad=[1, 1, 1, 1]); n = batch_norm(h, g, b, m, v); r = relu(n); s = add(r, x); f = conv(s, j)", 60)
        .replace("h = conv", "buffer m [2]\nbuffer v [2]\nh = conv"),
        "mse of a norm": written(4, "data x [3] bits 9 scale 8; data t [3] bits 9 scale 8; param g [3]; param b [3]; buffer m [3]; buffer v [3]",
                                 "n = batch_norm(x, g, b, m, v); l = mse(n, t)"),
        "a norm of what is repeated": written(4, "data x [3] bits 9 scale 8; data t [3] bits 9 scale 8; param w [3]; param g [3]; param b [3]; "
                                              "buffer m [3]; buffer v [3]",
                                              "r = add(x, w, alpha=0); n = batch_norm(r, g, b, m, v); l = mse(n, t)"),
        "a convolution of what is repeated": image("param w [2, 6, 5]; param k [4, 2, 3, 3]",
                                                   "r = add(x, w, alpha=0); f = conv(r, k)", 48),
        "a norm of what is cut": written(2, "data x [4] bits 9 scale 8; param f [2, 2]; param g [4]; param b [4]; buffer m [4]; buffer v [4]",
                                         "r = reshape(f, dims=[4]); s = add(x, r); n = batch_norm(s, g, b, m, v); l = mse(n, x)"),
        "classes along the batch": written(3, "data x [3] bits 8 scale 4; label y classes 3; param w [3, 3]",
                                           "h = linear(x, w); p = permute(h, axes=[1, 0]); l = cross_entropy(p, y)"),
        "data wide and narrow": written(3, "data x [5] bits 30 scale 20; data t [2] bits 2 scale 0; param w [2, 5] scale -4",
                                        "h = linear(x, w); l = mse(h, t)", rest="profile activation 30 12;profile gradient 20 10"),
    }  # fmt: skip
    optimisers = {
        "decay": ("sgd(weight_decay=1/100)", {}), "momentum": ("sgd(momentum=9/10)", {}),
        "nesterov": ("sgd(momentum=9/10, nesterov=yes, weight_decay=1/1000)", {}),
        "dampening": ("sgd(momentum=4/5, dampening=1/7)", {}), "dampening alone": ("sgd(dampening=1/7)", {}),
        "keras' momentum": ("sgd(momentum=9/10, weight_decay=1/100, rule=keras)", {}),
        "keras' nesterov": ("sgd(momentum=9/10, nesterov=yes, rule=keras)", {}),
        "a long rate": ("sgd(weight_decay=1/2000)", {"schedule": "13421773/134217728"}),
        "a long rate and momentum": ("sgd(momentum=9/10, weight_decay=1/2000)", {"schedule": "13421773/134217728"}),
        "an odd decay": ("sgd(momentum=1/3, weight_decay=1/99999989)", {}),
        "adam": ("adam()", {"schedule": "1/1024"}), "adam with decay": ("adam(weight_decay=1/100)", {"schedule": "1/1024"}),
        "adam without a mean": ("adam(beta1=0, beta2=1/2, eps=1/100)", {"schedule": "1/1024"}),
        "keras' adam": ("adam(beta2=0, eps=1/10000000, rule=keras)", {"schedule": "1/1024"}),
        "adamw": ("adamw()", {"schedule": "3/2048 x 4, 1/2048"}),
        "keras' adamw": ("adamw(weight_decay=1/10, rule=keras)", {"schedule": "1/2048"}),
        "clipping": ("sgd()", {"rest": "clip norm(limit=1/10)"}),
        "clipping and momentum": ("sgd(momentum=9/10, rule=keras)", {"rest": "clip norm(limit=3)"}),
        "clipping in coarse units": ("adam()", {"schedule": "1/1024", "rest": "clip norm();profile clip_norm 20 8;profile update_gradient 30 28"}),
    }  # fmt: skip
    for name, (optimiser, rest) in optimisers.items():
        made[name] = written(4, *MLP, optimiser=optimiser, **rest)
    return made | gauges()


def gauges() -> dict:
    """Biases before norms, and what is none of them."""
    linear = ("data x [5] bits 9 scale 8; label y classes 3; param a [4, 5]; param c [2, 2]; param g [4]; param b [4]; param out [3, 4]; "
              "buffer m [4]; buffer v [4]")  # fmt: skip
    tail = "n = batch_norm(h, g, b, m, v); r = relu(n); z = linear(r, out); l = cross_entropy(z, y)"
    return {
        "adam, a gauge tensor": before_a_norm("adam()", "1/1024 x 3, 0 x 2, 5/8192"),
        "adamw, a gauge tensor": before_a_norm("adamw()", "8589935/8589934592", 1, "profile adam_update 34 33"),
        "keras' adam, a gauge tensor": before_a_norm("adam(weight_decay=1/100, rule=keras)", "1/256", -3),
        "sgd, a gauge tensor": before_a_norm("sgd()", "1/32"),
        "momentum, a gauge tensor": before_a_norm("sgd(momentum=9/10)", "1/32", -1),
        "adam, a gauge tensor by sum and reshape": written(6, linear, "k = linear(x, a); e = reshape(c, dims=[1, 4]); h = add(e, k, beta=1/2); " + tail,
                                                           optimiser="adam()", schedule="1/1024"),
        "adam, a bias that two read": written(6, linear.replace("[2, 2]", "[4]"), "k = linear(x, a, c); h = add(k, c); " + tail,
                                              optimiser="adam()", schedule="1/1024"),
        "adam, a bias before a frozen norm": before_a_norm("adam()", "1/1024").replace("m, v)", "m, v, mode=eval)"),
        "adam, a bias before a mean that stays": before_a_norm("adam()", "1/1024").replace("m, v)", "m, v, momentum=0)"),
    }  # fmt: skip


# Of these recorded steps, too; of some with other bounds.
RECORDED = {"a perceptron": {}, "coarse logits": {"kappa": 0}, "pools": {"tau": -12}, "padded pools": {"sigma": 0.25},
            "a norm": {"rho": 0.0, "rho_first": 0.0}, "dropout": {"beta": 2**39}, "momentum": {"tau": -4}, "adamw": {"kappa": 64},
            **{name: {} for name in gauges()}, "adamw, a gauge tensor": {"tau": -20},
            "clipping": {}, "a parameter without effect": {}, "a pool, then a relu": {}, "scaled losses": {"sigma": 8192.0}}  # fmt: skip


def digest_of(text: str, bounds: dict | None) -> str:
    """Or "refused"."""
    try:
        return digest(lower(program_text.parse(text), bounds and slack.Slack(**bounds)))
    except Refused:
        return "refused"


def vectors() -> list:
    made, vector = programs(), []
    asked = [(name, text, None) for name, text in made.items()]
    asked += [(f"{name}, recorded", made[name], SLACK | bounds) for name, bounds in RECORDED.items()]
    for name, text, bounds in asked:
        found = digest_of(text, bounds)
        assert found != "refused", name
        vector.append({"name": name, "program": text, "slack": bounds, "digest": found})
    return vector


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, indent=1)
    print()
