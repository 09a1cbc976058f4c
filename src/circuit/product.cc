// SPDX-License-Identifier: Apache-2.0
#include "circuit/product.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "base/check.h"
#include "base/threads.h"

namespace flair::circuit {
namespace {

// A block of a and one of b fill half of a second-level cache of 1 MiB.
constexpr Index kRowsOfBlock = 128;
constexpr Index kColumnsOfBlock = 256;
constexpr Index kDepthOfBlock = 192;

std::uint64_t LargestSize(std::span<const std::int64_t> cells) {
  std::int64_t least = 0;
  std::int64_t most = 0;
  for (const std::int64_t v : cells) {
    least = std::min(least, v);
    most = std::max(most, v);
  }
  return std::max(static_cast<std::uint64_t>(most), -static_cast<std::uint64_t>(least));
}

// So many products have a sum of at most 2^53 in size.
Index ExactDepth(std::uint64_t a, std::uint64_t b) {
  constexpr std::uint64_t kExact = std::uint64_t{1} << 53;
  if (a > kExact || b > kExact) return 0;
  if (a == 0 || b == 0) return kDepthOfBlock;
  return static_cast<Index>(kExact / a / b);
}

Index RoundUp(Index n, Index unit) { return (n + unit - 1) / unit * unit; }

}  // namespace

// One factor of the product, along its rows (or columns) and the depth.
struct Product::Side {
  std::vector<Index> row;  // and a panel more, for the last one
  std::vector<Index> depth;
  struct Bound {
    std::size_t bound;
    std::vector<Index> row;
    std::vector<Index> depth;
  };
  std::vector<Bound> bounds;

  // `held`: of each bound of the nest, what the batch's counters give.
  template <typename Cell>
  void Pack(const std::int64_t* cells, Index first, const std::vector<Index>& held,
            const Nest& nest, std::array<Index, 2> rows, Index panel, std::array<Index, 2> depths,
            void (*pack)(const PackSource&, std::size_t, Cell*), Cell* packed) const {
    std::vector<PackBound> asked(bounds.size());
    std::vector<std::vector<Index>> moved(bounds.size());
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      moved[i].assign(bounds[i].depth.begin() + depths[0], bounds[i].depth.begin() + depths[1]);
      for (Index& d : moved[i]) d += held[bounds[i].bound];
      asked[i] = {.depth = moved[i].data(), .size = nest.bounds[bounds[i].bound].size};
    }
    const auto n = static_cast<std::size_t>(depths[1] - depths[0]);
    for (Index r = rows[0]; r < rows[1]; r += panel) {
      for (std::size_t i = 0; i < bounds.size(); ++i) asked[i].row = bounds[i].row.data() + r;
      pack({.cells = cells,
            .first = first,
            .row = row.data() + r,
            .depth = depth.data() + depths[0],
            .bounds = asked.data(),
            .num_bounds = asked.size()},
           n, packed);
      packed += static_cast<Index>(n) * panel;
    }
  }
};

// What one thread computes at once: no other unit has a cell of the result that it has.
struct Product::Unit {
  Index batch;
  std::array<Index, 2> rows;
  std::array<Index, 2> columns;
};

std::vector<Product::Class> Product::ClassesOf(const Nest& nest) {
  std::vector<Class> classes;
  for (std::size_t i = 0; i < nest.loops.size(); ++i) {
    const bool out = nest.walks[0].steps[i] != 0;
    const bool a = nest.walks[1].steps[i] != 0;
    const bool b = nest.walks[2].steps[i] != 0;
    classes.push_back(!out     ? Class::kDepth
                      : a && b ? Class::kBatch
                      : b      ? Class::kColumn
                               : Class::kRow);
  }
  return classes;
}

Product::Group Product::GroupOf(const Nest& nest, const std::vector<Class>& classes, Class wanted,
                                const Walk& order) {
  Group group;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (classes[i] != wanted) continue;
    group.loops.push_back(i);
    group.size *= nest.loops[i].size;
    if (nest.loops[i].meets) group.inner *= nest.loops[i].size;
  }
  // Those that meet go last, then by the steps.
  std::stable_sort(group.loops.begin(), group.loops.end(), [&](std::size_t x, std::size_t y) {
    if (nest.loops[x].meets != nest.loops[y].meets) return nest.loops[y].meets;
    return order.steps[x] > order.steps[y];
  });
  return group;
}

