// What tests of whole openings share: randomness that follows from a number, claims on random
// cells, and a script at both ends.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/mem_env.h"
#include "zk/poly/eq.h"
#include "zk/prover/batch_prover.h"
#include "zk/verifier/batch_verifier.h"

namespace flair::zk {

inline Digest SeedOf(std::uint64_t number) {
  Digest seed;
  for (std::size_t i = 0; i < 8; ++i) seed.bytes[i] = static_cast<std::byte>(number >> (8 * i));
  return seed;
}

// Its random bytes are those of MemEnv from another place on. REQUIRES: a small number.
inline std::unique_ptr<Env> SeededEnv(std::uint64_t number) {
  auto env = std::make_unique<MemEnv>();
  Bytes skipped(number);
  env->RandomBytes(skipped);
  return env;
}

inline Fp2 RandomElement(std::mt19937_64& random) {
  const Fp a(random());
  const Fp b(random());
  return {a, b};
}

inline std::vector<std::uint64_t> RandomCells(const MatrixShape& shape, std::mt19937_64& random) {
  std::vector<std::uint64_t> cells(shape.num_rows * shape.num_columns());
  for (std::uint64_t& cell : cells) cell = Fp(random()).value();
  return cells;
}

// What is claimed, by definition.
inline Fp2 ValueOn(std::span<const std::uint64_t> cells, const std::vector<Block>& blocks) {
  Fp2 value;
  for (const Block& block : blocks) {
    for (std::uint64_t x = 0; x < std::uint64_t{1} << block.point.size(); ++x) {
      value += block.coefficient * EqAt(block.point, x) * Fp(cells[block.offset + x]);
    }
  }
  return value;
}

// Blocks of up to two rows, where there are two.
inline std::vector<Block> RandomBlocks(const MatrixShape& shape, int count,
                                       std::mt19937_64& random) {
  const std::uint64_t num_cells = shape.num_rows * shape.num_columns();
  std::vector<Block> blocks;
  for (int i = 0; i < count; ++i) {
    const unsigned most = shape.log_columns + (shape.num_rows > 1 ? 1 : 0);
    const std::size_t variables = random() % (most + 1);
    const std::uint64_t size = std::uint64_t{1} << variables;
    Block block{.coefficient = RandomElement(random), .offset = 0, .point = {}};
    block.offset = random() % (num_cells / size) * size;
    while (block.point.size() < variables) block.point.push_back(RandomElement(random));
    blocks.push_back(std::move(block));
  }
  return blocks;
}

// What both ends do with values before the opening, and the claims that come of it.
using Script = std::function<std::vector<Claim>(Channel&, Transcript&)>;

struct Proven {
  std::vector<Digest> roots;  // the witness's, then the long-lived ones'
  std::vector<Digest> companions;
  BatchProof proof;
};

inline Proven ProveScript(const BatchPlan& plan, std::shared_ptr<const RowSource> data,
                          const std::vector<const CommittedMatrix*>& long_lived, Env& env,
                          Transcript& transcript, const Script& script) {
  BatchProver prover = BatchProver::Commit(plan, std::move(data), long_lived, env).value();
  Proven proven;
  proven.roots = {prover.witness_root()};
  for (const CommittedMatrix* matrix : long_lived) proven.roots.push_back(matrix->root());
  proven.companions = prover.companion_roots();
  prover.AbsorbRoots(transcript);
  const std::vector<Claim> claims = script(prover, transcript);
  proven.proof = prover.Prove(transcript, claims).value();
  return proven;
}

// "accepted", or why not.
inline std::string JudgeScript(const BatchPlan& plan, const Proven& proven, Transcript& transcript,
                               const Script& script) {
  auto verifier = BatchVerifier::Begin(plan, proven.roots, proven.companions, proven.proof);
  if (!verifier.ok()) return verifier.error().message();
  verifier->AbsorbRoots(transcript);
  const std::vector<Claim> claims = script(*verifier, transcript);
  const Status checked = verifier->Check(transcript, claims);
  return checked.ok() ? "accepted" : checked.error().message();
}

}  // namespace flair::zk
