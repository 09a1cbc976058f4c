// SPDX-License-Identifier: Apache-2.0
#include "program/evaluate.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "base/check.h"
#include "base/threads.h"
#include "program/indexing.h"
#include "program/shapes.h"

namespace flair::program {
namespace {

class Evaluator {
 public:
  Evaluator(const Graph& graph, const RealInputs& inputs) : g_(graph), in_(inputs) {}

  std::vector<Reals> Run(std::size_t num_nodes) {
    values_.resize(num_nodes);
    for (std::size_t i = 0; i < num_nodes; ++i) {
      node_ = &g_.nodes[i];
      out_.assign(NumElements(node_->dims), 0.0);
      Compute();
      values_[i] = std::move(out_);
    }
    return std::move(values_);
  }

 private:
  const Reals& In(std::size_t i) const { return values_[node_->inputs[i]]; }
  const GraphNode& NodeIn(std::size_t i) const { return g_[node_->inputs[i]]; }
  const Dims& DimsIn(std::size_t i) const { return NodeIn(i).dims; }

  void Compute() {
    const GraphNode& n = *node_;
    const double alpha = n.alpha.AsDouble(), beta = n.beta.AsDouble();
    switch (n.op) {
      case Primitive::kColumn:
      case Primitive::kLabel:
        out_ = in_.columns[n.index];
        return;
      case Primitive::kParameter:
        out_ = in_.parameters[n.index];
        return;
      case Primitive::kBuffer:
        out_ = in_.buffers[n.index];
        return;
      case Primitive::kMask: {
        const auto mask = DrawMask(in_.seed, in_.step, n.index, n.alpha, out_.size());
        std::copy(mask.begin(), mask.end(), out_.begin());
        return;
      }
      case Primitive::kConstant:
        std::fill(out_.begin(), out_.end(), alpha);
        return;
      case Primitive::kMatmul:
        return Matmul();
      case Primitive::kConv:
        return Conv();
      case Primitive::kConvDataGrad:
        return ConvDataGrad();
      case Primitive::kConvWeightGrad:
        return ConvWeightGrad();
      case Primitive::kAdd:
        return Elementwise([&](double a, double b) { return alpha * a + beta * b; });
      case Primitive::kMul:
        return Elementwise([](double a, double b) { return a * b; });
      case Primitive::kAffine:
        for (std::size_t i = 0; i < out_.size(); ++i) out_[i] = alpha * In(0)[i] + beta;
        return;
      case Primitive::kSum: {
        // The output as it would be with the summed axes kept.
        Dims kept = DimsIn(0);
        for (const std::size_t axis : n.axes) kept[axis] = 1;
        Walk to(DimsIn(0), Broadcasting(kept, DimsIn(0)));
        for (const double v : In(0)) {
          out_[to.index()] += v;
          to.Next();
        }
        return;
      }
      case Primitive::kRelu:
        for (std::size_t i = 0; i < out_.size(); ++i) out_[i] = std::max(In(0)[i], 0.0);
        return;
      case Primitive::kReluGrad:
        for (std::size_t i = 0; i < out_.size(); ++i) out_[i] = In(1)[i] > 0 ? In(0)[i] : 0.0;
        return;
      case Primitive::kMaxPool:
        return ForEachWindow(n.dims, In(0),
                             [&](std::size_t o, std::size_t best) { out_[o] = In(0)[best]; });
      case Primitive::kMaxPoolGrad:
        return ForEachWindow(DimsIn(0), In(1),
                             [&](std::size_t o, std::size_t best) { out_[best] += In(0)[o]; });
      case Primitive::kAvgPool:
        return ForEachPlace(n.dims, [&](std::size_t o, std::size_t i) { out_[o] += In(0)[i]; });
      case Primitive::kAvgPoolGrad:
        return ForEachPlace(DimsIn(0), [&](std::size_t o, std::size_t i) { out_[i] += In(0)[o]; });
      case Primitive::kReshape:
        out_ = In(0);
        return;
      case Primitive::kPermute: {
        const Strides own = RowMajor(DimsIn(0));
        Strides strides;
        for (const std::size_t axis : n.axes) strides.push_back(own[axis]);
        return Gather(n.dims, strides, 0);
      }
      case Primitive::kSlice: {
        const Strides own = RowMajor(DimsIn(0));
        return Gather(n.dims, own, n.begin * own[n.axis]);
      }
      case Primitive::kExpand:
        return Gather(n.dims, Broadcasting(DimsIn(0), n.dims), 0);
      case Primitive::kPlace: {
        const Strides own = RowMajor(n.dims);
        Walk to(DimsIn(0), own, n.begin * own[n.axis]);
        for (const double v : In(0)) {
          out_[to.index()] = v;
          to.Next();
        }
        return;
      }
      case Primitive::kConcat:
        return Concat();
      case Primitive::kBatchNorm:
      case Primitive::kBatchNormGrad:
      case Primitive::kBatchNormScaleGrad:
        return BatchNorm();
      case Primitive::kInverseRoot:
        for (std::size_t i = 0; i < out_.size(); ++i) out_[i] = 1 / std::sqrt(In(0)[i] + alpha);
        return;
      case Primitive::kCrossEntropy:
      case Primitive::kCrossEntropyGrad:
        return CrossEntropy();
      case Primitive::kMse:
        for (std::size_t i = 0; i < In(0).size(); ++i) {
          const double d = In(0)[i] - In(1)[i];
          out_[0] += d * d / static_cast<double>(In(0).size());
        }
        return;
    }
  }

