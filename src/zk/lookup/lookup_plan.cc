// SPDX-License-Identifier: Apache-2.0
#include "zk/lookup/lookup_plan.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <string>
#include <utility>

namespace flair::zk {
namespace {

constexpr unsigned kMaxLogSize = 32;
constexpr unsigned kLogLeavesWithoutWork = 22;
constexpr std::uint64_t kPadsPerRound = 3;  // a quadratic at 0, 1, 2

Error Wrong(std::string what) { return {ErrorCode::kInvalidArgument, std::move(what)}; }

std::int64_t EndOf(const TableSegment& s) { return s.first + (std::int64_t{1} << s.log_rows); }

// Two rows of one class that are equal would share a count, and could hide one of its parts.
Status CheckDistinct(const std::vector<TableSegment>& segments) {
  for (std::size_t i = 0; i < segments.size(); ++i) {
    for (std::size_t j = i + 1; j < segments.size(); ++j) {
      const TableSegment& a = segments[i];
      const TableSegment& b = segments[j];
      if (a.class_number != b.class_number) continue;
      const std::int64_t end = std::min(EndOf(a), EndOf(b));
      for (std::int64_t v = std::max<std::int64_t>(a.first, b.first); v < end; ++v) {
        const auto at_a = static_cast<std::uint64_t>(v - a.first);
        const auto at_b = static_cast<std::uint64_t>(v - b.first);
        if (a.c1.at(at_a) == b.c1.at(at_b) && a.c2.at(at_a) == b.c2.at(at_b)) {
          return Wrong("table " + std::to_string(a.class_number) + " has the row of " +
                       std::to_string(v) + " twice");
        }
        if (a.c1.values.empty() && b.c1.values.empty() && a.c1.constant != b.c1.constant) break;
        if (a.c2.values.empty() && b.c2.values.empty() && a.c2.constant != b.c2.constant) break;
      }
    }
  }
  return OkStatus();
}

Status CheckSegment(const TableSegment& s) {
  if (s.log_rows >= kMaxLogSize || EndOf(s) > (std::int64_t{1} << 31)) {
    return Wrong("table " + std::to_string(s.class_number) + " is too large");
  }
  for (const TableColumn* column : {&s.c1, &s.c2}) {
    if (!column->values.empty() && column->values.size() != std::size_t{1} << s.log_rows) {
      return Wrong("table " + std::to_string(s.class_number) + " has a column of another length");
    }
  }
  if (s.multiplicities % (std::uint64_t{1} << s.log_rows) != 0) {
    return Wrong("counts of table " + std::to_string(s.class_number) + " are not aligned");
  }
  return OkStatus();
}

Status CheckLookup(const LookupBlock& block, const std::vector<TableSegment>& segments) {
  if (block.log_size >= kMaxLogSize) return Wrong("a block of lookups is too large");
  const std::uint64_t size = std::uint64_t{1} << block.log_size;
  if (block.v % size != 0 || block.c1.value_or(0) % size != 0 || block.c2.value_or(0) % size != 0) {
    return Wrong("a block of lookups is not aligned");
  }
  const auto own = [&](const TableSegment& s) { return s.class_number == block.class_number; };
  if (std::none_of(segments.begin(), segments.end(), own)) {
    return Wrong("lookups of class " + std::to_string(block.class_number) + " have no table");
  }
  return OkStatus();
}

// A row may be that of all lookups of its class, and its count must be an int32.
Status CheckCounts(const std::vector<LookupBlock>& lookups) {
  std::map<std::uint32_t, std::uint64_t> of_class;
  for (const LookupBlock& block : lookups) {
    std::uint64_t& count = of_class[block.class_number];
    count += std::uint64_t{1} << block.log_size;
    if (count > std::numeric_limits<std::int32_t>::max()) {
      return Wrong("class " + std::to_string(block.class_number) + " has 2^31 lookups or more");
    }
  }
  return OkStatus();
}

}  // namespace

Result<LookupPlan> LookupPlan::Make(std::vector<TableSegment> segments,
                                    std::vector<LookupBlock> lookups) {
  for (const TableSegment& s : segments) FLAIR_DO(CheckSegment(s));
  FLAIR_DO(CheckDistinct(segments));
  for (const LookupBlock& block : lookups) FLAIR_DO(CheckLookup(block, segments));
  if (lookups.empty()) return Wrong("a lookup argument without lookups");
  FLAIR_DO(CheckCounts(lookups));

  LookupPlan plan;
  plan.segments_ = std::move(segments);
  plan.lookups_ = std::move(lookups);
  for (std::size_t i = 0; i < plan.lookups_.size(); ++i) {
    plan.leaf_blocks_.push_back({false, i, plan.lookups_[i].log_size, 0});
  }
  for (std::size_t i = 0; i < plan.segments_.size(); ++i) {
    plan.leaf_blocks_.push_back({true, i, plan.segments_[i].log_rows, 0});
  }
  std::stable_sort(plan.leaf_blocks_.begin(), plan.leaf_blocks_.end(),
                   [](const LeafBlock& a, const LeafBlock& b) { return a.log_size > b.log_size; });
  for (LeafBlock& block : plan.leaf_blocks_) {
    block.first_leaf = plan.num_leaves_;
    plan.num_leaves_ += std::uint64_t{1} << block.log_size;
    if (plan.num_leaves_ > std::uint64_t{1} << kMaxLogSize) return Wrong("more than 2^32 lookups");
  }
  plan.num_layers_ = static_cast<unsigned>(std::bit_width(plan.num_leaves_ - 1));
  return plan;
}

unsigned LookupPlan::work_bits() const {
  return num_layers_ > kLogLeavesWithoutWork ? num_layers_ - kLogLeavesWithoutWork : 0;
}

// Layer l has l rounds.
std::uint64_t LookupPlan::num_pads() const {
  return kPadsPerRound * num_layers_ * (num_layers_ - 1) / 2;
}

}  // namespace flair::zk
