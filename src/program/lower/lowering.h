// Lowering: the state of one, shared by the files of the operator families.
//
// Each node of the graph that a gradient needs becomes an expression. What happens to it then
// depends on who reads it:
//   - a sum or a seam takes its pieces as they are;
//   - a product takes one factor: a number or a form of few bits, else the value is rounded;
//   - what several nodes read becomes a number or a form once.
//
// Place: program/lower, above expression.h and axes.h; below lower.cc.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "circuit/builder.h"
#include "program/graph.h"
#include "program/lower.h"
#include "program/lower/axes.h"
#include "program/lower/expression.h"
#include "program/slack.h"

namespace flair::program {

// One factor of a product.
struct Operand {
  circuit::Read read;
  Unit unit;
};

class Lowering {
 public:
  // `slack`: of a recorded run; none of an exact one.
  Lowering(const Program& program, const Graph& graph, Atoms atoms, std::optional<Slack> slack)
      : p_(program),
        g_(graph),
        atoms_(std::move(atoms)),
        slack_(slack),
        axes_(b_),
        nodes_(graph.nodes.size()) {}

  Result<Lowered> Run() &&;

 private:
  struct NodeState {
    bool needed = false;
    bool branches = false;  // a relu asks for its sign
    unsigned readers = 0;   // nodes, and the optimiser
    Expression value;
    std::optional<circuit::ValueId> positive;  // of what branches
    std::optional<circuit::ValueId> mask;      // of a mask, once something reads it
    // Of a max-pool: which cell of each window, and how windows lie over what it pools.
    std::optional<circuit::ValueId> selector;
    std::vector<circuit::Window> slides;
    AxesOfDims pooled_from;
  };

  // lower.cc: the walk over the graph ---------------------------------------------------------
  void FindNeeded();
  void Need(NodeId id);
  Status CheckSchedule() const;
  void MakeState();
  Status LowerNode(NodeId id);
  Status Settle(NodeId id);

  // values.cc: what an expression becomes -------------------------------------------------------
  struct NodeFormat {
    Format format;
    std::string line;  // the profile's, to raise
  };
  NodeFormat FormatOf(NodeId id) const;
  unsigned LimbBits() const {
    return p_.profile[static_cast<std::size_t>(ProfileLine::kLimb)].bits;
  }
  const Format& Line(ProfileLine line) const { return p_.profile[static_cast<std::size_t>(line)]; }
  // As `scale` says, as a form X over the expression's axes and a divisor.
  struct Scaled {
    circuit::ValueId form;
    std::int64_t divisor;
  };
  Result<Scaled> AddScaled(const std::string& name, const Expression& e, int scale);
  // The node's value as a form of its own, whatever it is.
  Status MakeForm(NodeId id);
  // The node's value as one read: a number, or a form however many bits it has.
  Result<Operand> Whole(NodeId id);
  // As a factor of a product: of few bits; the middle of a weight's cell.
  Result<Operand> Factor(NodeId id);
  // The same, read along all of the node's axes: for what sums over them unseen.
  Result<Operand> FactorAlongAll(NodeId id);
  // Rounds a node's value into a number of its format.
  Status Round(NodeId id);
  std::optional<Operand> AsOneRead(const Expression& e) const;
  circuit::ValueId MiddleOf(std::uint32_t parameter);
  // 2 floor(x / 2^cut) + 1 of a signed number whose limbs end at bit `cut`.
  circuit::ValueId MiddleOfCell(circuit::ValueId number, unsigned cut);
  void Become(NodeId id, circuit::ValueId value, Unit unit);
  Error TooWide(NodeId id) const;
  Error Unsupported(NodeId id, const std::string& why) const;

  // Axes for a node whose inputs have none to give.
  AxesOfDims MakeAxes(NodeId id, const std::set<AxisId>& used);
  // An axis for a dim of this size that is not in `used`, and is from then on; none for 1.
  Axes NewAxis(std::uint64_t size, std::set<AxisId>& used);
  // The one axis of `axes`, or one of size 1 in its place: what a window needs.
  AxisId AxisOr1(const Axes& axes, std::set<AxisId>& used);
  static Expression ReadOf(const Operand& operand, AxesOfDims dims);
  Expression& ValueOf(NodeId id) { return nodes_[id].value; }

