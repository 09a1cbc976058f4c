// SPDX-License-Identifier: Apache-2.0
#include "program/calibrate.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>
#include <utility>

#include "program/shapes.h"

namespace flair::program {
namespace {

constexpr unsigned kMostNarrowed = 4;
constexpr unsigned kWeightHeadroom = 1;
// Gradients of far scales are added up in the finest one's unit.
constexpr int kSpreads[] = {120, 12, 8, 4, 0};
constexpr int kMaxScale = 60;
// Of a variance, of the sum of squares under a clipping, and of Adam's; docs/spec/step.md.
constexpr int kSquareBits = 60;
constexpr int kNormBits = 30;
constexpr int kSlopeBits = 33;
constexpr int kAdamGradientBits = 31;  // whose square has 60

// The least e with |v| 2^headroom < 2^e. REQUIRES: v > 0.
int ExponentOver(double v, unsigned headroom) {
  int e = 0;
  std::frexp(v, &e);
  return e + static_cast<int>(headroom);
}

int LogCeil(std::uint64_t v) { return v <= 1 ? 0 : static_cast<int>(std::bit_width(v - 1)); }

struct Effort {
  unsigned narrower = 0;  // bits
  int spread = 0;         // between the coarsest and the finest scale of gradients
};

class Chooser {
 public:
  Chooser(const Program& program, const StepGraph& graph, const Magnitudes& seen,
          const Headroom& headroom, const Effort& effort)
      : p_(program), step_(graph), seen_(seen), headroom_(headroom), effort_(effort) {}

  Result<Calibration> Run() {
    std::set<NodeId> all;
    for (NodeId id = 0; id < step_.graph.nodes.size(); ++id) {
      if (step_.graph[id].source >= 0) all.insert(id);
    }
    FLAIR_TRY(Lowered lowered, Lower(WithFormats(all)));
    // A node that no number is rounded for keeps the formats that it had.
    std::set<NodeId> rounded = RoundedOf(lowered);
    while (true) {
      Program made = WithFormats(rounded);
      FLAIR_TRY(lowered, Lower(made));
      const std::set<NodeId> now = RoundedOf(lowered);
      if (std::includes(rounded.begin(), rounded.end(), now.begin(), now.end())) {
        return Calibration{.program = std::move(made),
                           .lowered = std::move(lowered),
                           .choices = std::move(choices_)};
      }
      rounded.insert(now.begin(), now.end());
    }
  }

 private:
  static std::set<NodeId> RoundedOf(const Lowered& lowered) {
    std::set<NodeId> nodes(lowered.logits.begin(), lowered.logits.end());
    for (const RoundedNode& rounded : lowered.rounded) nodes.insert(rounded.node);
    return nodes;
  }
  Format Own(ProfileLine line) const { return p_.profile[static_cast<std::size_t>(line)]; }

  Program WithFormats(const std::set<NodeId>& nodes) {
    choices_.clear();
    Program made = p_;
    ChooseNodes(nodes, made);
    ChooseLines(made);
    ChooseScales(made);
    return made;
  }

  // One format for each node of the program, forward and backward: its parts share it.
  void ChooseNodes(const std::set<NodeId>& nodes, Program& made) {
    std::map<std::pair<std::int32_t, bool>, double> largest;
    for (const NodeId id : nodes) {
      const GraphNode& node = step_.graph[id];
      double& seen = largest[{node.source, node.is_gradient}];
      seen = std::max(seen, seen_.nodes[id]);
    }
    int coarsest = kMaxScale;
    for (const auto& [key, seen] : largest) {
      if (key.second && seen > 0) {
        coarsest = std::min<int>(coarsest, ChosenFormat(key.first, true, seen).scale);
      }
    }
    for (const auto& [key, seen] : largest) {
      const auto& [source, is_gradient] = key;
      if (seen == 0) continue;
      Format after = ChosenFormat(source, is_gradient, seen);
      if (is_gradient) {
        after.scale = static_cast<std::int8_t>(std::min(+after.scale, coarsest + effort_.spread));
      }
      const auto line = is_gradient ? ProfileLine::kGradient : ProfileLine::kActivation;
      std::string name(InfoOf(line).name);
      const Format before = FormatBefore(source, is_gradient);
      if (source < 0) {
        made.profile[static_cast<std::size_t>(line)] = after;
      } else {
        // Of the program as it is written: pools and relus trade places with their formats.
        const std::string& node = step_.program.nodes[static_cast<std::size_t>(source)].name;
        const auto place = std::find_if(made.nodes.begin(), made.nodes.end(),
                                        [&](const Node& n) { return n.name == node; });
        (is_gradient ? place->gradient : place->activation) = after;
        name = node + " " + name;
      }
      choices_.push_back({.name = name, .seen = seen, .before = before, .after = after});
    }
  }