bool Product::Pays(const Nest& nest) {
  if (nest.walks.size() != 3) return false;
  const std::vector<Class> classes = ClassesOf(nest);
  const auto size = [&](Class wanted) {
    return GroupOf(nest, classes, wanted, nest.walks[0]).size;
  };
  const Index rows = size(Class::kRow);
  const Index columns = size(Class::kColumn);
  const Index depth = size(Class::kDepth);
  return rows >= 4 && columns >= 4 && depth >= 8 && rows * columns * depth >= 4096;
}

Product::Product(const Nest& nest, const ProductKernels& kernels)
    : nest_(nest), kernels_(kernels), a_(&nest.walks[1]), b_(&nest.walks[2]) {
  FLAIR_CHECK(nest.walks.size() == 3) << "a product of other than two factors";
  std::vector<Class> classes = ClassesOf(nest);
  // Neighbours in the result are columns: of the loops with a step of 1 the longest says so.
  std::size_t nearest = nest.loops.size();
  for (std::size_t i = 0; i < nest.loops.size(); ++i) {
    if (nest.walks[0].steps[i] != 1) continue;
    if (nearest == nest.loops.size() || nest.loops[i].size > nest.loops[nearest].size) nearest = i;
  }
  swapped_ = nearest < nest.loops.size() && classes[nearest] == Class::kRow;
  if (swapped_) {
    std::swap(a_, b_);
    for (Class& c : classes) {
      c = c == Class::kRow ? Class::kColumn : c == Class::kColumn ? Class::kRow : c;
    }
  }
  batch_ = GroupOf(nest, classes, Class::kBatch, nest.walks[0]);
  rows_ = GroupOf(nest, classes, Class::kRow, nest.walks[0]);
  columns_ = GroupOf(nest, classes, Class::kColumn, nest.walks[0]);
  depth_ = GroupOf(nest, classes, Class::kDepth, *a_);
}

std::vector<Index> Product::Along(const Group& group, const std::vector<Index>& steps) const {
  std::vector<Index> all = {0};
  for (const std::size_t loop : group.loops) {
    std::vector<Index> more;
    more.reserve(all.size() * static_cast<std::size_t>(nest_.loops[loop].size));
    for (const Index before : all) {
      for (Index x = 0; x < nest_.loops[loop].size; ++x) more.push_back(before + x * steps[loop]);
    }
    all = std::move(more);
  }
  return all;
}

std::vector<Index> Product::BoundSteps(std::size_t bound) const {
  std::vector<Index> steps(nest_.loops.size());
  for (std::size_t i = 0; i < steps.size(); ++i) steps[i] = nest_.bounds[bound].Step(i);
  return steps;
}

std::vector<std::size_t> Product::BoundsWithin(const Group& x, const Group& y) const {
  const auto in = [](const Group& group, std::size_t loop) {
    return std::find(group.loops.begin(), group.loops.end(), loop) != group.loops.end();
  };
  std::vector<std::size_t> within;
  for (std::size_t i = 0; i < nest_.bounds.size(); ++i) {
    bool all = true;
    for (const std::size_t loop : {nest_.bounds[i].out_loop, nest_.bounds[i].kernel_loop}) {
      all = all && (in(x, loop) || in(y, loop) || in(batch_, loop));
    }
    if (all) within.push_back(i);
  }
  return within;
}

Product::Side Product::SideOf(const Walk& walk, const Group& group, std::size_t panel) const {
  const auto filled = [&](std::vector<Index> along) {
    along.resize(along.size() + panel, along[0]);
    return along;
  };
  Side side{.row = filled(Along(group, walk.steps)), .depth = Along(depth_, walk.steps)};
  for (const std::size_t bound : BoundsWithin(group, depth_)) {
    const std::vector<Index> steps = BoundSteps(bound);
    side.bounds.push_back(
        {.bound = bound, .row = filled(Along(group, steps)), .depth = Along(depth_, steps)});
  }
  return side;
}

