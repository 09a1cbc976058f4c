// Messages of proposals and merges.
//
// `raw` is the hub's JSON as it came, for `--json` and for what only people read
// (evidence, checks, reviews).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "object/ids.h"
#include "wire/json.h"

namespace flair::wire {

struct Proposal {
  std::uint64_t number = 0;
  std::string state;  // "open", "merged", "closed"
  std::string title;
  std::string author;  // wallet, base58
  std::string author_handle;
  std::string source_branch;
  std::string target;
  std::string commit;  // 64 hex
  std::string url;
  std::string created_at;
  std::string updated_at;
  std::string raw;
};
Result<Proposal> DecodeProposal(const json::object& o);
Result<Proposal> DecodeProposal(std::string_view text);
// {"proposals": [...]}
Result<std::vector<Proposal>> DecodeProposalList(std::string_view text);

struct MergeRequest {
  std::vector<std::uint64_t> proposals;
  std::string method;   // empty: the policy's or the default
  std::string weights;  // "samples", "equal", "w1,w2,..."; empty: the method's default
  std::string message;
  std::uint64_t time_s = 0;  // of the commit
  std::string author;        // wallet, base58
  std::vector<std::pair<std::string, std::string>> parameters;
};
std::string Encode(const MergeRequest& m);
Result<MergeRequest> DecodeMergeRequest(std::string_view text);

struct MergeConflict {
  std::string path;
  std::string tensor;
  std::string reason;
};

struct PreparedMerge {
  std::string merge;  // id; empty with conflicts
  Bytes commit_body;
  std::string commit_id;  // 64 hex, as the hub says; the client recomputes it
  std::vector<MergeConflict> conflicts;
  std::string raw;
};
Result<PreparedMerge> DecodePreparedMerge(std::string_view text);

struct MergeResult {
  CommitId commit;
  std::string raw;
};
Result<MergeResult> DecodeMergeResult(std::string_view text);

}  // namespace flair::wire
