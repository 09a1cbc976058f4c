// Registered data: a data set with the commitment to it, as its holder keeps it.
//
//   FOLDER/card.json     the card: for everybody (card.h)
//   FOLDER/secret.json   mode 0600: what the commitment's seed follows from, and where the data lie
//   FOLDER/leaves.bin    mode 0600: the commitment's leaves, made again when they are gone
//   FOLDER/openings/     which columns of the matrix proofs have shown (proof/prover)
//
// The data are not copied: they are read again where they were, and must be the same.
// Format: docs/formats/data-card.md.
//
// Place: data/prover, over data and zk/prover. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/result.h"
#include "data/card.h"
#include "data/source.h"
#include "program/train.h"
#include "zk/prover/committed_matrix.h"

namespace flair::data {

inline constexpr std::string_view kCardFile = "card.json";
inline constexpr std::string_view kSecretFile = "secret.json";
inline constexpr std::string_view kLeavesFile = "leaves.bin";
inline constexpr std::string_view kOpeningsFolder = "openings";

// Chunks of proofs that a matrix has pads for, unless told otherwise.
inline constexpr std::uint64_t kDefaultOpenings = 128;

struct RegisterRequest {
  std::string name;
  std::string source;           // absolute path of a file or folder
  std::vector<Choice> choices;  // columns to take; empty: all, in order
  // The program's columns, whose names, dims and formats the choices get; empty: inferred.
  std::vector<program::Column> wanted;
  std::uint64_t openings = kDefaultOpenings;
};

// Reads, commits, writes `folder`. Errors: kAlreadyExists when there is one; those of the source
// and its values, naming column, record and value; kNoSpace before the commitment is made where the
// disk cannot hold it; those of the disk, after which the folder holds a whole data set or none.
Result<DataCard> RegisterData(Env& env, const std::string& folder, const RegisterRequest& request);

// The card alone. Errors: kNotFound, kCorrupt.
Result<DataCard> ReadCard(Env& env, const std::string& folder);

// What a data set takes in memory while it is open, by estimate: its values, its commitment's rows,
// its leaves and the tree over them.
std::uint64_t OpenBytes(const DataCard& card);

struct HeldData {
  DataCard card;
  program::DataSet set;
  zk::CommittedMatrix matrix;
};
// Errors: those; kConflict when the data are no longer those of the card.
Result<HeldData> OpenData(Env& env, const std::string& folder);

// The same data under a fresh seed: another matrix, whose columns nobody has seen, and another
// card. Nothing is written. Errors: as OpenData(); kConflict for more generations than there are.
struct CommittedAnew {
  DataCard old_card;
  DataCard card;
  zk::CommittedMatrix before;
  zk::CommittedMatrix after;
};
Result<CommittedAnew> CommitAnew(Env& env, const std::string& folder);

// That card in the place of the old one.
Status ReplaceCard(Env& env, const std::string& folder, const DataCard& card);

// Both, without a proof that the data are the same and without a lock (trainer/refresh_data.h has
// them).
Result<DataCard> RefreshData(Env& env, const std::string& folder);

}  // namespace flair::data