// Computes units with one kind of cells.
template <typename Cell>
class Product::Worker {
 public:
  Worker(const Product& product, const ProductLoops<Cell>& loops, Index depth_of_block,
         const std::int64_t* a, const std::int64_t* b, std::int64_t* out)
      : p_(product),
        loops_(loops),
        depth_of_block_(depth_of_block),
        tile_rows_(static_cast<Index>(product.kernels_.rows)),
        tile_columns_(static_cast<Index>(product.kernels_.columns)),
        a_cells_(a),
        b_cells_(b),
        out_(out),
        a_(product.SideOf(*product.a_, product.rows_, product.kernels_.rows)),
        b_(product.SideOf(*product.b_, product.columns_, product.kernels_.columns)),
        out_rows_(product.Along(product.rows_, product.nest_.walks[0].steps)),
        out_columns_(product.Along(product.columns_, product.nest_.walks[0].steps)) {
    for (const std::size_t bound : product.BoundsWithin(product.rows_, product.columns_)) {
      const std::vector<Index> steps = product.BoundSteps(bound);
      out_bounds_.push_back({.bound = bound,
                             .row = product.Along(product.rows_, steps),
                             .depth = product.Along(product.columns_, steps)});
    }
  }

  void Run(const Unit& unit) const {
    // The batch's share of every index and bound.
    std::vector<Index> held(p_.nest_.bounds.size());
    Index at_a = p_.a_->start;
    Index at_b = p_.b_->start;
    Index at_out = p_.nest_.walks[0].start;
    for (std::size_t i = 0; i < held.size(); ++i) held[i] = p_.nest_.bounds[i].offset;
    Index rest = unit.batch;
    for (std::size_t l = p_.batch_.loops.size(); l-- > 0;) {
      const std::size_t loop = p_.batch_.loops[l];
      const Index x = rest % p_.nest_.loops[loop].size;
      rest /= p_.nest_.loops[loop].size;
      at_a += x * p_.a_->steps[loop];
      at_b += x * p_.b_->steps[loop];
      at_out += x * p_.nest_.walks[0].steps[loop];
      for (std::size_t i = 0; i < held.size(); ++i) held[i] += x * p_.nest_.bounds[i].Step(loop);
    }
    // Buffers outlive a unit: their pages are there already.
    thread_local std::vector<Cell> a;
    thread_local std::vector<Cell> b;
    a.resize(static_cast<std::size_t>(RoundUp(kRowsOfBlock, tile_rows_) * depth_of_block_));
    b.resize(static_cast<std::size_t>(RoundUp(kColumnsOfBlock, tile_columns_) * depth_of_block_));
    const Index depths = p_.depth_.size;
    for (Index c = unit.columns[0]; c < unit.columns[1]; c += kColumnsOfBlock) {
      const Index columns_end = std::min(c + kColumnsOfBlock, unit.columns[1]);
      for (Index k = 0; k < depths; k += depth_of_block_) {
        const Index depth_end = std::min(k + depth_of_block_, depths);
        b_.Pack(b_cells_, at_b, held, p_.nest_, {c, columns_end}, tile_columns_, {k, depth_end},
                loops_.pack_columns, b.data());
        for (Index r = unit.rows[0]; r < unit.rows[1]; r += kRowsOfBlock) {
          const Index rows_end = std::min(r + kRowsOfBlock, unit.rows[1]);
          a_.Pack(a_cells_, at_a, held, p_.nest_, {r, rows_end}, tile_rows_, {k, depth_end},
                  loops_.pack_rows, a.data());
          Tiles({r, rows_end}, {c, columns_end}, depth_end - k, a.data(), b.data(), held, at_out);
        }
      }
    }
  }

