// SPDX-License-Identifier: Apache-2.0
#include "zk/training/training_proof.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace flair::zk {
namespace {

constexpr std::string_view kMagic = "FLPR";
constexpr std::uint16_t kVersion = 1;
constexpr std::uint16_t kParameters = 1;
constexpr std::size_t kStatementAt = 8;

Error Bad(const std::string& what) { return {ErrorCode::kCorrupt, "proof: " + what}; }

void Put(Bytes& out, Fp v) { AppendLe64(out, v.value()); }
void Put(Bytes& out, const std::vector<Fp2>& values) {
  for (const Fp2& v : values) {
    Put(out, v.a);
    Put(out, v.b);
  }
}

void Put(Bytes& out, const OpenedMatrix& matrix) {
  for (const std::vector<Fp>& column : matrix.columns) {
    for (const Fp v : column) Put(out, v);
  }
  for (const Salt& salt : matrix.salts) Append(out, salt.view());
  AppendLe64(out, matrix.path.size());
  for (const Digest& digest : matrix.path) Append(out, digest.view());
}
// All but the root.
void Put(Bytes& out, const TailProof& tail) {
  Put(out, tail.values);
  for (const auto& [at_0, at_2] : tail.rounds) Put(out, {at_0, at_2});
  Put(out, tail.opening.combined_row);
  AppendLe64(out, tail.nonce);
  for (const OpenedMatrix& matrix : tail.opening.matrices) Put(out, matrix);
}

// Takes the bytes apart; remembers the first thing that is wrong.
class Reader {
 public:
  explicit Reader(ByteView bytes) : bytes_(bytes) {}

  // So many things of `size` bytes each. A count may be what hostile bytes say.
  bool Has(std::uint64_t count, std::size_t size = 1) {
    if (count <= (bytes_.size() - at_) / size) return true;
    Fail("it is cut off");
    return false;
  }
  void Fail(const char* why) {
    if (!wrong_) wrong_ = why;
    at_ = bytes_.size();
  }
  std::uint64_t Take64() {
    if (!Has(8)) return 0;
    const std::uint64_t v = LoadLe64(bytes_.subspan(at_));
    at_ += 8;
    return v;
  }
  Digest TakeDigest() {
    Digest digest;
    if (!Has(Digest::kBytes)) return digest;
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), Digest::kBytes,
                digest.bytes.begin());
    at_ += Digest::kBytes;
    return digest;
  }
  Fp TakeElement() {
    const auto v = Fp::FromCanonical(Take64());
    if (!v) Fail("an element of p or more");
    return v.value_or(Fp());
  }
  std::vector<Fp> TakeColumn(std::uint64_t count) {
    std::vector<Fp> values;
    if (!Has(count, Fp::kBytes)) return values;
    values.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) values.push_back(TakeElement());
    return values;
  }
  std::vector<Fp2> TakeElements(std::uint64_t count) {
    std::vector<Fp2> values;
    if (!Has(count, Fp2::kBytes)) return values;
    values.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
      const Fp a = TakeElement();
      values.push_back({a, TakeElement()});
    }
    return values;
  }
  std::vector<Digest> TakeDigests(std::uint64_t count) {
    std::vector<Digest> digests;
    if (!Has(count, Digest::kBytes)) return digests;
    for (std::uint64_t i = 0; i < count; ++i) digests.push_back(TakeDigest());
    return digests;
  }
  Status Finish() {
    if (!wrong_ && at_ != bytes_.size()) wrong_ = "bytes behind its end";
    if (wrong_) return Bad(wrong_);
    return OkStatus();
  }

 private:
  ByteView bytes_;
  std::size_t at_ = 0;
  const char* wrong_ = nullptr;
};

OpenedMatrix TakeMatrix(Reader& in, const MatrixShape& shape, std::uint64_t num_queries) {
  OpenedMatrix opened;
  for (std::uint64_t i = 0; i < num_queries; ++i) {
    opened.columns.push_back(in.TakeColumn(shape.num_rows));
    if (opened.columns.back().size() != shape.num_rows) return opened;
  }
  opened.salts = in.TakeDigests(num_queries);
  opened.path = in.TakeDigests(in.Take64());
  return opened;
}

