// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/lookup_prover.h"

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/threads.h"
#include "zk/batch/equations.h"
#include "zk/lookup/equations.h"
#include "zk/prover/fraction_sumcheck.h"
#include "zk/prover/fraction_tree.h"

namespace flair::zk {
namespace {

bool IsZero(const TableColumn& column) { return column.values.empty() && column.constant == 0; }

std::optional<std::uint64_t> RowOf(const TableSegment& s, std::int32_t v, std::int32_t c1,
                                   std::int32_t c2) {
  const std::int64_t row = std::int64_t{v} - s.first;
  if (row < 0 || row >= std::int64_t{1} << s.log_rows) return std::nullopt;
  const auto at = static_cast<std::uint64_t>(row);
  if (s.c1.at(at) != c1 || s.c2.at(at) != c2) return std::nullopt;
  return at;
}

}  // namespace

Status CountLookups(const LookupPlan& plan, std::span<std::int32_t> cells) {
  for (const TableSegment& s : plan.segments()) {
    std::fill_n(&cells[s.multiplicities], std::size_t{1} << s.log_rows, 0);
  }
  // Parts of blocks in order, so that the first error is the first cell's; each share of them
  // counts on its own, segment after segment.
  struct Part {
    const LookupBlock* block;
    std::uint64_t begin;
    std::uint64_t end;
  };
  constexpr std::uint64_t kCellsAtOnce = 1 << 16;
  std::vector<Part> parts;
  for (const LookupBlock& block : plan.lookups()) {
    const std::uint64_t size = std::uint64_t{1} << block.log_size;
    for (std::uint64_t begin = 0; begin < size; begin += kCellsAtOnce) {
      parts.push_back({&block, begin, std::min(begin + kCellsAtOnce, size)});
    }
  }
  std::vector<std::size_t> first_count;
  std::size_t num_rows = 0;
  for (const TableSegment& s : plan.segments()) {
    first_count.push_back(num_rows);
    num_rows += std::size_t{1} << s.log_rows;
  }
  // Most blocks: values without companions, of a class that has one segment. The first cell that
  // is no row of it.
  const auto count_plain = [&](const Part& part, std::span<std::int32_t> counts) {
    const LookupBlock& block = *part.block;
    std::optional<std::size_t> only;
    for (std::size_t s = 0; s < first_count.size(); ++s) {
      const TableSegment& segment = plan.segments()[s];
      if (segment.class_number != block.class_number) continue;
      if (only || block.c1 || block.c2 || !IsZero(segment.c1) || !IsZero(segment.c2)) {
        return part.begin;
      }
      only = s;
    }
    const TableSegment& segment = plan.segments()[*only];
    std::int32_t* const own = &counts[first_count[*only]];
    std::uint64_t i = part.begin;
    for (; i < part.end; ++i) {
      const auto row = static_cast<std::uint64_t>(std::int64_t{cells[block.v + i]} - segment.first);
      if (row >= std::uint64_t{1} << segment.log_rows) break;
      ++own[row];
    }
    return i;
  };
  const auto count_part = [&](const Part& part, std::span<std::int32_t> counts) {
    const LookupBlock& block = *part.block;
    for (std::uint64_t i = count_plain(part, counts); i < part.end; ++i) {
      const std::int32_t v = cells[block.v + i];
      const std::int32_t c1 = block.c1 ? cells[*block.c1 + i] : 0;
      const std::int32_t c2 = block.c2 ? cells[*block.c2 + i] : 0;
      bool found = false;
      for (std::size_t s = 0; s < first_count.size() && !found; ++s) {
        if (plan.segments()[s].class_number != block.class_number) continue;
        const auto row = RowOf(plan.segments()[s], v, c1, c2);
        if (!row) continue;
        ++counts[first_count[s] + *row];
        found = true;
      }
      if (!found) {
        return Status(Error(ErrorCode::kInvalidArgument, "cell " + std::to_string(block.v + i) +
                                                             " holds " + std::to_string(v) +
                                                             ", which is no row of table " +
                                                             std::to_string(block.class_number)));
      }
    }
    return OkStatus();
  };
  // Shares have counts of their own, as large as the tables: few are enough.
  constexpr std::size_t kMaxShares = 8;
  const std::size_t shares = std::clamp<std::size_t>(parts.size(), 1, kMaxShares);
  std::mutex mutex;
  const auto count_share = [&](std::size_t share) -> Status {
    std::vector<std::int32_t> counts(num_rows);
    const std::size_t end = parts.size() * (share + 1) / shares;
    for (std::size_t i = parts.size() * share / shares; i < end; ++i) {
      FLAIR_DO(count_part(parts[i], counts));
    }
    const std::lock_guard lock(mutex);
    for (std::size_t s = 0; s < first_count.size(); ++s) {
      const TableSegment& segment = plan.segments()[s];
      for (std::size_t row = 0; row < std::size_t{1} << segment.log_rows; ++row) {
        cells[segment.multiplicities + row] += counts[first_count[s] + row];
      }
    }
    return OkStatus();
  };
  return ParallelFor(shares, std::min(ThreadCount(), shares), count_share);
}

ProvenLookups ProveLookups(const LookupPlan& plan, std::span<const std::int32_t> cells,
                           Transcript& transcript, BatchProver& values) {
  ProvenLookups proven;
  proven.nonce = transcript.Grind(Label::kLookupWork, plan.work_bits());
  const LookupChallenges challenges = DrawLookupChallenges(transcript);
  FractionTree tree(plan, challenges, cells);

  const Fp2 root_q = tree.root_q();
  const auto root = values.SendProduct(transcript, Label::kLookupMessage, root_q, root_q.Inverse());
  values.RequireZero(root.product.masked - Masked(Fp2(1)));
  Secret p{Fp2(), Masked()};
  Secret q = root.a;

  std::vector<Fp2> point;
  for (unsigned layer = 0; layer < plan.num_layers(); ++layer) {
    const Fp2 mu = transcript.Draw(Label::kLookupChallenge);
    Secret claim{p.value + mu * q.value, p.masked + q.masked * mu};
    FractionSumcheck sumcheck(tree, layer, mu, point);
    std::vector<Fp2> next;
    for (unsigned round = 0; round < layer; ++round) {
      const Fp2 r = point[round];
      const auto [at0, at2] = sumcheck.Round();
      const Fp2 at1 = (claim.value - (Fp2(1) - r) * at0) * r.Inverse();
      const auto h = values.Send(transcript, Label::kSumcheckMessage, {at0, at1, at2});
      values.RequireZero(AtLinear(h[0].masked, h[1].masked, r) - claim.masked);
      next.push_back(transcript.Draw(Label::kSumcheckChallenge));
      claim.masked = AtQuadratic(h[0].masked, h[1].masked, h[2].masked, next.back());
      claim.value = AtQuadratic(Masked(at0), Masked(at1), Masked(at2), next.back()).known();
      sumcheck.Fold(next.back());
    }
    const FractionSumcheck::Last last = sumcheck.last();
    const auto left = values.SendProduct(transcript, Label::kLookupMessage, last.mixed, last.q1);
    const auto right = values.SendProduct(transcript, Label::kLookupMessage, last.p1, last.q0);
    values.RequireZero(left.product.masked + right.product.masked - claim.masked);
    const Fp2 child = transcript.Draw(Label::kSumcheckChallenge);
    const Fp2 other = Fp2(1) - child;
    p = {other * (last.mixed - mu * last.q0) + child * last.p1,
         AtLinear(left.a.masked - right.b.masked * mu, right.a.masked, child)};
    q = {other * last.q0 + child * last.q1, AtLinear(right.b.masked, left.b.masked, child)};
    next.insert(next.begin(), child);
    point = std::move(next);
    tree.Drop(layer);
  }
  proven.claims = LeafClaims(plan, challenges, point, p.masked, q.masked);
  return proven;
}

}  // namespace flair::zk
