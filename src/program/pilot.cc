// SPDX-License-Identifier: Apache-2.0
#include "program/pilot.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "program/real_optimiser.h"
#include "program/shapes.h"

namespace flair::program {
namespace {

double LargestOf(const Reals& values) {
  double largest = 0;
  for (const double v : values) {
    // A comparison with NaN would pass it over.
    if (!std::isfinite(v)) return v;
    largest = std::max(largest, std::abs(v));
  }
  return largest;
}

void Raise(double& largest, double value) { largest = std::max(largest, value); }

Reals RowsOf(const circuit::Ints& column, std::span<const std::uint32_t> rows, std::uint32_t all,
             int scale) {
  const std::size_t row = column.size() / all;
  Reals cells;
  cells.reserve(rows.size() * row);
  for (const std::uint32_t r : rows) {
    for (std::size_t i = 0; i < row; ++i) {
      cells.push_back(std::ldexp(static_cast<double>(column[r * row + i]), -scale));
    }
  }
  return cells;
}

// The products within a batch_norm's derivative that are rounded, of docs/spec/step.md: the mean of
// dy d, by 1/deviation twice, and by gamma/deviation.
struct NormParts {
  double dot = 0, slope = 0, steepness = 0;
};

NormParts PartsOf(const GraphNode& norm, const Reals& x, const Reals& gamma, const Reals& dy) {
  const Moments moments = MomentsOf(x, norm.dims);
  const std::size_t channels = moments.mean.size();
  Reals dots(channels);
  const double count = static_cast<double>(x.size()) / static_cast<double>(channels);
  const std::size_t inner = x.size() / channels / norm.dims[0];
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i / inner % channels;
    dots[c] += dy[i] * (x[i] - moments.mean[c]) / count;
  }
  NormParts parts;
  for (std::size_t c = 0; c < channels; ++c) {
    const double inverse = 1 / std::sqrt(moments.variance[c] + norm.alpha.AsDouble());
    const double dot = std::abs(dots[c]), slope = dot * inverse * inverse;
    Raise(parts.dot, dot);
    Raise(parts.slope, slope);
    Raise(parts.steepness, slope * std::abs(gamma[c]) * inverse);
  }
  return parts;
}

class Measurement {
 public:
  explicit Measurement(const StepGraph& step) : p_(step.program), g_(step.graph) {
    seen_.nodes.resize(g_.nodes.size());
    seen_.parameters.resize(p_.parameters.size());
  }

  Status NoteStep(const std::vector<Reals>& values) {
    for (NodeId id = 0; id < g_.nodes.size(); ++id) {
      const double largest = LargestOf(values[id]);
      if (!std::isfinite(largest)) return NoNumber(g_[id].name);
      Raise(seen_.nodes[id], largest);
    }
    for (NodeId id = 0; id < g_.nodes.size(); ++id) NoteParts(id, values);
    for (const RunningUpdate& update : g_.running) {
      const NodeId x = g_[update.node].inputs[0];
      const Moments moments = MomentsOf(values[x], g_[x].dims);
      const bool is_mean = update.statistic == RunningUpdate::Statistic::kMean;
      Raise(seen_[ProfileLine::kStatistics],
            LargestOf(is_mean ? moments.mean : moments.variance) * update.factor.AsDouble());
    }
    return OkStatus();
  }
  Status NoteState(const std::vector<Reals>& parameters, const std::vector<Reals>& buffers) {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const double largest = LargestOf(parameters[i]);
      if (!std::isfinite(largest)) return NoNumber(p_.parameters[i].name);
      Raise(seen_.parameters[i], largest);
    }
    for (const Reals& buffer : buffers) Raise(seen_[ProfileLine::kStatistics], LargestOf(buffer));
    return OkStatus();
  }
  Magnitudes& seen() { return seen_; }

 private:
  static Error NoNumber(const std::string& name) {
    return {ErrorCode::kInvalidArgument, "'" + name + "' is no number any more"};
  }

