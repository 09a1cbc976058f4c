// Messages of fetch and push.
//
// Place: wire; spoken by remote/transfer and hub/routes/transfer. Format and limits:
// docs/formats/wire.md. Invariant: whatever Decode returns is within limits.h, ids
// are well formed, pack names are file names of the store and nothing else.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "object/ids.h"
#include "wire/json.h"

namespace flair::wire {

using ObjectName = std::pair<ObjectKind, Digest>;  // "commit:<64 hex>" as text
std::string ToText(const ObjectName& name);
Result<ObjectName> ParseObjectName(std::string_view text);

// "<64 hex>.pack". Errors: kInvalidArgument.
Status CheckPackName(std::string_view name);
// 32 hex digits. Errors: kInvalidArgument.
Status CheckPushId(std::string_view id);

// --- POST .../fetch -----------------------------------------------------------
struct FetchRequest {
  std::vector<CommitId> wants;
  std::vector<CommitId> haves;
  std::vector<Digest> have_contents;  // stored here already, whatever the haves reach
  // A shallow or partial clone: its haves stop the walk over commits, but only
  // have_contents are held; objects of the new commits come complete.
  bool partial = false;
  std::string tensors_glob;  // contents of other tensors stay on the hub; empty: all
  std::uint32_t depth = 0;   // commits from each want; 0: all
};
std::string Encode(const FetchRequest& m);
Result<FetchRequest> DecodeFetchRequest(std::string_view text);

// Whole records of one pack, back to back.
struct Piece {
  std::string pack;
  std::uint64_t offset = 0;
  std::uint64_t length_bytes = 0;
  // Every content begun so far is complete after this piece: a receiver may commit.
  bool seal = false;
  bool operator==(const Piece&) const = default;
};

struct FetchPlan {
  std::vector<ObjectName> objects;  // what the pieces bring, attachments included
  std::vector<Piece> pieces;        // `records`: in the order a receiver applies them
  std::vector<CommitId> shallow;    // their parents were cut off by depth
  std::uint64_t total_bytes = 0;
  bool operator==(const FetchPlan&) const = default;
};
std::string Encode(const FetchPlan& m);
Result<FetchPlan> DecodeFetchPlan(std::string_view text);

// --- POST .../pushes ----------------------------------------------------------
struct PushRequest {
  std::string target;         // branch, "main"
  std::string source_branch;  // the pusher's local branch
  CommitId tip;
  std::vector<ObjectName> objects;  // what the hub may lack
  std::vector<Digest> contents;
};
std::string Encode(const PushRequest& m);
Result<PushRequest> DecodePushRequest(std::string_view text);

struct PushState {
  std::string push;  // id, 32 hex
  std::vector<ObjectName> missing_objects;
  std::vector<Digest> missing_contents;
  std::uint64_t offset = 0;  // of the upload
};
std::string Encode(const PushState& m);
Result<PushState> DecodePushState(std::string_view text);

// --- POST .../pushes/{id}/finish ------------------------------------------------
struct FinishRequest {
  std::uint64_t upload_bytes = 0;  // the whole upload; the hub refuses another length
  std::vector<AttachmentId> attachments;
  std::optional<CommitId> expected_old;  // absent: wherever the target is
  std::string title;                     // of a new proposal
};
std::string Encode(const FinishRequest& m);
Result<FinishRequest> DecodeFinishRequest(std::string_view text);

struct PushCheck {
  std::string name;
  bool passed = false;
  std::string detail;
  bool operator==(const PushCheck&) const = default;
};
struct FinishResult {
  bool working = false;  // 202: checks still run; ask again
  bool moved = false;    // the target's ref moved; else a proposal
  CommitId commit;
  std::uint64_t proposal_number = 0;  // 0: none
  std::string proposal_url;
  std::string evidence_json;  // one JSON object; empty: none
  std::vector<PushCheck> checks;
  bool operator==(const FinishResult&) const = default;
};
std::string Encode(const FinishResult& m);
Result<FinishResult> DecodeFinishResult(std::string_view text);

}  // namespace flair::wire
