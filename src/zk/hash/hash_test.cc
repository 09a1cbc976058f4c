// Leaves and trees: the vectors of reference/foundation.py, and attack 31.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "zk/hash/leaf.h"
#include "zk/hash/merkle.h"
#include "zk/hash/merkle_tree.h"
#include "zk/vectors_testing.h"

namespace flair::zk {
namespace {

const json::value& Vectors() {
  static const json::value vectors = ReadVectors("zk_foundation.json").at("merkle");
  return vectors;
}

std::vector<Digest> Leaves(std::size_t n) {
  std::vector<Digest> leaves(n);
  for (std::size_t i = 0; i < n; ++i) {
    leaves[i].bytes[0] = static_cast<std::byte>(i);
    leaves[i].bytes[1] = static_cast<std::byte>(i >> 8);
  }
  return leaves;
}

std::vector<Digest> At(const std::vector<Digest>& leaves,
                       const std::vector<std::uint64_t>& indices) {
  std::vector<Digest> chosen;
  for (const std::uint64_t i : indices) chosen.push_back(leaves[i]);
  return chosen;
}

TEST(LeafTest, ReferenceLeavesWholeAndTileByTile) {
  for (const json::value& v : Vectors().at("leaves").as_array()) {
    std::vector<Fp> values;
    std::vector<std::uint64_t> words;
    for (const json::value& element : v.at("column").as_array()) {
      words.push_back(std::stoull(std::string(element.as_string())));
      values.emplace_back(words.back());
    }
    const auto column = v.at("index").to_number<std::uint64_t>();
    const Salt salt = Dig(v.at("salt"));
    EXPECT_EQ(ColumnLeaf(column, salt, values), Dig(v.at("leaf")));

    const std::vector<Salt> salts(column + 1, salt);
    // Backwards: the column comes first.
    ColumnHasher hasher(values.size(), salts, [&](std::uint64_t slot) { return column - slot; });
    std::size_t row = 0;
    for (; row + kTileRows <= words.size(); row += kTileRows) hasher.Absorb(0, &words[row]);
    EXPECT_EQ(hasher.Finish(0, std::span(words).subspan(row)), Dig(v.at("leaf")));
  }
}

TEST(LeafTest, PlaceRowsAndSaltAreBound) {
  const std::vector<Fp> column = {1, 2, 3};
  Salt salt;
  const Digest leaf = ColumnLeaf(5, salt, column);
  EXPECT_NE(ColumnLeaf(6, salt, column), leaf);
  EXPECT_NE(ColumnLeaf(5, salt, std::vector<Fp>{1, 2, 3, 0}), leaf);
  salt.bytes[31] = std::byte{1};
  EXPECT_NE(ColumnLeaf(5, salt, column), leaf);
}

TEST(MerkleTest, ReferenceRootAndPaths) {
  std::vector<Digest> leaves;
  for (const json::value& leaf : Vectors().at("tree").as_array()) leaves.push_back(Dig(leaf));
  const MerkleTree tree(leaves);
  EXPECT_EQ(tree.root(), Dig(Vectors().at("root")));
  for (const json::value& v : Vectors().at("paths").as_array()) {
    std::vector<std::uint64_t> indices;
    std::vector<Digest> path;
    for (const json::value& i : v.at("indices").as_array()) {
      indices.push_back(i.to_number<std::uint64_t>());
    }
    for (const json::value& d : v.at("path").as_array()) path.push_back(Dig(d));
    EXPECT_EQ(tree.Path(indices), path);
    EXPECT_EQ(RootOf(tree.log_n(), indices, At(leaves, indices), path).value(), tree.root());
  }
}

TEST(MerkleTest, EverySetOfLeavesOpens) {
  for (unsigned log_n = 0; log_n <= 3; ++log_n) {
    const auto leaves = Leaves(std::size_t{1} << log_n);
    const MerkleTree tree(leaves);
    for (unsigned set = 1; set < 1U << leaves.size(); ++set) {
      std::vector<std::uint64_t> indices;
      for (std::size_t i = 0; i < leaves.size(); ++i) {
        if (set >> i & 1) indices.push_back(i);
      }
      const auto path = tree.Path(indices);
      EXPECT_EQ(path.size(), PathLength(log_n, indices));
      EXPECT_EQ(RootOf(log_n, indices, At(leaves, indices), path).value(), tree.root());
    }
  }
}

TEST(MerkleTest, ManyThreadsAndManyLeavesGiveTheSameRoot) {
  std::vector<Digest> level = Leaves(1 << 14);
  const MerkleTree tree(level);
  while (level.size() > 1) {
    std::vector<Digest> above;
    for (std::size_t i = 0; i < level.size(); i += 2) {
      above.push_back(NodeDigest(level[i], level[i + 1]));
    }
    level = above;
  }
  EXPECT_EQ(tree.root(), level[0]);
}

// Attack 31: what must not open.
TEST(MerkleTest, LiesAboutThePathAreSeen) {
  const auto leaves = Leaves(16);
  const MerkleTree tree(leaves);
  const std::vector<std::uint64_t> indices = {2, 3, 9};
  const auto opened = At(leaves, indices);
  const auto path = tree.Path(indices);
  const auto code = [&](unsigned log_n, const std::vector<std::uint64_t>& at,
                        const std::vector<Digest>& of, const std::vector<Digest>& with) {
    const auto root = RootOf(log_n, at, of, with);
    if (!root.ok()) {
      return root.error().code() == ErrorCode::kCorrupt ? "corrupt path" : "bad indices";
    }
    return *root == tree.root() ? "opens" : "another root";
  };
  ASSERT_STREQ(code(4, indices, opened, path), "opens");
  // Every digest of leaves and path counts.
  for (std::size_t i = 0; i < opened.size(); ++i) {
    auto changed = opened;
    changed[i].bytes[7] ^= std::byte{1};
    EXPECT_STREQ(code(4, indices, changed, path), "another root");
  }
  for (std::size_t i = 0; i < path.size(); ++i) {
    auto changed = path;
    changed[i].bytes[0] ^= std::byte{128};
    EXPECT_STREQ(code(4, indices, opened, changed), "another root");
  }
  // Longer, shorter, with digests in another order.
  auto longer = path;
  longer.push_back(path[0]);
  EXPECT_STREQ(code(4, indices, opened, longer), "corrupt path");
  EXPECT_STREQ(code(4, indices, opened, {path.begin(), path.end() - 1}), "corrupt path");
  auto swapped = path;
  std::swap(swapped[0], swapped[1]);
  EXPECT_STREQ(code(4, indices, opened, swapped), "another root");
  // Other places, one place twice, none.
  EXPECT_STREQ(code(4, {2, 3, 8}, opened, path), "another root");
  EXPECT_STREQ(code(4, {3, 2, 9}, opened, path), "bad indices");
  EXPECT_STREQ(code(4, {2, 2, 9}, opened, path), "bad indices");
  EXPECT_STREQ(code(4, {2, 3, 16}, opened, path), "bad indices");
  EXPECT_STREQ(code(4, {}, {}, {}), "bad indices");
  // A node shown as a leaf of a smaller tree: the levels are the verifier's, so it has to be
  // shown at its own height, where a leaf's label stands against it.
  const std::vector<std::uint64_t> one = {1};
  const std::vector<Digest> node = {NodeDigest(leaves[2], leaves[3])};
  EXPECT_STREQ(code(4, one, node, tree.Path(one)), "another root");
  EXPECT_STREQ(code(3, one, node, tree.Path(std::vector<std::uint64_t>{2})), "corrupt path");
}

}  // namespace
}  // namespace flair::zk