  // arithmetic.cc
  Status LowerColumn(NodeId id);
  Status LowerConstant(NodeId id);
  Status LowerMatmul(NodeId id);
  Status LowerAdd(NodeId id);
  Status LowerMul(NodeId id);
  Status LowerMasked(NodeId id, NodeId x, NodeId mask);
  Status LowerAffine(NodeId id);
  Status LowerSum(NodeId id);
  Status LowerRelu(NodeId id);
  Status LowerReluGrad(NodeId id);
  // a b, whose axes are shared where their names are; nothing is summed yet.
  Result<Expression> Product(NodeId a, Expression shape_a, NodeId b, const AxesOfDims& axes_b);

  // wiring.cc
  Status LowerReshape(NodeId id);
  Status LowerPermute(NodeId id);
  Status LowerExpand(NodeId id);
  Status LowerSlice(NodeId id);
  Status LowerPlace(NodeId id);
  Status LowerConcat(NodeId id);
  // `part` at `begin` of `dim`, whose axis is to be `whole`, zeros elsewhere.
  Result<Expression> Placed(NodeId part, std::size_t dim, std::uint64_t begin,
                            const AxesOfDims& whole);

  // windows.cc
  struct Convolution;
  Convolution ConvolutionOf(const GraphNode& node, const AxesOfDims* x, const AxesOfDims* w,
                            const AxesOfDims* z, const Dims& dims_x, const Dims& dims_w,
                            const Dims& dims_z);
  // Node `id` as the products of `a` and `b`, read along these axes, summed to those of `result`.
  Status Convolve(NodeId id, const Convolution& c, NodeId a, const AxesOfDims& axes_a, NodeId b,
                  const AxesOfDims& axes_b, const AxesOfDims& result);
  Status LowerConv(NodeId id);
  Status LowerConvDataGrad(NodeId id);
  Status LowerConvWeightGrad(NodeId id);
  Status LowerAvgPool(NodeId id);
  Status LowerAvgPoolGrad(NodeId id);

  // pooling.cc
  Status LowerMaxPool(NodeId id);
  Status LowerMaxPoolGrad(NodeId id);
  NodeId PoolOf(NodeId gradient) const;

  // normalisation.cc
  // What a batch_norm computed; the channels' axes, and numbers and forms over them.
  struct Norm {
    Axes channels;
    AxesOfDims dims;
    std::int64_t count = 1;        // elements of a channel
    circuit::ValueId sum = 0;      // of x
    circuit::ValueId squares = 0;  // of d, summed
    Unit sum_unit, squares_unit;   // of the means that they are
    Operand centred;               // d = x - mean
    Operand inverse;               // q = 1 / deviation
    Operand factor;                // g = gamma q
  };
  Status LowerInverseRoot(NodeId id);
  Status LowerBatchNorm(NodeId id);
  Status LowerBatchNormGrad(NodeId id);
  Status LowerBatchNormScaleGrad(NodeId id);
  void FollowGauge(NodeId norm, const AxesOfDims& own, Expression& mean);
  Status LowerBuffers();
  Result<Operand> InverseRoot(const std::string& name, const Expression& x, Rational eps);
  Result<Operand> GradientAlong(const Norm& norm, NodeId dy);
  Result<Operand> MeanAlong(NodeId dy, NodeId bn);
  Result<circuit::ValueId> RoundedProduct(const std::string& name, const Operand& a,
                                          const Operand& b, const Axes& axes, int scale,
                                          const circuit::Width& width);
  int MeanScale(int whole) const;
  static std::set<AxisId> AxesIn(const AxesOfDims& dims);

  // losses.cc
  Status LowerCrossEntropyGrad(NodeId id);
  circuit::ValueId OneHotOf(NodeId label, Axes classes);

  // optimiser.cc: expressions over the parameter's axes
  Status LowerOptimiser();
  Result<Expression> GradientOf(std::uint32_t parameter);
  Expression WeightOf(std::uint32_t parameter) const;
  Expression DecayOf(std::uint32_t parameter) const;
  // A state's value after the step, and an expression that is to be it.
  Expression NextOf(circuit::ValueId state, Unit unit) const;
  Status SetNext(circuit::ValueId state, const Expression& e, int scale);
  Status SetNextWeight(std::uint32_t parameter, const Expression& e);
  circuit::ValueId AddOptimiserState(std::uint32_t parameter, const char* part,
                                     const circuit::Width& width);
  circuit::ValueId AddScalar(const char* name, PublicInput::Kind kind, std::int64_t lo,
                             std::int64_t hi);