  template <typename F>
  void Elementwise(F f) {
    Walk a(node_->dims, Broadcasting(DimsIn(0), node_->dims));
    Walk b(node_->dims, Broadcasting(DimsIn(1), node_->dims));
    for (double& v : out_) {
      v = f(In(0)[a.index()], In(1)[b.index()]);
      a.Next();
      b.Next();
    }
  }

  void Gather(const Dims& dims, const Strides& strides, std::size_t start) {
    Walk from(dims, strides, start);
    for (double& v : out_) {
      v = In(0)[from.index()];
      from.Next();
    }
  }

  void Matmul() {
    const GraphNode& n = *node_;
    const std::size_t rank = n.dims.size();
    const std::size_t rows = n.dims[rank - 2], columns = n.dims[rank - 1];
    const std::size_t inner = DimsIn(0)[rank - (n.transpose_a ? 2 : 1)];
    const std::size_t a_step = n.transpose_a ? rows : 1;
    const std::size_t b_step = n.transpose_b ? 1 : columns;
    const std::size_t b_next = n.transpose_b ? inner : 1;  // column
    // Sums of neighbouring columns at once: each is added up in order, and they need not wait for
    // one another.
    constexpr std::size_t kTogether = 8;
    const auto fill_row = [&](std::size_t row) {
      const std::size_t t = row / rows, r = row % rows;
      const double* const a = In(0).data() + t * rows * inner + r * (n.transpose_a ? 1 : inner);
      const double* const b = In(1).data() + t * inner * columns;
      const auto fill = [&](std::size_t first, auto together) {
        double sums[together()] = {};
        const double* from = b + first * b_next;
        for (std::size_t i = 0; i < inner; ++i, from += b_step) {
          for (std::size_t c = 0; c < together(); ++c) sums[c] += a[i * a_step] * from[c * b_next];
        }
        std::copy_n(sums, together(), &out_[row * columns + first]);
      };
      std::size_t c = 0;
      for (; c + kTogether <= columns; c += kTogether) {
        fill(c, std::integral_constant<std::size_t, kTogether>());
      }
      for (; c < columns; ++c) fill(c, std::integral_constant<std::size_t, 1>());
      return OkStatus();
    };
    const std::size_t all_rows = out_.size() / columns;
    constexpr std::size_t kProductsForThreads = 1 << 18;
    const bool is_large = out_.size() * inner >= kProductsForThreads;
    const Status done = ParallelFor(all_rows, is_large ? ThreadCount() : 1, fill_row);
    FLAIR_CHECK(done.ok()) << "a product cannot fail";
  }

  // Products of a convolution that share one weight: `count` neighbouring outputs from z on, every
  // `stride`-th input from x on.
  struct Taps {
    std::size_t z = 0, x = 0, w = 0, count = 0, stride = 1;
  };
  // Every product of image b and output channel o.
  template <typename F>
  void ForEachRun(std::size_t b, std::size_t o, const Dims& z, const Dims& x, const Dims& w,
                  F f) const {
    const Window& win = node_->window;
    const std::size_t first_in = o / (z[1] / node_->groups) * w[1];
    for (std::size_t i = 0; i < w[1]; ++i) {
      for (std::size_t kh = 0; kh < w[2]; ++kh) {
        for (std::size_t kw = 0; kw < w[3]; ++kw) {
          std::size_t first = 0, last = z[3];
          while (first < last && win.Source(1, first, kw) < 0) ++first;
          while (last > first && win.Source(1, last - 1, kw) < 0) --last;
          if (first == last) continue;
          Taps run{.w = ((o * w[1] + i) * w[2] + kh) * w[3] + kw,
                   .count = last - first,
                   .stride = static_cast<std::size_t>(win.stride[1])};
          for (std::size_t h = 0; h < z[2]; ++h) {
            const std::int64_t y = win.Source(0, h, kh);
            if (y < 0) continue;
            run.z = ((b * z[1] + o) * z[2] + h) * z[3] + first;
            run.x = ((b * x[1] + first_in + i) * x[2] + static_cast<std::size_t>(y)) * x[3] +
                    static_cast<std::size_t>(win.Source(1, first, kw));
            f(run);
          }
        }
      }
    }
  }