  Format FormatBefore(std::int32_t source, bool is_gradient) const {
    if (source >= 0) {
      const Node& node = step_.program.nodes[static_cast<std::size_t>(source)];
      const auto& own = is_gradient ? node.gradient : node.activation;
      if (own) return *own;
    }
    return Own(is_gradient ? ProfileLine::kGradient : ProfileLine::kActivation);
  }

  Format ChosenFormat(std::int32_t source, bool is_gradient, double seen) const {
    const Format before = FormatBefore(source, is_gradient);
    const int e = ExponentOver(seen, is_gradient ? headroom_.gradients : headroom_.values);
    int bits = headroom_.bits != 0 ? static_cast<int>(headroom_.bits) : before.bits;
    if (!is_gradient && headroom_.bits == 0) {
      bits = std::clamp(before.scale + e + 1, bits, std::max(bits, MostBits()));
    }
    bits = std::max(bits - static_cast<int>(effort_.narrower), static_cast<int>(kLeastBits));
    if (!is_gradient && source >= 0) bits = std::min(bits, BitsUnderNorm(source));
    const int finest = bits - 1 - e;
    // A finer activation than the weights' cells says nothing, and narrows the zone of ties.
    const int scale = is_gradient ? finest : std::min<int>(before.scale, finest);
    return {.bits = static_cast<std::uint8_t>(bits),
            .scale = static_cast<std::int8_t>(std::clamp(scale, -kMaxScale, kMaxScale))};
  }

  // An activation's: the default's, unless its sign would need two limbs above the zone of ties.
  int MostBits() const {
    const int limb = Own(ProfileLine::kLimb).bits, zone = Own(ProfileLine::kTieZone).bits;
    return std::min<int>(InfoOf(ProfileLine::kActivation).otherwise.bits, limb + zone);
  }

  // Of what a batch_norm reads: n squares of x - mean, which is below 3/2 2^bits, stay below 2^60.
  int BitsUnderNorm(std::int32_t source) const {
    int bits = 30;
    for (const GraphNode& node : step_.graph.nodes) {
      if (node.op != Primitive::kBatchNorm || step_.graph[node.inputs[0]].source != source) {
        continue;
      }
      const std::uint64_t count = NumElements(node.dims) / node.dims[1];
      bits = std::min(bits, (kSquareBits - 2 - LogCeil(count)) / 2);
    }
    return bits;
  }

  void ChooseLines(Program& made) {
    const unsigned g = headroom_.gradients, v = headroom_.values;
    Widen(made, ProfileLine::kUpdateGradient, g);
    Widen(made, ProfileLine::kMomentum, g);
    Widen(made, ProfileLine::kStatistics, v);
    Widen(made, ProfileLine::kAdamMean, g);
    Widen(made, ProfileLine::kAdamUpdate, v);
    Widen(made, ProfileLine::kNormGradient, g, [&](const Format& f) {
      // Its slope has a width of its own.
      const int bits = std::min<int>(f.bits, kSlopeBits);
      return seen_.slope > 0 ? bits - 1 - ExponentOver(seen_.slope, g) : +f.scale;
    });
    Widen(made, ProfileLine::kAdamGradient, g, [&](const Format& f) {
      // The sum of squares has 60 bits, and twice its scale.
      return seen_.squares > 0 ? (kSquareBits - ExponentOver(seen_.squares, 2 * g)) / 2 : +f.scale;
    });
    Widen(made, ProfileLine::kClipNorm, g, [&](const Format& f) {
      return NormScale(made, f, ExponentOver(seen_[ProfileLine::kClipNorm], g));
    });
    // Unsigned, of bits that are its table's rows.
    const double logits = seen_[ProfileLine::kLogit];
    if (logits > 0) {
      Format after = Own(ProfileLine::kLogit);
      after.scale = static_cast<std::int8_t>(
          std::min<int>(after.scale, after.bits - ExponentOver(logits, v)));
      Set(made, ProfileLine::kLogit, logits, after);
    }
  }

  // The scale of a norm below 2^e: of the norm itself, and of the sums that its square is made of.
  int NormScale(const Program& made, const Format& f, int e) const {
    const int itself = std::min<int>(kNormBits, f.bits - 1) - 1 - e;
    const Format g = made.profile[static_cast<std::size_t>(ProfileLine::kUpdateGradient)];
    const int of_cell = std::min(2 * (g.bits - (g.scale - f.scale)), kSquareBits);
    std::uint64_t sums = 0;
    for (const Parameter& q : p_.parameters) {
      // Axes are summed whole: at least half of what would fit.
      sums += (NumElements(q.dims) >> std::max(kSquareBits - of_cell - 1, 0)) + 1;
    }
    const int taken = static_cast<int>(std::bit_width(sums));
    return std::max(std::min(itself, (kSquareBits - taken - 2 * e) / 2 - 1), 0);
  }

