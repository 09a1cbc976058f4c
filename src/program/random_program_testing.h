// Programs of every operator, optimiser, shape, stride, padding and batch, drawn from a number.
// Small enough to be trained and proven in a moment; most stay within their ranges.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace flair::program {

class RandomProgram {
 public:
  explicit RandomProgram(std::uint64_t seed) : random_(seed) { Draw(); }

  const std::string& text() const { return text_; }
  std::uint64_t steps() const { return steps_; }

 private:
  using Dims = std::vector<std::uint64_t>;
  struct Tensor {
    std::string name;
    Dims dims;
  };

  std::uint64_t Below(std::uint64_t n) { return random_() % n; }
  std::uint64_t Between(std::uint64_t lo, std::uint64_t hi) { return lo + Below(hi - lo + 1); }
  bool OneIn(std::uint64_t n) { return Below(n) == 0; }
  template <typename T>
  const T& OneOf(const std::vector<T>& list) {
    return list[Below(list.size())];
  }

  static std::string List(const Dims& dims) {
    std::string out;
    for (const std::uint64_t d : dims) out += (out.empty() ? "" : ", ") + std::to_string(d);
    return "[" + out + "]";
  }
  static std::uint64_t Size(const Dims& dims) {
    std::uint64_t size = 1;
    for (const std::uint64_t d : dims) size *= d;
    return size;
  }
  std::string Name(const char* what) { return what + std::to_string(++names_); }

  // A scale of 1 or 2 is units of half or a quarter: weights that may be larger.
  std::string Parameter(const Dims& dims) {
    const std::string name = Name("w");
    params_ += "param " + name + " " + List(dims);
    if (OneIn(4)) params_ += OneIn(2) ? " scale 1" : " scale -1";
    if (OneIn(4)) params_ += " decay no";
    params_ += "\n";
    return name;
  }
  std::string Buffer(std::uint64_t size) {
    const std::string name = Name("s");
    buffers_ += "buffer " + name + " " + List({size}) + "\n";
    return name;
  }
  Tensor Node(Dims dims, const std::string& call) {
    Tensor made{Name("n"), std::move(dims)};
    nodes_ += made.name + " = " + call + "\n";
    return made;
  }

  // --- operators --------------------------------------------------------------------------------

  Tensor Linear(const Tensor& x, std::uint64_t out) {
    Dims dims = x.dims;
    const std::string w = Parameter({out, dims.back()});
    const std::string b = OneIn(2) ? ", " + Parameter({out}) : "";
    dims.back() = out;
    return Node(dims, "linear(" + x.name + ", " + w + b + ")");
  }

  // One axis of a window: its kernel, stride, pads and dilation; the size behind it.
  struct Window {
    std::uint64_t kernel, stride, before, after, dilation, out;
  };
  std::uint64_t Kernel(std::uint64_t size) { return Between(1, std::min<std::uint64_t>(size, 3)); }
  // Pads are below `most_pads`, and below the kernel.
  Window WindowOn(std::uint64_t size, std::uint64_t kernel, std::uint64_t most_pads, bool dilates) {
    for (;;) {
      Window w{kernel, Between(1, 3), 0, 0, 1, 0};
      if (dilates && OneIn(4)) w.dilation = 2;
      w.before = Below(std::min(kernel, most_pads));
      w.after = Below(std::min(kernel, most_pads));
      const std::uint64_t covered = w.dilation * (w.kernel - 1) + 1;
      if (size + w.before + w.after < covered) continue;
      w.out = (size + w.before + w.after - covered) / w.stride + 1;
      return w;
    }
  }
  static std::string Pads(const Window& h, const Window& w) {
    return "pad=" + List({h.before, h.after, w.before, w.after});
  }
  static std::string Strides(const Window& h, const Window& w) {
    return "stride=" + List({h.stride, w.stride});
  }

