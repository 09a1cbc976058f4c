// SPDX-License-Identifier: Apache-2.0
#include "hub/context.h"

#include <algorithm>

#include "base/check.h"

namespace flair::hub {

Status HubContext::CheckDisk(std::uint64_t about_to_write_bytes) const {
  FLAIR_TRY(const std::uint64_t free_bytes, env.FreeSpaceBytes(data_dir));
  if (free_bytes >= low_water_bytes && free_bytes - low_water_bytes >= about_to_write_bytes) {
    return OkStatus();
  }
  return Error(ErrorCode::kNoSpace, "the hub's disk is nearly full (" +
                                        std::to_string(free_bytes >> 20) +
                                        " MiB left): it serves reads only")
      .WithHint("the hub's operator must free space; nothing was stored");
}

void Handlers::Add(std::string_view name, Handler handler) {
  const auto rows = Endpoints();
  FLAIR_CHECK(
      std::any_of(rows.begin(), rows.end(), [&](const Endpoint& e) { return e.name == name; }))
      << "no endpoint named " << name;
  FLAIR_CHECK(by_name_.emplace(name, std::move(handler)).second) << name << " has two handlers";
}

const Handler* Handlers::Find(std::string_view name) const {
  const auto found = by_name_.find(std::string(name));
  return found == by_name_.end() ? nullptr : &found->second;
}

}  // namespace flair::hub
