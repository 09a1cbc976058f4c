// SPDX-License-Identifier: Apache-2.0
#include "zk/lookup/table.h"

#include "zk/poly/eq.h"

namespace flair::zk {

Fp2 EvaluateColumn(const TableColumn& column, std::span<const Fp2> r) {
  if (column.values.empty()) return {Fp::FromInt(column.constant)};
  const std::vector<Fp2> eq = EqTable(r);
  Fp2 sum;
  for (std::size_t i = 0; i < eq.size(); ++i) sum += eq[i] * Fp::FromInt(column.values[i]);
  return sum;
}

Fp2 EvaluateFirst(const TableSegment& segment, std::span<const Fp2> r) {
  Fp2 sum(Fp::FromInt(segment.first));
  for (std::size_t i = 0; i < r.size(); ++i) sum += r[i] * Fp(std::uint64_t{1} << i);
  return sum;
}

}  // namespace flair::zk