  Tensor Conv(const Tensor& x) {
    const std::uint64_t channels = x.dims[1];
    std::vector<std::uint64_t> divisors;
    for (std::uint64_t d = 1; d <= channels; ++d) {
      if (channels % d == 0) divisors.push_back(d);
    }
    const std::uint64_t groups = OneOf(divisors);
    const std::uint64_t out = groups * Between(1, groups > 2 ? 1 : 3);
    const Window h = WindowOn(x.dims[2], Kernel(x.dims[2]), 9, true);
    const Window w = WindowOn(x.dims[3], Kernel(x.dims[3]), 9, true);
    const std::string weight = Parameter({out, channels / groups, h.kernel, w.kernel});
    const std::string bias = OneIn(2) ? ", " + Parameter({out}) : "";
    return Node({x.dims[0], out, h.out, w.out}, "conv(" + x.name + ", " + weight + bias + ", " +
                                                    Strides(h, w) + ", " + Pads(h, w) +
                                                    ", dilation=" + List({h.dilation, w.dilation}) +
                                                    ", groups=" + std::to_string(groups) + ")");
  }
  Tensor Pool(const Tensor& x) {
    const bool is_max = OneIn(2);
    const std::uint64_t high = Kernel(x.dims[2]), wide = Kernel(x.dims[3]);
    const std::uint64_t most_pads = is_max ? std::min(high, wide) : 1;
    const Window h = WindowOn(x.dims[2], high, most_pads, false);
    const Window w = WindowOn(x.dims[3], wide, most_pads, false);
    return Node({x.dims[0], x.dims[1], h.out, w.out},
                std::string(is_max ? "max_pool(" : "avg_pool(") + x.name +
                    ", window=" + List({h.kernel, w.kernel}) + ", " + Strides(h, w) +
                    (is_max ? ", " + Pads(h, w) : "") + ")");
  }
  Tensor BatchNorm(const Tensor& x) {
    const std::uint64_t channels = x.dims[1];
    if (Size(x.dims) / channels < 2) return x;
    std::string call = "batch_norm(" + x.name;
    for (int i = 0; i < 2; ++i) call += ", " + Parameter({channels});
    for (int i = 0; i < 2; ++i) call += ", " + Buffer(channels);
    if (OneIn(4)) call += ", mode=eval";
    call += ", eps=0.001";
    if (OneIn(4)) call += ", momentum=1/4, running_variance=biased";
    return Node(x.dims, call + ")");
  }

  // What needs no image.
  Tensor Anything(const Tensor& x) {
    const std::size_t rank = x.dims.size();
    switch (Below(11)) {
      case 0:
        return Node(x.dims, "affine(" + x.name + ", scale=3/4, shift=1/8)");
      case 1:
        return Node(x.dims, "dropout(" + x.name + ", p=1/" + std::to_string(Between(2, 5)) + ")");
      case 2: {  // a tensor that is broadcast
        Dims dims(x.dims.begin() + 1, x.dims.end());
        if (OneIn(2)) dims.erase(dims.begin(), dims.begin() + static_cast<long>(Below(rank - 1)));
        return Node(x.dims, "mul(" + x.name + ", " + Parameter(dims) + ")");
      }
      case 3: {
        const Tensor other = Node(x.dims, "relu(" + x.name + ")");
        return Node(x.dims, "add(" + x.name + ", " + other.name + ", alpha=1/2, beta=3/4)");
      }
      case 4: {  // axes turned, and back
        std::vector<std::uint64_t> axes(rank), back(rank);
        for (std::size_t i = 0; i < rank; ++i) axes[i] = i;
        std::shuffle(axes.begin(), axes.end(), random_);
        Dims dims;
        for (std::size_t i = 0; i < rank; ++i) {
          back[axes[i]] = i;
          dims.push_back(x.dims[axes[i]]);
        }
        const Tensor turned = Node(dims, "permute(" + x.name + ", axes=" + List(axes) + ")");
        const Tensor cut = Node(dims, "relu(" + turned.name + ")");
        return Node(x.dims, "permute(" + cut.name + ", axes=" + List(back) + ")");
      }
      case 5: {
        const std::size_t axis = Between(1, rank - 1);
        const std::uint64_t begin = Below(x.dims[axis]);
        Dims dims = x.dims;
        dims[axis] = Between(1, x.dims[axis] - begin);
        return Node(dims, "slice(" + x.name + ", axis=" + std::to_string(axis) + ", begin=" +
                              std::to_string(begin) + ", size=" + std::to_string(dims[axis]) + ")");
      }
      case 6: {
        const std::size_t axis = Between(1, rank - 1);
        if (Size(x.dims) > 60) return Node(x.dims, "relu(" + x.name + ")");
        const Tensor other = Node(x.dims, "relu(" + x.name + ")");
        Dims dims = x.dims;
        dims[axis] *= 2;
        return Node(
            dims, "concat(" + other.name + ", " + x.name + ", axis=" + std::to_string(axis) + ")");
      }
      case 7: {  // products of the batch's own rows
        const std::uint64_t inner = x.dims.back();
        const std::uint64_t rows = Size(x.dims) / inner;
        if (rows * rows > 40) return Node(x.dims, "relu(" + x.name + ")");
        const Tensor flat =
            Node({rows, inner}, "reshape(" + x.name + ", dims=" + List({rows, inner}) + ")");
        const Tensor small = Node(flat.dims, "affine(" + flat.name + ", scale=1/4)");
        const Tensor square =
            Node({rows, rows}, "matmul(" + small.name + ", " + small.name + ", transpose_b=yes)");
        const Tensor back = Node({rows, inner}, "matmul(" + square.name + ", " + small.name + ")");
        return Node(x.dims, "reshape(" + back.name + ", dims=" + List(x.dims) + ")");
      }
      case 8:
        return Node(x.dims, "mul(" + x.name + ", " + x.name + ")");
      default:
        return Node(x.dims, "relu(" + x.name + ")");
    }
  }

