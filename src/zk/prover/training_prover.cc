// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/training_prover.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/threads.h"
#include "zk/poly/eq.h"
#include "zk/prover/batch_prover.h"
#include "zk/prover/int_rows.h"
#include "zk/prover/lookup_prover.h"
#include "zk/prover/proof_end.h"
#include "zk/prover/table_sum.h"
#include "zk/prover/tensor_cells.h"

namespace flair::zk {
namespace {

using circuit::Ints;

std::uint64_t CellsIn(const TensorBlocks& tensor) {
  std::uint64_t cells = 1;
  for (const std::uint64_t size : tensor.sizes) cells *= size;
  return cells;
}

// A tensor of a matrix, row-major.
std::vector<std::uint64_t> Gather(const CommittedMatrix& matrix, const TensorBlocks& tensor) {
  std::vector<std::uint64_t> cells(CellsIn(tensor));
  std::vector<std::uint64_t> row(matrix.shape().num_columns());
  std::uint64_t loaded = ~std::uint64_t{0};
  ForEachCell(tensor, [&](std::uint64_t cell, std::uint64_t index) {
    if (cell / row.size() != loaded) {
      loaded = cell / row.size();
      matrix.rows().Read(loaded, row);
    }
    cells[index] = row[cell % row.size()];
  });
  return cells;
}

std::vector<std::vector<Fp2>> WeightsOf(std::span<const AxisFunctional> axes) {
  std::vector<std::vector<Fp2>> weights;
  for (const AxisFunctional& axis : axes) weights.push_back(axis.ToWeights());
  return weights;
}

// Products of weights, the last axis fastest.
std::vector<Fp2> Outer(std::span<const std::span<const Fp2>> axes) {
  std::vector<Fp2> product = {Fp2(1)};
  for (const std::span<const Fp2> own : axes) {
    std::vector<Fp2> more;
    more.reserve(product.size() * own.size());
    for (const Fp2& high : product) {
      for (const Fp2& low : own) more.push_back(high * low);
    }
    product = std::move(more);
  }
  return product;
}

// sum over a block's cells of their weights, which are products of its axes'.
Fp2 SumOfBlock(const CommittedMatrix& matrix, const TensorBlocks::Placed& block,
               const std::vector<std::vector<Fp2>>& weights) {
  // Cells of a block lie next to each other: cell x has the weight high[x / L] low[x mod L].
  constexpr std::size_t kLow = 256;
  std::vector<std::span<const Fp2>> axes;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const Piece& piece = block.pieces[i];
    axes.push_back(std::span(weights[i]).subspan(piece.begin, std::size_t{1} << piece.log_size));
  }
  std::size_t split = axes.size();
  std::size_t size = 1;
  while (split > 0 && size < kLow) size *= axes[--split].size();
  const std::vector<Fp2> high = Outer(std::span(axes).first(split));
  const std::vector<Fp2> low = Outer(std::span(axes).subspan(split));

  // Blocks and rows are powers of two, and a block begins at a multiple of its size.
  const std::uint64_t columns = matrix.shape().num_columns();
  const std::uint64_t cells = high.size() * low.size();
  const std::uint64_t of_row = std::min(cells, columns);
  const std::uint64_t at_once = std::min<std::uint64_t>(of_row, low.size());
  std::vector<Fp2> sums(cells / of_row);
  const auto add_row = [&](std::size_t i) {
    const std::uint64_t first = i * of_row;
    std::vector<std::uint64_t> row(columns);
    matrix.rows().Read((block.offset + first) / columns, row);
    for (std::uint64_t x = 0; x < of_row; x += at_once) {
      const std::uint64_t* from = &row[(block.offset + first + x) % columns];
      const Fp2* w = &low[(first + x) % low.size()];
      Fp2 sum;
      for (std::uint64_t j = 0; j < at_once; ++j) sum += w[j] * Fp(from[j]);
      sums[i] += high[(first + x) / low.size()] * sum;
    }
    return OkStatus();
  };
  const Status done = ParallelFor(sums.size(), cells < 100'000 ? 1 : ThreadCount(), add_row);
  FLAIR_CHECK(done.ok()) << "a sum cannot fail";
  Fp2 sum;
  for (const Fp2& part : sums) sum += part;
  return sum;
}

class MatrixWitness final : public LinkWitness {
 public:
  MatrixWitness(const TrainingPlan& plan, std::vector<const CommittedMatrix*> matrices)
      : plan_(plan), matrices_(std::move(matrices)) {}