  // What is rounded on the way to a node, or has its range from it.
  void NoteParts(NodeId id, const std::vector<Reals>& values) {
    const GraphNode& node = g_[id];
    switch (node.op) {
      case Primitive::kMaxPool:
        // Cells below the largest one are measured from it.
        Raise(seen_.nodes[id], seen_.nodes[node.inputs[0]]);
        break;
      case Primitive::kCrossEntropyGrad: {
        const Reals& z = values[node.inputs[0]];
        const std::size_t classes = g_[node.inputs[0]].dims[1];
        for (auto row = z.begin(); row != z.end(); row += static_cast<std::ptrdiff_t>(classes)) {
          const auto [least, most] =
              std::minmax_element(row, row + static_cast<std::ptrdiff_t>(classes));
          Raise(seen_[ProfileLine::kLogit], *most - *least);
        }
        break;
      }
      case Primitive::kBatchNormGrad:
      case Primitive::kBatchNormScaleGrad: {
        const NodeId dy = node.inputs[0];
        const GraphNode& norm = g_[node.inputs[1]];
        const NormParts parts =
            PartsOf(norm, values[norm.inputs[0]], values[norm.inputs[1]], values[dy]);
        Raise(seen_.nodes[dy], parts.dot);
        if (node.op == Primitive::kBatchNormScaleGrad) break;
        Raise(seen_.slope, parts.slope);
        Raise(seen_[ProfileLine::kNormGradient], parts.steepness);
        break;
      }
      default:
        break;
    }
  }

  const Program& p_;
  const Graph& g_;
  Magnitudes seen_;
};

Status CheckColumns(const Program& p, const DataSet& data) {
  const auto wrong = [](const std::string& what) {
    return Error(ErrorCode::kInvalidArgument, what);
  };
  if (data.rows < p.batch) {
    return wrong("the data set has " + std::to_string(data.rows) + " records, and a batch has " +
                 std::to_string(p.batch));
  }
  bool fits = data.columns.size() == p.columns.size();
  for (std::size_t i = 0; fits && i < p.columns.size(); ++i) {
    fits = data.columns[i].size() == NumElements(p.columns[i].row) * data.rows;
  }
  if (!fits) return wrong("the data set has not the program's columns");
  return OkStatus();
}

}  // namespace

Result<Magnitudes> Pilot(const StepGraph& step, const DataSet& data, PilotRun run,
                         const std::function<Status(std::uint64_t step)>& on_step) {
  const Program& p = step.program;
  FLAIR_DO(CheckColumns(p, data));
  Measurement measurement(step);
  RealOptimiser optimiser(p);
  Batches batches(run.seed, data.rows, p.batch);
  RealInputs inputs{.columns = std::vector<Reals>(p.columns.size()),
                    .parameters = std::move(run.parameters),
                    .buffers = std::move(run.buffers),
                    .seed = run.seed};
  FLAIR_DO(measurement.NoteState(inputs.parameters, inputs.buffers));
  for (std::uint64_t i = 0; i < run.steps; ++i) {
    inputs.step = run.first_step + i;
    if (on_step) FLAIR_DO(on_step(inputs.step));
    const auto rows = batches.RowsOf(inputs.step);
    for (std::size_t c = 0; c < p.columns.size(); ++c) {
      inputs.columns[c] = RowsOf(data.columns[c], rows, data.rows,
                                 p.columns[c].is_label() ? 0 : p.columns[c].format.scale);
    }
    const auto in_step = [&](Status status) -> Status {
      if (status.ok()) return status;
      return std::move(status).error().In("pilot, step " + std::to_string(inputs.step));
    };
    const std::vector<Reals> values = Evaluate(step.graph, inputs);
    FLAIR_DO(in_step(measurement.NoteStep(values)));
    std::vector<Reals> gradients;
    for (const auto& gradient : step.graph.gradients) {
      gradients.push_back(gradient ? values[*gradient] : Reals{});
    }
    inputs.buffers = UpdatedBuffers(step.graph, inputs, values);
    optimiser.Step(inputs.step, std::move(gradients), inputs.parameters, measurement.seen());
    FLAIR_DO(in_step(measurement.NoteState(inputs.parameters, inputs.buffers)));
  }
  return std::move(measurement.seen());
}

}  // namespace flair::program
