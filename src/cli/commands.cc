// The table of commands, in the order of the help.
// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

namespace flair::cli {

extern const CommandSpec kWalletCommand;

std::span<const CommandSpec* const> AllCommands() {
  static const CommandSpec* const kCommands[] = {&kWalletCommand};
  return kCommands;
}

}  // namespace flair::cli