  std::unique_ptr<RelationWitness::Product> Records(const LongLivedTensor& column,
                                                    const std::vector<AxisFunctional>& axes,
                                                    std::span<const Fp2> weights) override {
    const std::vector<std::uint64_t> cells = Gather(Of(Role::kData), column.blocks);
    const std::vector<std::vector<Fp2>> by_axis = WeightsOf(axes);
    const std::vector<Fp2> fold =
        Outer(std::vector<std::span<const Fp2>>(by_axis.begin(), by_axis.end()));
    const std::size_t whole = fold.size() / kSumLanes * kSumLanes;
    const KVector weights_of_cells(fold.size());
    for (std::size_t i = 0; i < whole; ++i) weights_of_cells.span().Set(i, fold[i]);
    const std::uint64_t records = weights.size();
    const unsigned variables = VariablesOf(records);
    std::vector<KVector> tables;
    for (int i = 0; i < 2; ++i) {
      tables.emplace_back(std::uint64_t{1} << variables);
      std::fill_n(tables.back().span().a, tables.back().capacity(), 0);
      std::fill_n(tables.back().span().b, tables.back().capacity(), 0);
    }
    constexpr std::uint64_t kRecordsAtOnce = 256;
    const Status done =
        ParallelFor((records + kRecordsAtOnce - 1) / kRecordsAtOnce, [&](std::size_t part) {
          const std::uint64_t end = std::min<std::uint64_t>(records, (part + 1) * kRecordsAtOnce);
          const KVector sums(kSumLanes);
          for (std::uint64_t n = part * kRecordsAtOnce; n < end; ++n) {
            const std::uint64_t* const own = &cells[n * fold.size()];
            FastestKKernels().dot_base(weights_of_cells.span(), own, whole, sums.span());
            Fp2 sum;
            for (std::size_t i = 0; i < kSumLanes; ++i) sum += sums.at(i);
            for (std::size_t i = whole; i < fold.size(); ++i) sum += fold[i] * Fp(own[i]);
            tables[0].span().Set(n, sum);
            tables[1].span().Set(n, weights[n]);
          }
          return OkStatus();
        });
    FLAIR_CHECK(done.ok()) << "a sum cannot fail";
    return std::make_unique<TableSum>(std::vector<std::optional<Fp2>>(variables),
                                      std::move(tables));
  }

  Fp2 Carried(Role role, const LongLivedTensor& tensor,
              const std::vector<AxisFunctional>& axes) override {
    std::vector<std::vector<Fp2>> weights = WeightsOf(axes);
    weights.resize(tensor.blocks.sizes.size(), {Fp2(1)});  // a scalar's one axis
    Fp2 sum;
    for (const TensorBlocks::Placed& block : tensor.blocks.blocks) {
      sum += SumOfBlock(Of(role), block, weights);
    }
    return sum;
  }

 private:
  const CommittedMatrix& Of(Role role) const {
    for (const LinkedMatrix& m : plan_.matrices()) {
      if (m.role == role) return *matrices_[m.matrix - 1];
    }
    FLAIR_CHECK(false) << "no matrix of " << RoleName(role);
    return *matrices_[0];
  }

