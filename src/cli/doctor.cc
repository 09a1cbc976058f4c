// `flair doctor`: is this machine ready? Keys, clock, hub, frameworks, disk, repository.
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <boost/json/object.hpp>
#include <cstdio>
#include <memory>
#include <ostream>

#include "cli/hub_connection.h"
#include "cli/render.h"
#include "cli/version.h"
#include "remote/keyfile.h"

namespace flair::cli {
namespace {

enum class Health : std::uint8_t { kGood, kNote, kBad };

struct Finding {
  const char* what;
  Health health;
  std::string text;
};

constexpr std::uint64_t kLowDiskBytes = std::uint64_t{1} << 30;
// Before the first release: a clock that says less was never set.
constexpr std::int64_t kEarliestS = 1'735'689'600;  // 2025-01-01

Finding CheckKey(Session& s) {
  const auto path = s.KeypairPath();
  if (!path.ok()) return {"wallet", Health::kBad, path.error().message() + "; flair wallet new"};
  const auto key = ReadKeypair(s.env(), *path);
  if (!key.ok()) return {"wallet", Health::kBad, key.error().message()};
  return {"wallet", Health::kGood, key->wallet().ToBase58() + " (" + *path + ")"};
}

Finding CheckClock(Session& s) {
  const std::int64_t now_s = s.env().NowSeconds();
  const std::string text = FormatTime(static_cast<std::uint64_t>(now_s < 0 ? 0 : now_s));
  if (now_s < kEarliestS) return {"clock", Health::kBad, text + " is in the past; set the clock"};
  return {"clock", Health::kGood, text};
}

Finding CheckHub(Session& s) {
  const auto hub_url = s.DefaultHub();
  if (!hub_url.ok()) return {"hub", Health::kBad, hub_url.error().message()};
  if (hub_url->empty()) return {"hub", Health::kNote, "none yet; flair login HUB"};
  auto hub = Connect(s, *hub_url);
  if (!hub.ok()) return {"hub", Health::kBad, hub.error().message()};
  if ((*hub)->token().empty()) {
    const auto info = (*hub)->HubInfoJson();
    if (!info.ok()) return {"hub", Health::kBad, info.error().message()};
    return {"hub", Health::kNote, *hub_url + " answers; not signed in: flair login " + *hub_url};
  }
  const auto me = (*hub)->GetWhoami();
  if (!me.ok()) return {"hub", Health::kBad, me.error().message()};
  return {"hub", Health::kGood,
          *hub_url + ", signed in as " + (me->handle.empty() ? me->wallet : me->handle)};
}

// Versions without importing: an import of a framework takes seconds.
Finding CheckFrameworks() {
  FILE* pipe = popen(
      "python3 -c \"import importlib.metadata as m\n"
      "for n in ('flair', 'torch', 'tensorflow', 'tensorflow-cpu', 'keras'):\n"
      "    try: print(n, m.version(n), end='; ')\n"
      "    except Exception: pass\" 2>/dev/null",
      "r");
  if (pipe == nullptr) return {"frameworks", Health::kNote, "python3 does not start"};
  std::string text;
  std::array<char, 256> piece{};
  while (const std::size_t n = std::fread(piece.data(), 1, piece.size(), pipe)) {
    text.append(piece.data(), n);
  }
  const int status = pclose(pipe);
  if (status != 0) return {"frameworks", Health::kNote, "python3 is not here"};
  while (text.ends_with(' ') || text.ends_with(';')) text.pop_back();
  if (text.empty()) return {"frameworks", Health::kNote, "python3 knows neither torch nor keras"};
  return {"frameworks", Health::kGood, text};
}

Finding CheckDisk(Session& s) {
  const auto free_bytes = s.env().FreeSpaceBytes(s.options.cwd);
  if (!free_bytes.ok()) return {"disk", Health::kBad, free_bytes.error().message()};
  const std::string text = FormatBytes(*free_bytes) + " free";
  return {"disk", *free_bytes < kLowDiskBytes ? Health::kBad : Health::kGood, text};
}

Finding CheckRepository(Session& s) {
  const auto repo = s.OpenRepo();
  if (repo.ok()) {
    return {"repository", Health::kGood,
            (*repo)->root() + ", " + FormatBytes((*repo)->objects().StoredBytes()) + " stored"};
  }
  if (repo.error().code() == ErrorCode::kNotFound) {
    return {"repository", Health::kNote, "none here"};
  }
  return {"repository", Health::kBad, repo.error().message()};
}

const char* HealthName(Health h) {
  switch (h) {
    case Health::kGood:
      return "ok";
    case Health::kNote:
      return "note";
    case Health::kBad:
      return "BAD";
  }
  return "BAD";
}

Run Define(Options&) {
  return [](Session& s) -> Result<ExitCode> {
    const Finding findings[] = {{"flair", Health::kGood, kVersion},
                                CheckKey(s),
                                CheckClock(s),
                                CheckHub(s),
                                CheckFrameworks(),
                                CheckDisk(s),
                                CheckRepository(s)};
    std::vector<std::vector<std::string>> rows;
    json::array list;
    bool good = true;
    for (const Finding& f : findings) {
      good = good && f.health != Health::kBad;
      rows.push_back({HealthName(f.health), f.what, Printable(f.text)});
      list.push_back(
          json::object{{"check", f.what}, {"health", HealthName(f.health)}, {"detail", f.text}});
    }
    s.out() << Table(rows);
    s.Document(json::object{{"ok", good}, {"checks", std::move(list)}});
    return good ? ExitCode::kOk : ExitCode::kFailed;
  };
}

}  // namespace

extern const CommandSpec kDoctorCommand = {
    .name = "doctor",
    .summary = "Check key, clock, hub, frameworks, disk and repository",
    .example = "flair doctor",
    .define = Define};

}  // namespace flair::cli
