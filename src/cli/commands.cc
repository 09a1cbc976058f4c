// The table of commands, in the order of the help.
// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

namespace flair::cli {

extern const CommandSpec kWalletCommand;
extern const CommandSpec kInitCommand;
extern const CommandSpec kCloneCommand;
extern const CommandSpec kAddCommand;
extern const CommandSpec kRmCommand;
extern const CommandSpec kMvCommand;
extern const CommandSpec kStatusCommand;
extern const CommandSpec kRestoreCommand;
extern const CommandSpec kCommitCommand;
extern const CommandSpec kLogCommand;
extern const CommandSpec kShowCommand;
extern const CommandSpec kBlameCommand;
extern const CommandSpec kReflogCommand;
extern const CommandSpec kDiffCommand;
extern const CommandSpec kBranchCommand;
extern const CommandSpec kSwitchCommand;
extern const CommandSpec kTagCommand;
extern const CommandSpec kAliasCommand;
extern const CommandSpec kMergeCommand;
extern const CommandSpec kRevertCommand;
extern const CommandSpec kResetCommand;
extern const CommandSpec kCherryPickCommand;
extern const CommandSpec kUndoCommand;
extern const CommandSpec kRemoteCommand;
extern const CommandSpec kFetchCommand;
extern const CommandSpec kPullCommand;
extern const CommandSpec kPushCommand;
extern const CommandSpec kProposalCommand;
extern const CommandSpec kPolicyCommand;
extern const CommandSpec kDataCommand;
extern const CommandSpec kTicketCommand;
extern const CommandSpec kProgramCommand;
extern const CommandSpec kTrainCommand;
extern const CommandSpec kProveCommand;
extern const CommandSpec kVerifyCommand;
extern const CommandSpec kWeightsCommand;
extern const CommandSpec kLoginCommand;
extern const CommandSpec kLogoutCommand;
extern const CommandSpec kWhoamiCommand;
extern const CommandSpec kTokenCommand;
extern const CommandSpec kRepoCommand;
extern const CommandSpec kInviteCommand;
extern const CommandSpec kMembersCommand;
extern const CommandSpec kHubCommand;
extern const CommandSpec kFsckCommand;
extern const CommandSpec kGcCommand;
extern const CommandSpec kDoctorCommand;

std::span<const CommandSpec* const> AllCommands() {
  static const CommandSpec* const kCommands[] = {
      &kWalletCommand,  &kInitCommand,       &kCloneCommand,    &kAddCommand,    &kRmCommand,
      &kMvCommand,      &kStatusCommand,     &kRestoreCommand,  &kCommitCommand, &kLogCommand,
      &kShowCommand,    &kBlameCommand,      &kReflogCommand,   &kDiffCommand,   &kBranchCommand,
      &kSwitchCommand,  &kTagCommand,        &kAliasCommand,    &kMergeCommand,  &kRevertCommand,
      &kResetCommand,   &kCherryPickCommand, &kUndoCommand,     &kRemoteCommand, &kFetchCommand,
      &kPullCommand,    &kPushCommand,       &kProposalCommand, &kPolicyCommand, &kDataCommand,
      &kTicketCommand,  &kProgramCommand,    &kTrainCommand,    &kProveCommand,  &kVerifyCommand,
      &kWeightsCommand, &kLoginCommand,      &kLogoutCommand,   &kWhoamiCommand, &kTokenCommand,
      &kRepoCommand,    &kInviteCommand,     &kMembersCommand,  &kHubCommand,    &kFsckCommand,
      &kGcCommand,      &kDoctorCommand};
  return kCommands;
}

}  // namespace flair::cli
