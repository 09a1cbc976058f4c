// SPDX-License-Identifier: Apache-2.0
#include "cli/objects_view.h"

#include <algorithm>
#include <ostream>

#include "cli/render.h"
#include "repo/refs.h"

namespace flair::cli {
namespace {

const char* LineageName(LineageKind kind) {
  switch (kind) {
    case LineageKind::kRevertHistory:
      return "reverts";
    case LineageKind::kRevertSubtract:
      return "subtracts";
    case LineageKind::kCherryPick:
      return "picks";
  }
  return "follows";
}

json::object TrainingJson(const TrainingRecord& t) {
  json::object out = {
      {"first_step", t.first_step}, {"num_steps", t.num_steps}, {"num_samples", t.num_samples}};
  const std::pair<const char*, const std::optional<Digest>*> kDigests[] = {
      {"program", &t.program},
      {"data_card", &t.data_card},
      {"ticket", &t.ticket},
      {"weights_commitment", &t.weights_commitment}};
  for (const auto& [name, digest] : kDigests) {
    if (*digest) out[name] = (*digest)->ToHex();
  }
  json::object metrics;
  for (const Metric& m : t.metrics) metrics[m.name] = m.value;
  out["metrics"] = std::move(metrics);
  if (!t.framework.empty()) out["framework"] = t.framework;
  return out;
}

json::object RecipeJson(const MergeRecipe& r) {
  json::array alpha;
  for (const std::uint32_t a : r.alpha) alpha.push_back(static_cast<double>(a) / (1 << 24));
  json::object parameters;
  for (const auto& [key, value] : r.parameters) parameters[key] = value;
  return {{"method", r.method},
          {"base", r.base.ToHex()},
          {"weights", std::move(alpha)},
          {"parameters", std::move(parameters)}};
}

std::string TrainingText(const TrainingRecord& t) {
  std::string out;
  if (!t.metrics.empty()) {
    out += "Metrics:";
    for (const Metric& m : t.metrics) out += " " + Printable(m.name) + "=" + FormatNumber(m.value);
    out += "\n";
  }
  if (t.num_samples != 0 || t.num_steps != 0 || !t.framework.empty()) {
    out += "Trained:";
    if (t.num_samples != 0) out += " " + Count(t.num_samples, "sample");
    if (t.num_steps != 0) out += " " + Count(t.num_steps, "step");
    if (!t.framework.empty()) out += " " + Printable(t.framework);
    out += "\n";
  }
  return out;
}

std::string RecipeText(const MergeRecipe& r) {
  std::string out = "Recipe: " + Printable(r.method);
  for (const auto& [key, value] : r.parameters) {
    out += " " + Printable(key) + "=" + Printable(value);
  }
  if (!r.alpha.empty()) {
    out += ", weights";
    for (const std::uint32_t a : r.alpha) {
      out += " " + FormatNumber(static_cast<double>(a) / (1 << 24));
    }
  }
  return out + "\n";
}

}  // namespace

json::object CommitJson(const CommitId& id, const Commit& c) {
  json::array parents;
  for (const CommitId& p : c.parents) parents.emplace_back(p.ToHex());
  json::object out = {{"commit", id.ToHex()},          {"tree", c.tree.ToHex()},
                      {"parents", std::move(parents)}, {"author", c.author.ToBase58()},
                      {"time", FormatTime(c.time_s)},  {"message", c.message}};
  if (c.training) out["training"] = TrainingJson(*c.training);
  if (c.merge) out["merge"] = RecipeJson(*c.merge);
  if (!c.lineage.empty()) {
    json::array lineage;
    for (const Lineage& l : c.lineage) {
      lineage.push_back(json::object{{"kind", LineageName(l.kind)}, {"commit", l.commit.ToHex()}});
    }
    out["lineage"] = std::move(lineage);
  }
  return out;
}

Result<Decorations> ReadDecorations(Repository& repo) {
  Decorations out;
  FLAIR_TRY(const Head head, ReadHead(repo));
  if (head.commit) {
    out[*head.commit].push_back(head.branch.empty() ? "HEAD"
                                                    : "HEAD -> " + ShortRefName(head.branch));
  }
  FLAIR_TRY(const std::vector<Ref> refs, ListRefs(repo));
  for (const Ref& ref : refs) {
    if (ref.name == head.branch) continue;
    const bool tag = ref.name.starts_with("tags/");
    out[ref.commit].push_back((tag ? "tag " : "") + ShortRefName(ref.name));
  }
  return out;
}

std::string DecorationText(const Decorations& decorations, const CommitId& id) {
  const auto at = decorations.find(id);
  if (at == decorations.end()) return "";
  std::string out;
  for (const std::string& name : at->second) out += (out.empty() ? " (" : ", ") + Printable(name);
  return out + ")";
}

std::string CommitText(const CommitId& id, const Commit& c, const std::string& decoration) {
  std::string out = "commit " + id.ToHex() + decoration + "\n";
  if (c.parents.size() > 1) {
    out += "Merge:  ";
    for (const CommitId& p : c.parents) out += (&p == &c.parents.front() ? "" : " ") + p.Short();
    out += "\n";
  }
  out += "Author: " + c.author.ToBase58() + "\n";
  out += "Date:   " + FormatTime(c.time_s) + "\n";
  if (c.training) out += TrainingText(*c.training);
  if (c.merge) out += RecipeText(*c.merge);
  for (const Lineage& l : c.lineage) {
    out += std::string(LineageName(l.kind)) + " " + l.commit.Short() + "\n";
  }
  out += "\n";
  std::string_view message = c.message;
  while (!message.empty()) {
    const std::size_t end = message.find('\n');
    const std::string line = Printable(message.substr(0, end));
    out += line.empty() ? "\n" : "    " + line + "\n";
    message = end == std::string_view::npos ? std::string_view() : message.substr(end + 1);
  }
  return out;
}

std::string CommitLine(const CommitId& id, const Commit& c, const std::string& decoration) {
  return id.Short() + decoration + " " + Printable(FirstLine(c.message)) + "\n";
}

json::array ChangesJson(const std::vector<PathChange>& changes) {
  json::array out;
  for (const PathChange& c : changes) {
    out.push_back(json::object{{"path", c.path}, {"change", FileChangeName(c.kind)}});
  }
  return out;
}

std::string ChangesText(const std::vector<PathChange>& changes, const char* indent) {
  std::string out;
  for (const PathChange& c : changes) {
    std::string kind(FileChangeName(c.kind));
    kind.resize(10, ' ');
    out += indent + kind + Printable(c.path) + "\n";
  }
  return out;
}

Result<ExitCode> TellRefs(Session& s, Repository& repo, const char* prefix, const char* key) {
  FLAIR_TRY(const std::vector<Ref> refs, ListRefs(repo, prefix));
  std::vector<std::vector<std::string>> rows;
  json::array list;
  for (const Ref& ref : refs) {
    rows.push_back({ShortRefName(ref.name), ref.commit.Short()});
    list.push_back(json::object{{"name", ShortRefName(ref.name)}, {"commit", ref.commit.ToHex()}});
  }
  s.out() << Table(rows);
  s.Document(json::object{{key, std::move(list)}});
  return ExitCode::kOk;
}

json::array StringsJson(const std::vector<std::string>& strings) {
  json::array out;
  for (const std::string& text : strings) out.emplace_back(text);
  return out;
}

json::value IdJson(const std::optional<CommitId>& id) {
  if (!id) return nullptr;
  return json::value(id->ToHex());
}

json::array TellConflicts(Session& s, const std::vector<NamedConflict>& conflicts) {
  json::array list;
  if (!conflicts.empty())
    s.err() << "error: " << Count(conflicts.size(), "conflict") << "; nothing was changed\n";
  for (const NamedConflict& c : conflicts) {
    list.push_back(json::object{{"path", c.path}, {"tensor", c.tensor}, {"reason", c.reason}});
    s.err() << "conflict: " << Printable(c.path) << (c.tensor.empty() ? "" : ": ")
            << Printable(c.tensor) << ": " << Printable(c.reason) << "\n";
  }
  return list;
}

ExitCode TellOutcome(Session& s, const MergeOutcome& outcome, const char* done, MergeRun run) {
  const char* result = done;
  for (const std::string& note : outcome.notes) s.note() << "note: " << Printable(note) << "\n";
  std::vector<NamedConflict> named;
  for (const auto& c : outcome.conflicts) named.push_back({c.path, c.tensor, c.reason});
  json::array conflicts = TellConflicts(s, named);
  switch (outcome.kind) {
    case MergeResultKind::kUpToDate:
      result = "up_to_date";
      s.out() << "nothing to do: HEAD holds it already\n";
      break;
    case MergeResultKind::kFastForward:
      result = "fast_forward";
      s.out() << "fast-forwarded to " << outcome.commit->Short() << "\n";
      break;
    case MergeResultKind::kMerged:
      if (run == MergeRun::kDryRun) {
        s.out() << "no conflicts; nothing was changed (dry run)\n";
      } else {
        s.out() << done << ": commit " << outcome.commit->Short() << "\n";
      }
      if (outcome.recipe) s.out() << RecipeText(*outcome.recipe);
      break;
    case MergeResultKind::kConflicts:
      result = "conflicts";
      break;
  }
  json::object document = {{"result", result},
                           {"dry_run", run == MergeRun::kDryRun},
                           {"commit", IdJson(outcome.commit)},
                           {"notes", StringsJson(outcome.notes)},
                           {"conflicts", std::move(conflicts)}};
  if (outcome.recipe) document["merge"] = RecipeJson(*outcome.recipe);
  s.Document(document);
  return outcome.kind == MergeResultKind::kConflicts ? ExitCode::kConflict : ExitCode::kOk;
}

Result<std::vector<std::string>> RepoPaths(Session& s, const Repository& repo,
                                           const std::vector<std::string>& typed) {
  std::vector<std::string> out;
  for (const std::string& path : typed) {
    FLAIR_TRY(std::string checked, RepoPathFor(repo, s.options.cwd, path));
    out.push_back(std::move(checked));
  }
  return out;
}

Result<CommitId> ResolveOrHead(Repository& repo, const std::string& text) {
  return Resolve(repo, text.empty() ? "HEAD" : text);
}

Result<std::vector<std::pair<std::string, std::string>>> ParseParameters(
    const std::vector<std::string>& typed) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const std::string& text : typed) {
    const std::size_t at = text.find('=');
    if (at == std::string::npos || at == 0) {
      return Error(ErrorCode::kInvalidArgument, "parameter '" + text + "' is not KEY=VALUE");
    }
    out.emplace_back(text.substr(0, at), text.substr(at + 1));
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string JoinMessage(const std::vector<std::string>& paragraphs) {
  std::string out;
  for (const std::string& p : paragraphs) out += (out.empty() ? "" : "\n\n") + p;
  return out;
}

}  // namespace flair::cli