  // --- the program ------------------------------------------------------------------------------

  void Draw() {
    const std::uint64_t batch = OneIn(4) ? 1 : Between(2, 4);
    steps_ = Between(1, 3);
    const bool is_image = !OneIn(3);
    Tensor x{"x", {batch}};
    if (is_image) {
      x.dims.insert(x.dims.end(), {Between(1, 3), Between(2, 6), Between(2, 6)});
    } else {
      x.dims.push_back(Between(1, 9));
    }
    std::string columns =
        "data x " + List({x.dims.begin() + 1, x.dims.end()}) + " bits 12 scale 8\n";

    if (is_image) {
      for (std::uint64_t i = Between(1, 3); i > 0; --i) {
        switch (Below(6)) {
          case 0:
            x = Pool(x);
            break;
          case 1:
            x = BatchNorm(x);
            break;
          case 2:
            x = Anything(x);
            break;
          default:
            x = Conv(x);
            if (OneIn(3)) x = BatchNorm(x);
            if (!OneIn(4)) x = Node(x.dims, "relu(" + x.name + ")");
        }
        if (x.dims[2] * x.dims[3] > 64) x = Pool(x);
      }
      if (OneIn(4)) {  // global average
        x = Node({x.dims[0], x.dims[1]},
                 "reduce(" + x.name + ", axes=[2, 3], by=" + (OneIn(3) ? "sum" : "mean") + ")");
      } else {
        x = Node({x.dims[0], Size(x.dims) / x.dims[0]}, "flatten(" + x.name + ")");
      }
    }
    for (std::uint64_t i = Below(3); i > 0; --i) {
      x = OneIn(2) ? Anything(x) : Linear(x, Between(1, 6));
      if (x.dims.size() == 2 && OneIn(5)) x = BatchNorm(x);
    }
    std::string loss;
    const std::uint64_t kind = Below(3);
    if (kind != 1) {
      const std::uint64_t classes = Between(2, 5);
      columns += "label y classes " + std::to_string(classes) + "\n";
      const Tensor z = Linear(x, classes);
      loss = Node({}, "cross_entropy(" + z.name + ", y)").name;
    }
    if (kind != 0) {
      const std::uint64_t size = Between(1, 3);
      columns += "data target " + List({size}) + " bits 12 scale 8\n";
      const Tensor z = Linear(x, size);
      const std::string other = Node({}, "mse(" + z.name + ", target)").name;
      loss = loss.empty() ? other : Node({}, "add(" + loss + ", " + other + ", beta=1/4)").name;
    }
    text_ = "flair program 1\nbatch " + std::to_string(batch) + "\n" + columns + params_ +
            buffers_ + nodes_ + "loss " + loss + "\n" + Optimiser() + "profile limb " +
            std::to_string(Between(8, 12)) + "\nprofile logit 12 7\nprofile gradient 28 23\n";
  }

  std::string Optimiser() {
    const std::string sgd[] = {"sgd()",
                               "sgd(weight_decay=1/1000)",
                               "sgd(momentum=9/10)",
                               "sgd(momentum=9/10, dampening=1/10, weight_decay=1/1000)",
                               "sgd(momentum=9/10, nesterov=yes)",
                               "sgd(momentum=9/10, rule=keras)",
                               "sgd(momentum=9/10, nesterov=yes, weight_decay=1/500, rule=keras)"};
    const std::string adam[] = {"adam(eps=1/100000)",
                                "adam(eps=1/100000, weight_decay=1/1000)",
                                "adam(eps=1/100000, rule=keras)",
                                "adamw(eps=1/100000)",
                                "adamw(beta1=4/5, beta2=99/100, eps=1/10000)",
                                "adamw(eps=1/100000, weight_decay=1/50, rule=keras)"};
    const bool is_adam = OneIn(2);
    std::string out = "optimiser " + (is_adam ? adam[Below(6)] : sgd[Below(7)]);
    const std::string rate = is_adam ? "1/1024" : "1/64";
    out += "\nschedule " + (OneIn(3) ? rate + " x 1, 0 x 1, 1/2048" : rate) + "\n";
    if (OneIn(4)) out += "clip norm(limit=1/2)\n";
    return out;
  }

  std::mt19937_64 random_;
  int names_ = 0;
  std::uint64_t steps_ = 1;
  std::string params_, buffers_, nodes_, text_;
};

}  // namespace flair::program
