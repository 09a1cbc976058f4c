// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/tail_prover.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/threads.h"
#include "zk/poly/eq.h"
#include "zk/prover/k_kernels.h"
#include "zk/prover/table_sum.h"
#include "zk/tail/tail_messages.h"

namespace flair::zk {
namespace {

// The powers of a point are c x^(block 2^10) times those below 2^10.
constexpr std::uint64_t kBlock = 1024;

void Must(const Status& status) { FLAIR_CHECK(status.ok()) << status.error().message(); }

// Two rows over F for each row over K.
class HalfRows final : public RowSource {
 public:
  HalfRows(KSpan elements, std::uint64_t num_elements, std::uint64_t num_columns)
      : elements_(elements), size_(num_elements), num_columns_(num_columns) {}

  void ReadPart(std::uint64_t row, std::uint64_t first,
                std::span<std::uint64_t> cells) const override {
    const std::uint64_t begin = std::min(row / 2 * num_columns_ + first, size_);
    const std::uint64_t n = std::min<std::uint64_t>(cells.size(), size_ - begin);
    std::copy_n((row % 2 == 0 ? elements_.a : elements_.b) + begin, n, cells.begin());
    std::fill(cells.begin() + static_cast<std::ptrdiff_t>(n), cells.end(), 0);
  }

 private:
  KSpan elements_;
  std::uint64_t size_;
  std::uint64_t num_columns_;
};

void Clear(KSpan span, std::uint64_t n) {
  std::fill_n(span.a, n, 0);
  std::fill_n(span.b, n, 0);
}

// x^i, i < n.
std::vector<std::uint64_t> PowersOf(Fp x, std::uint64_t n) {
  std::vector<std::uint64_t> powers(n);
  Fp power(1);
  for (std::uint64_t& p : powers) {
    p = power.value();
    power *= x;
  }
  return powers;
}

}  // namespace

TailProver::TailProver(const TailPlan& plan, std::span<const std::vector<Fp2>> rows,
                       const Digest& seed)
    : plan_(plan), elements_(std::uint64_t{1} << plan.num_variables()) {
  Clear(elements_.span(), elements_.capacity());
  for (const TailPiece& piece : plan_.pieces) {
    const std::vector<Fp2>& row = rows[piece.group];
    for (std::uint64_t i = 0; i < std::uint64_t{1} << piece.log_size; ++i) {
      elements_.span().Set(piece.offset + i, row[piece.begin + i]);
    }
  }
  matrix_ = std::make_unique<CommittedMatrix>(
      CommittedMatrix::Commit(
          plan_.shape,
          std::make_shared<HalfRows>(elements_.span(), elements_.size(), plan.shape.num_columns()),
          seed)
          .value());
}

KVector TailProver::Weights(std::span<const TailClaims> groups, Fp2 eta) const {
  KVector weights(elements_.size());
  Clear(weights.span(), weights.capacity());
  const KKernels& kernels = FastestKKernels();
  Fp2 power(1);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const TailClaims& group = groups[g];
    const Fp2 of_value = power;
    std::vector<Fp2> of_columns;
    for (std::size_t i = 0; i < group.columns.size(); ++i) of_columns.push_back(power *= eta);
    power *= eta;
    std::vector<std::vector<std::uint64_t>> powers(group.columns.size());
    Must(ParallelFor(powers.size(), [&](std::size_t i) {
      powers[i] = PowersOf(group.columns[i], kBlock);
      return OkStatus();
    }));
    for (const TailPiece& piece : plan_.pieces) {
      if (piece.group != g) continue;
      const std::uint64_t size = std::uint64_t{1} << piece.log_size;
      const std::uint64_t blocks = (size + kBlock - 1) / kBlock;
      Must(ParallelFor(blocks, [&](std::size_t block) {
        const std::uint64_t begin = block * kBlock;
        const std::uint64_t n = std::min(kBlock, size - begin);
        const KVector sum(n);
        Clear(sum.span(), sum.capacity());
        for (std::size_t i = 0; i < powers.size(); ++i) {
          const Fp2 factor = of_columns[i] * group.columns[i].Pow(piece.begin + begin);
          kernels.add_scaled_base(sum.span(), factor, powers[i].data(), sum.capacity());
        }
        for (std::uint64_t i = 0; i < n; ++i) {
          weights.span().Set(piece.offset + begin + i, sum.at(i));
        }
        return OkStatus();
      }));
      if (piece.begin != 0) continue;
      const std::vector<Fp2> eq = EqTable(group.point);
      for (std::uint64_t i = 0; i < size; ++i) {
        weights.span().Set(piece.offset + i, weights.at(piece.offset + i) + of_value * eq[i]);
      }
    }
  }
  return weights;
}

TailProof TailProver::Prove(unsigned work_bits, std::span<const TailClaims> groups,
                            Transcript& transcript) {
  TailProof proof;
  const Fp2 eta = DrawEta(groups, transcript);
  std::vector<KVector> tables;
  tables.emplace_back(elements_.size());
  std::copy_n(elements_.span().a, elements_.capacity(), tables[0].span().a);
  std::copy_n(elements_.span().b, elements_.capacity(), tables[0].span().b);
  tables.push_back(Weights(groups, eta));
  TableSum sum(std::vector<std::optional<Fp2>>(plan_.num_variables()), std::move(tables));
  Fp2 left = SumOf(groups, eta);
  std::vector<Fp2> point;
  for (unsigned round = 0; round < plan_.num_variables(); ++round) {
    const std::vector<Fp2> at = sum.Round(left);
    proof.rounds.push_back({at[0], at[2]});
    point.push_back(DrawTailRound(proof.rounds.back(), transcript));
    sum.Fold(point.back());
    const Fp2 r = point.back();
    const Fp2 half(Fp(2).Inverse());
    left = at[0] * ((r - Fp2(1)) * (r - Fp2(2)) * half) - at[1] * (r * (r - Fp2(2))) +
           at[2] * (r * (r - Fp2(1)) * half);
  }
  proof.opening.combined_row.resize(plan_.shape.row_length());
  matrix_->AddCombination(plan_.RowWeights(point), proof.opening.combined_row);
  AbsorbTailRow(proof.opening.combined_row, transcript);
  proof.nonce = transcript.Grind(Label::kTailWork, work_bits);
  proof.opening.matrices.push_back(matrix_->Open(DrawTailColumns(plan_, transcript)));
  return proof;
}

}  // namespace flair::zk