void TakeTail(Reader& in, const TailPlan& plan, std::size_t num_groups, TailProof& tail) {
  tail.values = in.TakeElements(num_groups);
  for (unsigned i = 0; i < plan.num_variables(); ++i) {
    const std::vector<Fp2> round = in.TakeElements(2);
    if (round.size() == 2) tail.rounds.push_back({round[0], round[1]});
  }
  tail.opening.combined_row = in.TakeElements(plan.shape.row_length());
  tail.nonce = in.Take64();
  tail.opening.matrices.push_back(TakeMatrix(in, plan.shape, plan.num_queries));
}

}  // namespace

Bytes EncodeProof(const TrainingProof& proof) {
  Bytes out = ToBytes(kMagic);
  AppendLe(out, kVersion);
  AppendLe(out, kParameters);
  Append(out, proof.statement.view());
  Append(out, proof.witness_root.view());
  for (const Digest& root : proof.companion_roots) Append(out, root.view());
  if (proof.opening.tail) Append(out, proof.opening.tail->root.view());
  AppendLe64(out, proof.lookup_nonce);
  AppendLe64(out, proof.opening.nonce);
  Put(out, proof.opening.masked);
  for (const GroupOpening& group : proof.opening.groups) {
    Put(out, group.combined_row);
    for (const OpenedMatrix& matrix : group.matrices) Put(out, matrix);
  }
  for (const auto* message : {&proof.opening.mask.low_degree, &proof.opening.mask.linear,
                              &proof.opening.mask.quadratic}) {
    Put(out, *message);
  }
  if (proof.opening.tail) Put(out, *proof.opening.tail);
  return out;
}

Result<Digest> StatementOf(ByteView bytes) {
  if (bytes.size() < kStatementAt + Digest::kBytes) return Bad("it is cut off");
  if (AsText(bytes.first(4)) != kMagic) return Bad("it is none");
  if (LoadLe16(bytes.subspan(4)) != kVersion || LoadLe16(bytes.subspan(6)) != kParameters) {
    return Error(ErrorCode::kUnsupported, "proof: a version that this build does not know");
  }
  return Digest::FromBytes(bytes.subspan(kStatementAt, Digest::kBytes));
}

Result<TrainingProof> DecodeProof(const BatchPlan& plan, ByteView bytes) {
  TrainingProof proof;
  FLAIR_TRY(proof.statement, StatementOf(bytes));
  Reader in(bytes.subspan(kStatementAt + Digest::kBytes));
  proof.witness_root = in.TakeDigest();
  for (const BatchPlan::Group& group : plan.groups()) {
    if (group.companion) proof.companion_roots.push_back(in.TakeDigest());
  }
  if (plan.tail() != nullptr) proof.opening.tail.emplace().root = in.TakeDigest();
  proof.lookup_nonce = in.Take64();
  proof.opening.nonce = in.Take64();
  proof.opening.masked = in.TakeElements(plan.mask().num_pads() + 2 * plan.mask().num_triples());
  for (const BatchPlan::Group& group : plan.groups()) {
    GroupOpening opening;
    if (plan.tail() == nullptr) {
      opening.combined_row = in.TakeElements(plan.matrices()[group.members[0]].row_length());
    }
    for (const std::size_t m : group.members) {
      opening.matrices.push_back(TakeMatrix(in, plan.matrices()[m], group.num_queries));
    }
    if (group.companion) {
      opening.matrices.push_back(TakeMatrix(in, *group.companion, group.num_queries));
    }
    proof.opening.groups.push_back(std::move(opening));
  }
  proof.opening.mask.low_degree = in.TakeElements(plan.mask().low_degree_size());
  proof.opening.mask.linear = in.TakeElements(plan.mask().linear_size());
  proof.opening.mask.quadratic = in.TakeElements(plan.mask().quadratic_size());
  if (plan.tail() != nullptr) {
    TakeTail(in, *plan.tail(), plan.groups().size(), *proof.opening.tail);
  }
  FLAIR_DO(in.Finish());
  return proof;
}

}  // namespace flair::zk
