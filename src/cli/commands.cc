// The table of commands, in the order of the help.
// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

namespace flair::cli {

extern const CommandSpec kWalletCommand;
extern const CommandSpec kInitCommand;
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
extern const CommandSpec kFsckCommand;
extern const CommandSpec kGcCommand;

std::span<const CommandSpec* const> AllCommands() {
  static const CommandSpec* const kCommands[] = {
      &kWalletCommand,     &kInitCommand,    &kAddCommand,    &kRmCommand,     &kMvCommand,
      &kStatusCommand,     &kRestoreCommand, &kCommitCommand, &kLogCommand,    &kShowCommand,
      &kBlameCommand,      &kReflogCommand,  &kDiffCommand,   &kBranchCommand, &kSwitchCommand,
      &kTagCommand,        &kAliasCommand,   &kMergeCommand,  &kRevertCommand, &kResetCommand,
      &kCherryPickCommand, &kUndoCommand,    &kFsckCommand,   &kGcCommand};
  return kCommands;
}

}  // namespace flair::cli
