// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

namespace flair::cli {

ExitCode ExitCodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kConflict:
    case ErrorCode::kPolicyViolation:
      return ExitCode::kConflict;
    case ErrorCode::kUnauthorised:
      return ExitCode::kUnauthorised;
    case ErrorCode::kRejected:
    case ErrorCode::kCorrupt:
      return ExitCode::kIntegrity;
    case ErrorCode::kCancelled:
      return ExitCode::kInterrupted;
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kNotFound:
    case ErrorCode::kIo:
    case ErrorCode::kUnsupported:
    case ErrorCode::kUnavailable:
    case ErrorCode::kNoSpace:
    case ErrorCode::kAlreadyExists:
      return ExitCode::kFailed;
  }
  return ExitCode::kFailed;
}

std::string_view ErrorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "invalid_argument";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kCorrupt:
      return "corrupt";
    case ErrorCode::kRejected:
      return "rejected";
    case ErrorCode::kIo:
      return "io";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kConflict:
      return "conflict";
    case ErrorCode::kPolicyViolation:
      return "policy_violation";
    case ErrorCode::kUnauthorised:
      return "unauthorised";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kNoSpace:
      return "no_space";
    case ErrorCode::kAlreadyExists:
      return "already_exists";
  }
  return "failed";
}

}  // namespace flair::cli