  // steps.cc
  Result<Expression> DecayedGradient(std::uint32_t parameter);
  Expression ByRate(Expression e) const;
  struct Sum {
    std::int64_t divisor;
    std::int64_t most;  // its largest size
  };
  std::optional<Sum> SumOf(const Expression& e, int scale) const;
  Result<Expression> Rounded(const std::string& name, const Expression& e, ProfileLine line);
  Status Descend(std::uint32_t parameter, Expression x);
  Result<Expression> RateTimes(const std::string& name, Expression x);
  Status PrepareDecay();
  Result<Expression> Decayed(std::uint32_t parameter);

  // slack.cc: of recorded runs
  struct Norms {  // squares, without axes
    circuit::ValueId error = 0;
    circuit::ValueId change = 0;
    circuit::ValueId weight = 0;
  };
  unsigned Zone() const { return slack_ ? Line(ProfileLine::kTieZone).bits : 0U; }
  void NoteSign(NodeId id, circuit::ValueId positive, std::optional<circuit::ValueId> deviation);
  void BoundDeviations();
  void FindGauges();
  bool HasOwnBudget(std::uint32_t parameter) const;
  // Errors: kInvalidArgument for rates too fine for it.
  Status BoundGauge(std::uint32_t parameter, const Scaled& x);
  Status SetRecordedWeight(std::uint32_t parameter, const Expression& e);
  Status LowerSlack();
  Norms NormsOf(std::uint32_t parameter, circuit::ValueId e);
  void BoundError(const std::string& name, const Norms& norms, std::int64_t factor,
                  std::int64_t kappa2, std::int64_t grid);
  void BoundDrift(circuit::ValueId error, std::int64_t most);
  circuit::Form PartOf(circuit::ValueId number, unsigned cut, bool high, circuit::Moment moment,
                       std::int64_t sign) const;
  circuit::ValueId BoundedSum(const std::string& name, circuit::ValueId a, circuit::ValueId b,
                              unsigned bits, bool is_signed);
  circuit::ValueId Floored(const std::string& name, circuit::Form x, unsigned shift, unsigned bits);

  // clipping.cc
  Status LowerClip();
  circuit::ValueId SumOfSquares(int cut);
  Result<Operand> ClipCoefficient(circuit::ValueId square);

  // sgd.cc
  Status PrepareSgd();
  Status LowerSgd(std::uint32_t parameter);

  // adam.cc
  Status PrepareAdam();
  Status LowerAdam(std::uint32_t parameter);
  circuit::ValueId RootOfSquares(std::uint32_t parameter, circuit::ValueId gradient);
  circuit::ValueId DivisorOf(std::uint32_t parameter, circuit::ValueId root);

  const Program& p_;
  const Graph& g_;
  Atoms atoms_;
  std::optional<Slack> slack_;
  circuit::Builder b_;
  AxisPool axes_;
  std::vector<NodeState> nodes_;
  Lowered made_;
  std::optional<AxisId> batch_;
  std::optional<circuit::ValueId> rate_, share_, decay_, factor_,
      epsilon_;                                                  // publics of the optimiser
  std::optional<circuit::ValueId> share_of_change_;              // public, of the slack
  std::vector<circuit::ValueId> deviations_;                     // of signs from the forced ones
  std::map<std::uint32_t, circuit::ValueId> slacks_;             // e by parameter
  std::set<std::uint32_t> gauges_;                               // parameters, of a recorded run
  std::map<std::uint32_t, circuit::ValueId> clipped_;            // gradients, by parameter
  std::map<std::uint32_t, circuit::ValueId> middles_;            // by parameter
  std::map<circuit::ValueId, std::uint32_t> parameter_of_;       // by the number that holds it
  std::map<std::pair<NodeId, Dims>, circuit::ValueId> onehots_;  // by label and cut of its classes
  std::optional<circuit::TableId> exponentials_;
  std::map<NodeId, Norm> norms_;
  std::map<std::pair<NodeId, NodeId>, Operand> means_;  // by dy and batch_norm
};

}  // namespace flair::program