 private:
  void Tiles(std::array<Index, 2> rows, std::array<Index, 2> columns, Index depth, const Cell* a,
             const Cell* b, const std::vector<Index>& held, Index first) const {
    alignas(64) std::array<std::int64_t, kMaxTile> tile;
    for (Index c = columns[0]; c < columns[1]; c += tile_columns_, b += depth * tile_columns_) {
      const Index columns_end = std::min(c + tile_columns_, columns[1]);
      const Cell* panel = a;
      for (Index r = rows[0]; r < rows[1]; r += tile_rows_, panel += depth * tile_rows_) {
        loops_.multiply(static_cast<std::size_t>(depth), panel, b, tile.data());
        AddTile({r, std::min(r + tile_rows_, rows[1])}, {c, columns_end}, held, tile.data(), first);
      }
    }
  }

  void AddTile(std::array<Index, 2> rows, std::array<Index, 2> columns,
               const std::vector<Index>& held, const std::int64_t* tile, Index first) const {
    const Index coefficient = p_.nest_.coefficient;
    const Index n = columns[1] - columns[0];
    const Index* column = out_columns_.data() + columns[0];
    bool near = out_bounds_.empty();
    for (Index c = 1; c < n; ++c) near = near && column[c] == column[0] + c;
    for (Index r = rows[0]; r < rows[1]; ++r, tile += tile_columns_) {
      const Index at = first + Of(out_rows_, r);
      if (near) {
        std::int64_t* o = out_ + at + column[0];
        for (Index c = 0; c < n; ++c) o[c] += coefficient * tile[c];
        continue;
      }
      for (Index c = 0; c < n; ++c) {
        bool inside = true;
        for (const Side::Bound& b : out_bounds_) {
          const Index in = Of(b.row, r) + Of(b.depth, columns[0] + c) + held[b.bound];
          inside = inside && in >= 0 && in < p_.nest_.bounds[b.bound].size;
        }
        if (inside) out_[at + column[c]] += coefficient * tile[c];
      }
    }
  }
  static Index Of(const std::vector<Index>& of, Index i) { return of[static_cast<std::size_t>(i)]; }

  const Product& p_;
  const ProductLoops<Cell>& loops_;
  const Index depth_of_block_;
  const Index tile_rows_;
  const Index tile_columns_;
  const std::int64_t* a_cells_;
  const std::int64_t* b_cells_;
  std::int64_t* out_;
  const Side a_;
  const Side b_;
  const std::vector<Index> out_rows_;
  const std::vector<Index> out_columns_;
  std::vector<Side::Bound> out_bounds_;  // `depth`: the columns
};

void Product::AddTo(std::span<const std::int64_t> a, std::span<const std::int64_t> b,
                    std::span<std::int64_t> out) const {
  if (swapped_) std::swap(a, b);
  // Units begin at whole tiles, or where no loop that meets goes on.
  const auto unit_of = [](const Group& group, Index block) {
    return group.inner == 1 ? block : RoundUp(std::max(block, group.inner), group.inner);
  };
  const Index rows = unit_of(rows_, kRowsOfBlock);
  const Index columns = unit_of(columns_, kColumnsOfBlock);
  const Index row_units = (rows_.size + rows - 1) / rows;
  const Index column_units = (columns_.size + columns - 1) / columns;
  const Index units = batch_.size * row_units * column_units;
  const auto run = [&](const auto& worker) {
    const Status done = ParallelFor(static_cast<std::size_t>(units), [&](std::size_t unit) {
      const auto u = static_cast<Index>(unit);
      const Index r = u % row_units * rows;
      const Index c = u / row_units % column_units * columns;
      worker.Run({.batch = u / row_units / column_units,
                  .rows = {r, std::min(r + rows, rows_.size)},
                  .columns = {c, std::min(c + columns, columns_.size)}});
      return OkStatus();
    });
    FLAIR_CHECK(done.ok()) << "a sum cannot fail";
  };
  const Index exact = ExactDepth(LargestSize(a), LargestSize(b));
  const Index depth = std::min(kDepthOfBlock, depth_.size);
  if (exact >= std::min<Index>(depth, 16)) {
    run(Worker<double>(*this, kernels_.doubles, std::min(depth, exact), a.data(), b.data(),
                       out.data()));
  } else {
    run(Worker<std::uint64_t>(*this, kernels_.integers, depth, a.data(), b.data(), out.data()));
  }
}

}  // namespace flair::circuit
