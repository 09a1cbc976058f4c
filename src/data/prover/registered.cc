// SPDX-License-Identifier: Apache-2.0
#include "data/prover/registered.h"

#include <functional>
#include <memory>
#include <span>
#include <utility>

#include "base/disk.h"
#include "base/path.h"
#include "base/utf8.h"
#include "data/column.h"
#include "data/prover/leaves_file.h"
#include "data/prover/secret.h"
#include "program/shapes.h"
#include "zk/prover/training_prover.h"

namespace flair::data {
namespace {

struct Columns {
  std::vector<CardColumn> columns;
  program::DataSet set;
};

Result<std::vector<SourceColumn>> ChosenFrom(Env& env, const std::string& path,
                                             const std::vector<Choice>& choices) {
  FLAIR_TRY(const Source source, OpenSource(env, path));
  std::vector<SourceColumn> chosen = source.columns;
  if (!choices.empty()) {
    FLAIR_TRY(chosen, Choose(source, choices));
  }
  FLAIR_DO(CheckRecords(chosen));
  return chosen;
}

// Reads the columns that the card has, or makes it up.
Result<Columns> ReadColumns(const std::vector<SourceColumn>& sources,
                            const std::function<Result<CardColumn>(std::size_t)>& column_of) {
  Columns read;
  read.set.rows = static_cast<std::uint32_t>(sources[0].num_records());
  for (std::size_t i = 0; i < sources.size(); ++i) {
    FLAIR_TRY(CardColumn column, column_of(i));
    FLAIR_TRY(circuit::Ints values, ReadColumn(sources[i], column));
    read.columns.push_back(std::move(column));
    read.set.columns.push_back(std::move(values));
  }
  return read;
}

Result<std::shared_ptr<const zk::RowSource>> RowsOf(const Columns& data,
                                                    const zk::MatrixShape& shape) {
  std::vector<zk::DataColumn> laid;
  std::vector<std::span<const std::int64_t>> values;
  for (const CardColumn& column : data.columns) laid.push_back(DataColumnOf(column));
  for (const circuit::Ints& column : data.set.columns) values.emplace_back(column);
  FLAIR_TRY(const zk::LongLived layout, zk::DataLayout(laid, data.set.rows));
  FLAIR_TRY(std::vector<std::uint64_t> cells, zk::DataCells(laid, layout, data.set.rows, values));
  cells.resize(shape.num_rows * shape.num_columns());
  return std::shared_ptr<const zk::RowSource>(
      std::make_shared<zk::StoredRows>(std::move(cells), shape.num_columns()));
}

Status WriteLeavesOf(Env& env, const std::string& folder, const zk::CommittedMatrix& matrix) {
  return WriteLeaves(
      env, JoinPath(folder, kLeavesFile),
      {.origin = matrix.origin(), .leaves = {matrix.leaves().begin(), matrix.leaves().end()}});
}

// The matrix of a card, from its leaves where they are kept.
Result<zk::CommittedMatrix> Recommit(Env& env, const std::string& folder, const DataCard& card,
                                     const Columns& data, const Digest& seed) {
  FLAIR_TRY(const auto rows, RowsOf(data, card.shape));
  if (auto kept = ReadLeaves(env, JoinPath(folder, kLeavesFile), card.shape.n())) {
    FLAIR_TRY(auto restored, zk::CommittedMatrix::Restore(card.shape, rows, seed, kept->origin,
                                                          std::move(kept->leaves)));
    if (restored && restored->root() == card.root) return *std::move(restored);
  }
  FLAIR_TRY(zk::CommittedMatrix matrix, zk::CommittedMatrix::Commit(card.shape, rows, seed));
  // Nobody misses them but the next proof's time.
  if (matrix.root() == card.root) (void)WriteLeavesOf(env, folder, matrix);
  return matrix;
}

Status WriteCard(Env& env, const std::string& folder, const DataCard& card) {
  return WriteFileAtomically(env, JoinPath(folder, kCardFile), AsBytes(EncodeCard(card)));
}

Result<Secret> ReadSecret(Env& env, const std::string& folder) {
  const std::string path = JoinPath(folder, kSecretFile);
  if (!Exists(env, path)) {
    return Error(ErrorCode::kNotFound, path + " is gone")
        .WithHint(
            "it is the commitment's secret: restore it from its backup; without it nothing can "
            "be proven about these data");
  }
  FLAIR_TRY(const Bytes bytes, ReadFile(env, path, kMaxSecretBytes));
  auto secret = DecodeSecret(AsText(bytes));
  if (!secret.ok()) return std::move(secret).error().In(path);
  return secret;
}

// The array as the card has it, or what is different.
Result<CardColumn> SameColumn(const SourceColumn& source, const CardColumn& column) {
  FLAIR_TRY(CardColumn found, ColumnFor(source, {.name = column.name,
                                                 .row = column.dims,
                                                 .format = column.format,
                                                 .classes = column.classes}));
  if (found == column) return found;
  return Error(ErrorCode::kInvalidArgument,
               "column '" + column.name + "' is " + ToText(found) + " and was " + ToText(column));
}

Error Changed(const DataCard& card, const Secret& secret, const std::string& what) {
  return Error(ErrorCode::kConflict,
               secret.source + ": the data are no longer those of '" + card.name + "'" + what)
      .WithHint("register them anew, or bring the old ones back");
}

Result<Columns> ReadAgain(Env& env, const DataCard& card, const Secret& secret) {
  FLAIR_TRY(const std::vector<SourceColumn> sources,
            ChosenFrom(env, secret.source, secret.choices));
  if (sources.size() != card.columns.size() || sources[0].num_records() != card.num_records) {
    return Changed(card, secret, ": other columns or records");
  }
  auto read =
      ReadColumns(sources, [&](std::size_t i) { return SameColumn(sources[i], card.columns[i]); });
  // What the card's columns do not hold was not there when it was made.
  if (!read.ok() && read.error().code() == ErrorCode::kInvalidArgument) {
    return Changed(card, secret, ": " + read.error().message());
  }
  return read;
}

// The secret is JSON.
Status CheckTexts(const RegisterRequest& request) {
  bool valid = IsValidUtf8(request.source);
  for (const Choice& choice : request.choices) valid = valid && IsValidUtf8(choice.source);
  if (valid) return OkStatus();
  return Error(ErrorCode::kInvalidArgument, "a path or column of the source is no UTF-8");
}

}  // namespace

Result<DataCard> RegisterData(Env& env, const std::string& folder, const RegisterRequest& request) {
  if (!IsDataName(request.name)) {
    return Error(ErrorCode::kInvalidArgument, std::string(kDataNameRule));
  }
  if (request.openings == 0) {
    return Error(ErrorCode::kInvalidArgument, "a commitment that serves no proof");
  }
  FLAIR_DO(CheckTexts(request));
  if (Exists(env, JoinPath(folder, kCardFile))) {
    return Error(ErrorCode::kAlreadyExists, folder + " holds a registered data set")
        .WithHint("`flair data refresh` gives it a new commitment");
  }
  FLAIR_TRY(const std::vector<SourceColumn> sources,
            ChosenFrom(env, request.source, request.choices));
  if (!request.wanted.empty() && request.wanted.size() != sources.size()) {
    return Error(ErrorCode::kInvalidArgument,
                 "the program reads " + std::to_string(request.wanted.size()) + " columns, and " +
                     std::to_string(sources.size()) + " are chosen");
  }
  if (sources[0].num_records() > ~std::uint32_t{0}) {
    return Error(ErrorCode::kInvalidArgument, "more than 2^32 - 1 records");
  }
  FLAIR_TRY(const Columns data, ReadColumns(sources, [&](std::size_t i) {
              return request.wanted.empty() ? InferColumn(sources[i])
                                            : ColumnFor(sources[i], request.wanted[i]);
            }));
  DataCard card{.name = request.name, .num_records = data.set.rows, .columns = data.columns};
  FLAIR_TRY(const zk::LongLived layout, LayoutOf(card.columns, card.num_records));
  FLAIR_TRY(card.shape,
            zk::LongLivedShape(layout.num_cells, zk::MatrixKind::kData, request.openings));
  FLAIR_DO(
      CheckFreeSpace(env, folder, LeavesBytes(card.shape.n()) + kMaxSecretBytes + kMaxCardBytes));
  Secret secret{.key = {}, .source = request.source, .choices = request.choices};
  if (secret.choices.empty()) {  // what a folder gains later is none of the data
    for (const SourceColumn& source : sources) {
      secret.choices.push_back({.name = source.name, .source = source.name});
    }
  }
  env.RandomBytes(secret.key.bytes);
  FLAIR_TRY(const auto rows, RowsOf(data, card.shape));
  FLAIR_TRY(const zk::CommittedMatrix matrix,
            zk::CommittedMatrix::Commit(card.shape, rows, SeedOf(secret, card.generation)));
  card.root = matrix.root();
  FLAIR_DO(CheckCard(card));
  FLAIR_DO(MakeDirs(env, folder));
  const std::string parent = ParentPath(folder);
  FLAIR_DO(env.SyncDir(parent.empty() ? "." : parent));
  FLAIR_DO(WriteFileAtomically(env, JoinPath(folder, kSecretFile), AsBytes(EncodeSecret(secret)),
                               WriteMode::kCreatePrivate));
  FLAIR_DO(WriteLeavesOf(env, folder, matrix));
  FLAIR_DO(WriteCard(env, folder, card));  // last: a folder without a card is none
  return card;
}

Result<DataCard> ReadCard(Env& env, const std::string& folder) {
  const std::string path = JoinPath(folder, kCardFile);
  if (!Exists(env, path)) {
    return Error(ErrorCode::kNotFound, folder + " holds no registered data set")
        .WithHint("`flair data register` makes one");
  }
  FLAIR_TRY(const Bytes bytes, ReadFile(env, path, kMaxCardBytes));
  auto card = DecodeCard(AsText(bytes));
  if (!card.ok()) return std::move(card).error().In(path);
  return card;
}

std::uint64_t OpenBytes(const DataCard& card) {
  std::uint64_t values = 0;
  for (const CardColumn& column : card.columns) {
    values += card.num_records * program::NumElements(column.dims);
  }
  return (values + card.shape.num_rows * card.shape.num_columns()) * sizeof(std::int64_t) +
         2 * card.shape.n() * Digest::kBytes;
}

Result<HeldData> OpenData(Env& env, const std::string& folder) {
  FLAIR_TRY(DataCard card, ReadCard(env, folder));
  FLAIR_TRY(const Secret secret, ReadSecret(env, folder));
  FLAIR_TRY(Columns data, ReadAgain(env, card, secret));
  FLAIR_TRY(zk::CommittedMatrix matrix,
            Recommit(env, folder, card, data, SeedOf(secret, card.generation)));
  if (matrix.root() != card.root) return Changed(card, secret, "");
  return HeldData{.card = std::move(card), .set = std::move(data.set), .matrix = std::move(matrix)};
}

Result<CommittedAnew> CommitAnew(Env& env, const std::string& folder) {
  FLAIR_TRY(HeldData held, OpenData(env, folder));
  FLAIR_TRY(const Secret secret, ReadSecret(env, folder));
  DataCard card = held.card;
  if (++card.generation > kMaxGenerations) {
    return Error(ErrorCode::kConflict, "the data were refreshed too often; register them anew");
  }
  FLAIR_TRY(const auto rows,
            RowsOf({.columns = card.columns, .set = std::move(held.set)}, card.shape));
  FLAIR_TRY(zk::CommittedMatrix after,
            zk::CommittedMatrix::Commit(card.shape, rows, SeedOf(secret, card.generation)));
  card.root = after.root();
  return CommittedAnew{.old_card = std::move(held.card),
                       .card = std::move(card),
                       .before = std::move(held.matrix),
                       .after = std::move(after)};
}

Status ReplaceCard(Env& env, const std::string& folder, const DataCard& card) {
  return WriteCard(env, folder, card);
}

Result<DataCard> RefreshData(Env& env, const std::string& folder) {
  FLAIR_TRY(CommittedAnew anew, CommitAnew(env, folder));
  FLAIR_DO(ReplaceCard(env, folder, anew.card));
  return std::move(anew.card);
}

}  // namespace flair::data