  void Widen(Program& made, ProfileLine line, unsigned headroom) {
    Widen(made, line, headroom, [](const Format& f) { return +f.scale; });
  }
  template <typename F>
  void Widen(Program& made, ProfileLine line, unsigned headroom, F most_scale) {
    const double seen = seen_[line];
    if (seen == 0) return;
    const int e = ExponentOver(seen, headroom);
    Format after = Own(line);
    const int most = line == ProfileLine::kAdamGradient ? kAdamGradientBits : InfoOf(line).max_bits;
    after.bits = static_cast<std::uint8_t>(
        std::clamp<int>(after.scale + e + 1, after.bits, std::max<int>(after.bits, most)));
    after.scale = static_cast<std::int8_t>(std::min<int>(after.scale, after.bits - 1 - e));
    after.scale = static_cast<std::int8_t>(
        std::max(std::min<int>(after.scale, most_scale(after)), -kMaxScale));
    Set(made, line, seen, after);
  }
  void Set(Program& made, ProfileLine line, double seen, Format after) {
    made.profile[static_cast<std::size_t>(line)] = after;
    choices_.push_back({.name = std::string(InfoOf(line).name),
                        .seen = seen,
                        .before = Own(line),
                        .after = after});
  }

  void ChooseScales(Program& made) {
    for (std::size_t i = 0; i < made.parameters.size(); ++i) {
      Parameter& q = made.parameters[i];
      const double seen = seen_.parameters[i];
      const auto before = static_cast<std::int8_t>(30 - q.scale);
      if (seen > 0) {
        const int least = ExponentOver(seen, kWeightHeadroom) - 1;
        q.scale =
            static_cast<std::int8_t>(std::clamp<int>(least, q.scale, std::max<int>(10, q.scale)));
      }
      choices_.push_back({.name = "param " + q.name + " scale",
                          .seen = seen,
                          .before = {.bits = 32, .scale = before},
                          .after = {.bits = 32, .scale = static_cast<std::int8_t>(30 - q.scale)}});
    }
  }

  const Program& p_;
  const StepGraph& step_;
  const Magnitudes& seen_;
  const Headroom& headroom_;
  Effort effort_;
  std::vector<FormatChoice> choices_;
};

}  // namespace

Result<Calibration> Calibrate(const Program& program, const StepGraph& graph,
                              const Magnitudes& seen, const Headroom& headroom) {
  std::optional<Error> first;
  for (unsigned narrower = 0; narrower <= kMostNarrowed; ++narrower) {
    for (const int spread : kSpreads) {
      const Effort effort{.narrower = narrower, .spread = spread};
      auto made = Chooser(program, graph, seen, headroom, effort).Run();
      if (made.ok() || made.error().code() != ErrorCode::kInvalidArgument) return made;
      if (!first) first = made.error();
    }
  }
  return std::move(*first)
      .In("the worst case passes what a proof can add up")
      .WithHint("fewer bits in the format of what is summed, less head-room, or a smaller batch");
}

void RangeUse::Note(const TrainingStep& step) {
  const circuit::Circuit& c = lowered_.circuit;
  for (circuit::ValueId id = 0; id < c.values.size(); ++id) {
    const circuit::Value& value = c[id];
    if (value.kind != circuit::Value::Kind::kNumber || value.number.line.empty()) continue;
    const auto range = static_cast<double>(std::max(value.hi, -value.lo));
    double& share = shares_[value.number.line];
    for (const auto* const cells : {&step.values.now[id], &step.values.next[id]}) {
      for (const std::int64_t v : *cells) {
        share = std::max(share, std::abs(static_cast<double>(v)) / range);
      }
    }
  }
}

std::optional<int> RangeUse::BitsLeft(const std::string& line) const {
  const auto share = shares_.find(line);
  if (share == shares_.end() || share->second == 0) return std::nullopt;
  return static_cast<int>(std::floor(-std::log2(share->second)));
}

std::map<std::string, LineCost> CostsByLine(const circuit::Circuit& circuit) {
  std::map<std::string, LineCost> costs;
  for (const circuit::Value& value : circuit.values) {
    if (value.kind != circuit::Value::Kind::kNumber) continue;
    LineCost& cost = costs[value.number.line];
    const auto limbs = static_cast<unsigned>(value.number.limb_bits.size());
    cost.limbs = std::max(cost.limbs, limbs);
    cost.cells += limbs * circuit.SizeOf(value.axes);
  }
  return costs;
}

std::uint64_t NumTableRows(const circuit::Circuit& circuit) {
  std::uint64_t rows = 0;
  for (const circuit::Table& table : circuit.tables) {
    for (const circuit::TableSegment& segment : table.segments) {
      rows += std::uint64_t{1} << segment.log_rows;
    }
  }
  return rows;
}

}  // namespace flair::program