  // Each image's sums, or each output channel's, are made by one thread, in one order.
  template <typename F>
  static void OnAllThreads(std::size_t n, F f) {
    const Status done = ParallelFor(n, [&](std::size_t i) {
      f(i);
      return OkStatus();
    });
    FLAIR_CHECK(done.ok());
  }

  void Conv() {
    const Dims &z = node_->dims, &x = DimsIn(0), &w = DimsIn(1);
    OnAllThreads(z[0], [&](std::size_t b) {
      for (std::size_t o = 0; o < z[1]; ++o) {
        ForEachRun(b, o, z, x, w, [&](const Taps& run) {
          const double weight = In(1)[run.w];
          double* const to = out_.data() + run.z;
          const double* const from = In(0).data() + run.x;
          for (std::size_t j = 0; j < run.count; ++j) to[j] += from[j * run.stride] * weight;
        });
      }
    });
  }

  void ConvDataGrad() {
    const Dims &z = DimsIn(0), &x = node_->dims, &w = DimsIn(1);
    OnAllThreads(z[0], [&](std::size_t b) {
      for (std::size_t o = 0; o < z[1]; ++o) {
        ForEachRun(b, o, z, x, w, [&](const Taps& run) {
          const double weight = In(1)[run.w];
          double* const to = out_.data() + run.x;
          const double* const from = In(0).data() + run.z;
          for (std::size_t j = 0; j < run.count; ++j) to[j * run.stride] += from[j] * weight;
        });
      }
    });
  }

  void ConvWeightGrad() {
    const Dims &z = DimsIn(0), &x = DimsIn(1), &w = node_->dims;
    OnAllThreads(z[1], [&](std::size_t o) {
      for (std::size_t b = 0; b < z[0]; ++b) {
        ForEachRun(b, o, z, x, w, [&](const Taps& run) {
          const double* const dz = In(0).data() + run.z;
          const double* const from = In(1).data() + run.x;
          double sum = 0;
          for (std::size_t j = 0; j < run.count; ++j) sum += dz[j] * from[j * run.stride];
          out_[run.w] += sum;
        });
      }
    });
  }

  // Every (output, input) pair of a pooling over outputs of `dims`.
  template <typename F>
  void ForEachPlace(const Dims& dims, F f) const {
    const Window& w = node_->window;
    std::size_t o = 0;
    for (std::size_t plane = 0; plane < dims[0] * dims[1]; ++plane) {
      for (std::size_t h = 0; h < dims[2]; ++h) {
        for (std::size_t v = 0; v < dims[3]; ++v, ++o) {
          for (std::size_t k = 0; k < w.kernel[0] * w.kernel[1]; ++k) {
            const std::int64_t y = w.Source(0, h, k / w.kernel[1]);
            const std::int64_t u = w.Source(1, v, k % w.kernel[1]);
            if (y < 0 || u < 0) continue;
            f(o, (plane * w.in[0] + static_cast<std::size_t>(y)) * w.in[1] +
                     static_cast<std::size_t>(u));
          }
        }
      }
    }
  }

  // Every output of a max-pool with the place of its first maximum.
  template <typename F>
  void ForEachWindow(const Dims& dims, const Reals& x, F f) const {
    std::vector<std::size_t> best(NumElements(dims), x.size());
    ForEachPlace(dims, [&](std::size_t o, std::size_t i) {
      if (best[o] == x.size() || x[i] > x[best[o]]) best[o] = i;
    });
    for (std::size_t o = 0; o < best.size(); ++o) f(o, best[o]);
  }

  void Concat() {
    const AxisView all = AlongAxis(node_->dims, node_->axis);
    std::size_t begin = 0;
    for (std::size_t i = 0; i < node_->inputs.size(); ++i) {
      const AxisView part = AlongAxis(DimsIn(i), node_->axis);
      const std::size_t run = part.extent * part.inner;
      for (std::size_t o = 0; o < part.outer; ++o) {
        std::copy_n(
            In(i).begin() + static_cast<std::ptrdiff_t>(o * run), run,
            out_.begin() + static_cast<std::ptrdiff_t>((o * all.extent + begin) * all.inner));
      }
      begin += part.extent;
    }
  }