  const TrainingPlan& plan_;
  std::vector<const CommittedMatrix*> matrices_;
};

}  // namespace

std::vector<std::uint64_t> CarriedCells(const LongLived& layout, const std::vector<Ints>& values) {
  std::vector<std::uint64_t> cells(layout.num_cells);
  std::vector<const TensorBlocks*> tensors;
  for (const LongLivedTensor& tensor : layout.tensors) tensors.push_back(&tensor.blocks);
  ForEachCellAtOnce(tensors, [&](std::size_t i, std::uint64_t cell, std::uint64_t index) {
    cells[cell] = Fp::FromInt(values[layout.tensors[i].number][index]).value();
  });
  return cells;
}

Result<std::vector<std::uint64_t>> DataCells(
    std::span<const DataColumn> columns, const LongLived& layout, std::uint64_t num_records,
    std::span<const std::span<const std::int64_t>> values) {
  std::vector<std::uint64_t> cells(layout.num_cells);
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const DataColumn& column = columns[c];
    const LongLivedTensor& tensor = layout.tensors[c];
    const auto wrong = [&](const std::string& what) {
      return Error(ErrorCode::kInvalidArgument, "column " + std::to_string(c) + ": " + what);
    };
    std::uint64_t record = 1;
    for (const std::uint64_t dim : column.dims) record *= dim;
    if (values[c].size() != num_records * record) {
      return wrong(std::to_string(values[c].size()) + " values for " + std::to_string(num_records) +
                   " records of " + std::to_string(record));
    }
    const std::int64_t hi = (std::int64_t{1} << column.bits) - 1 - column.bias;
    for (std::size_t i = 0; i < values[c].size(); ++i) {
      if (values[c][i] >= -column.bias && values[c][i] <= hi) continue;
      return wrong("record " + std::to_string(i / record) + " has the value " +
                   std::to_string(values[c][i]) + ", outside of [" + std::to_string(-column.bias) +
                   ", " + std::to_string(hi) + "]");
    }
    const std::uint64_t inner = column.dims.empty() ? 1 : column.dims.back();
    const std::uint64_t packed_inner = column.dims.empty() ? 1 : tensor.blocks.sizes.back();
    ForEachCellAtOnce({&tensor.blocks}, [&](std::size_t, std::uint64_t cell, std::uint64_t index) {
      const std::uint64_t outer = index / packed_inner;
      const std::uint64_t first = index % packed_inner * tensor.packed;
      std::uint64_t sum = 0;
      for (std::uint64_t j = 0; j < tensor.packed && first + j < inner; ++j) {
        const auto biased =
            static_cast<std::uint64_t>(values[c][outer * inner + first + j] + column.bias);
        sum += biased << (tensor.value_bits * j);
      }
      cells[cell] = sum;
    });
  }
  return cells;
}

Result<Bytes> ProveTraining(const TrainingPlan& plan, RunValues& values,
                            std::vector<const CommittedMatrix*> matrices, Env& env,
                            const ProverHooks& hooks) {
  if (hooks.progress) FLAIR_DO(hooks.progress("witness"));
  std::vector<std::int32_t> cells = values.Cells(plan.layout());
  FLAIR_DO(CountLookups(plan.layout().lookups(), cells));
  const auto links = LinksOf(plan, matrices);
  return ProveCells(plan, std::move(cells), values, *links, std::move(matrices), env, hooks);
}

std::unique_ptr<LinkWitness> LinksOf(const TrainingPlan& plan,
                                     std::vector<const CommittedMatrix*> matrices) {
  return std::make_unique<MatrixWitness>(plan, std::move(matrices));
}

Result<Bytes> ProveCells(const TrainingPlan& plan, std::vector<std::int32_t> cells,
                         RunValues& values, LinkWitness& links,
                         std::vector<const CommittedMatrix*> matrices, Env& env,
                         const ProverHooks& hooks) {
  const auto stage = [&](std::string_view name) {
    return hooks.progress ? hooks.progress(name) : OkStatus();
  };
  const auto reserve = [&](std::size_t matrix, std::span<const std::uint64_t> columns) {
    return hooks.reserve ? hooks.reserve(plan.statement().matrices[matrix].role, columns)
                         : OkStatus();
  };
  const LookupPlan& lookups = plan.layout().lookups();
  const auto rows =
      std::make_shared<IntRows>(std::move(cells), plan.batch().matrices()[0].num_columns());
  FLAIR_DO(stage("commitment"));
  FLAIR_TRY(BatchProver prover, BatchProver::Commit(plan.batch(), rows, matrices, env));
  Transcript transcript(kTrainingProtocol);
  plan.statement().Absorb(transcript);
  prover.AbsorbRoots(transcript);
  FLAIR_DO(stage("lookups"));
  ProvenLookups proven = ProveLookups(lookups, rows->cells(), transcript, prover);
  FLAIR_DO(stage("relations"));
  std::vector<Claim> claims = std::move(proven.claims);
  for (Claim& claim : plan.RunScript(transcript, prover, &links, &values)) {
    claims.push_back(std::move(claim));
  }
  FLAIR_DO(stage("opening"));
  return FinishProof(prover, transcript, claims, plan.statement().Hash(), proven.nonce, reserve);
}

}  // namespace flair::zk