  void BatchNorm() {
    const bool forward = node_->op == Primitive::kBatchNorm;
    const GraphNode& norm = forward ? *node_ : NodeIn(1);
    const Reals &x = values_[norm.inputs[0]], &gamma = values_[norm.inputs[1]],
                &beta = values_[norm.inputs[2]];
    const AxisView v = AlongAxis(norm.dims, 1);
    const Moments moments = MomentsOf(x, norm.dims);
    const auto n = static_cast<double>(v.outer * v.inner);
    const auto for_each = [&](std::size_t c, auto f) {
      for (std::size_t o = 0; o < v.outer; ++o) {
        for (std::size_t i = 0; i < v.inner; ++i) f((o * v.extent + c) * v.inner + i);
      }
    };
    for (std::size_t c = 0; c < v.extent; ++c) {
      const double mean = moments.mean[c];
      const double root = 1 / std::sqrt(moments.variance[c] + norm.alpha.AsDouble());
      double sum = 0, dot = 0;
      if (forward) {
        for_each(c, [&](std::size_t i) { out_[i] = gamma[c] * (x[i] - mean) * root + beta[c]; });
        continue;
      }
      const Reals& dy = In(0);
      for_each(c, [&](std::size_t i) {
        sum += dy[i];
        dot += dy[i] * (x[i] - mean) * root;
      });
      if (node_->op == Primitive::kBatchNormScaleGrad) {
        out_[c] = dot;
        continue;
      }
      for_each(c, [&](std::size_t i) {
        out_[i] = gamma[c] * root * (dy[i] - sum / n - (x[i] - mean) * root * dot / n);
      });
    }
  }

  void CrossEntropy() {
    const Reals &z = In(0), &label = In(1);
    const std::size_t rows = DimsIn(0)[0], classes = DimsIn(0)[1];
    for (std::size_t r = 0; r < rows; ++r) {
      const double* const row = z.data() + r * classes;
      const auto truth = static_cast<std::size_t>(label[r]);
      const double top = *std::max_element(row, row + classes);
      double sum = 0;
      for (std::size_t c = 0; c < classes; ++c) sum += std::exp(row[c] - top);
      if (node_->op == Primitive::kCrossEntropy) {
        out_[0] += (std::log(sum) + top - row[truth]) / static_cast<double>(rows);
        continue;
      }
      for (std::size_t c = 0; c < classes; ++c) {
        out_[r * classes + c] =
            node_->alpha.AsDouble() * (std::exp(row[c] - top) / sum - (c == truth ? 1 : 0));
      }
    }
  }

  const Graph& g_;
  const RealInputs& in_;
  const GraphNode* node_ = nullptr;
  std::vector<Reals> values_;
  Reals out_;
};

}  // namespace

Moments MomentsOf(const Reals& x, const Dims& dims) {
  const AxisView v = AlongAxis(dims, 1);
  const auto n = static_cast<double>(v.outer * v.inner);
  Moments m{Reals(v.extent), Reals(v.extent)};
  for (std::size_t i = 0; i < x.size(); ++i) m.mean[i / v.inner % v.extent] += x[i] / n;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i / v.inner % v.extent;
    m.variance[c] += (x[i] - m.mean[c]) * (x[i] - m.mean[c]) / n;
  }
  return m;
}

std::vector<Reals> Evaluate(const Graph& graph, const RealInputs& inputs) {
  return Evaluator(graph, inputs).Run(graph.nodes.size());
}

std::vector<Reals> EvaluateFirst(const Graph& graph, const RealInputs& inputs,
                                 std::size_t num_nodes) {
  return Evaluator(graph, inputs).Run(num_nodes);
}

std::vector<Reals> UpdatedBuffers(const Graph& graph, const RealInputs& inputs,
                                  const std::vector<Reals>& values) {
  std::vector<Reals> buffers = inputs.buffers;
  for (const RunningUpdate& u : graph.running) {
    const NodeId x = graph[u.node].inputs[0];
    const Moments moments = MomentsOf(values[x], graph[x].dims);
    const bool is_mean = u.statistic == RunningUpdate::Statistic::kMean;
    const Reals& statistic = is_mean ? moments.mean : moments.variance;
    const double momentum = u.momentum.AsDouble(), factor = u.factor.AsDouble();
    Reals& buffer = buffers[u.buffer];
    for (std::size_t c = 0; c < buffer.size(); ++c) {
      buffer[c] = (1 - momentum) * buffer[c] + momentum * factor * statistic[c];
    }
  }
  return buffers;
}

}  // namespace flair::program
