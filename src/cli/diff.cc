// `flair diff`: what differs between two commits, tensor by tensor.
// SPDX-License-Identifier: Apache-2.0
#include "repo/diff.h"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/objects_view.h"
#include "cli/render.h"
#include "repo/history.h"
#include "repo/refs.h"
#include "repo/staging.h"

namespace flair::cli {
namespace {

struct Args {
  std::string a;
  std::string b;
  std::string tensors;
  bool stat = false;
  bool hist = false;
};

json::value TensorRefJson(const std::optional<TensorRef>& t) {
  if (!t) return nullptr;
  json::array dims;
  for (const std::uint64_t d : t->dims) dims.push_back(d);
  return json::object{{"dtype", DTypeName(t->dtype)}, {"dims", std::move(dims)}};
}

json::object StatsJson(const TensorStats& t) {
  json::array histogram;
  for (const std::uint64_t n : t.histogram) histogram.push_back(n);
  return {{"num_elements", t.num_elements},
          {"num_changed", t.num_changed},
          {"changed_share", t.changed_share()},
          {"num_nan", t.num_nan},
          {"num_inf", t.num_inf},
          {"l2_before", t.l2_before},
          {"l2_after", t.l2_after},
          {"l2_delta", t.l2_delta},
          {"cosine", t.cosine},
          {"max_abs_delta", t.max_abs_delta},
          {"histogram", std::move(histogram)}};
}

json::array FilesJson(const std::vector<FileDiff>& files) {
  json::array out;
  for (const FileDiff& f : files) {
    json::array tensors;
    for (const TensorDiff& t : f.tensors) {
      json::object o = {{"name", t.name},
                        {"change", ChangeKindName(t.kind)},
                        {"before", TensorRefJson(t.before)},
                        {"after", TensorRefJson(t.after)}};
      if (t.stats) o["stats"] = StatsJson(*t.stats);
      tensors.push_back(std::move(o));
    }
    out.push_back(json::object{{"path", f.path},
                               {"change", ChangeKindName(f.kind)},
                               {"rest_changed", f.rest_changed},
                               {"tensors", std::move(tensors)}});
  }
  return out;
}

// Eight heights, scaled to the largest bin.
std::string Bars(const std::vector<std::uint64_t>& histogram) {
  constexpr std::array kBars = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const std::uint64_t most = *std::max_element(histogram.begin(), histogram.end());
  std::string out;
  for (const std::uint64_t n : histogram) {
    // Anything that is there shows.
    const std::size_t height =
        n == 0 ? 0
               : std::max<std::size_t>(1, static_cast<std::size_t>(8.0 * static_cast<double>(n) /
                                                                   static_cast<double>(most)));
    out += kBars[height];
  }
  return out;
}

std::string ShapeText(const TensorDiff& t) {
  const auto text = [](const TensorRef& r) { return FormatShape(r.dtype, r.dims); };
  if (!t.before) return text(*t.after);
  if (!t.after) return text(*t.before);
  const std::string before = text(*t.before);
  const std::string after = text(*t.after);
  return before == after ? before : before + " -> " + after;
}

std::string TensorsText(const FileDiff& f, bool histograms) {
  std::vector<std::vector<std::string>> rows = {
      {"  tensor", "shape", "change", "changed", "L2 of change", "relative", "cosine", "max"}};
  std::string bars;
  for (const TensorDiff& t : f.tensors) {
    std::vector<std::string> row = {"  " + Printable(t.name), ShapeText(t),
                                    std::string(ChangeKindName(t.kind))};
    if (t.stats) {
      const TensorStats& v = *t.stats;
      row.insert(row.end(), {FormatShare(v.changed_share()), FormatNumber(v.l2_delta),
                             v.l2_before > 0 ? FormatNumber(v.l2_delta / v.l2_before) : "-",
                             FormatNumber(v.cosine), FormatNumber(v.max_abs_delta)});
      if (v.num_nan + v.num_inf > 0) {
        row.push_back(Count(v.num_nan, "NaN") + ", " + std::to_string(v.num_inf) + " infinite");
      }
      if (histograms && !v.histogram.empty()) {
        bars += "  " + Printable(t.name) + "\n    " + FormatNumber(-v.max_abs_delta) + " |" +
                Bars(v.histogram) + "| " + FormatNumber(v.max_abs_delta) + "\n";
      }
    }
    rows.push_back(std::move(row));
  }
  return Table(rows) + bars;
}

std::string FileLine(const FileDiff& f) {
  std::string kind(ChangeKindName(f.kind));
  kind.resize(10, ' ');
  std::string out = kind + Printable(f.path);
  if (f.before && f.after && f.before->size_bytes != f.after->size_bytes) {
    out += "  " + FormatBytes(f.before->size_bytes) + " -> " + FormatBytes(f.after->size_bytes);
  } else if (f.after || f.before) {
    out += "  " + FormatBytes(f.after ? f.after->size_bytes : f.before->size_bytes);
  }
  if (!f.tensors.empty())
    out +=
        "  " + Count(f.tensors.size(), "tensor") + (f.tensors.size() == 1 ? " differs" : " differ");
  if (f.rest_changed && !f.tensors.empty()) out += ", and bytes outside tensors";
  return out + "\n";
}

Result<ExitCode> RunDiff(Session& s, const Args& args) {
  if (args.stat && args.hist) return ReportUsage(s, "--stat and --hist exclude each other");
  FLAIR_TRY(const auto repo, s.OpenRepo());
  Tree before;
  FLAIR_TRY(const Head head, ReadHead(*repo));
  if (!args.a.empty() || head.commit) {
    FLAIR_TRY(const CommitId a, ResolveOrHead(*repo, args.a));
    FLAIR_TRY(before, ReadCommitTree(repo->objects(), a));
  }
  Tree after;
  if (args.b.empty()) {
    FLAIR_TRY(after, ReadStaging(*repo));
  } else {
    FLAIR_TRY(const CommitId b, Resolve(*repo, args.b));
    FLAIR_TRY(after, ReadCommitTree(repo->objects(), b));
  }
  DiffOptions options;
  options.detail = args.stat   ? DiffDetail::kNames
                   : args.hist ? DiffDetail::kHistogram
                               : DiffDetail::kStats;
  options.tensors_glob = args.tensors;
  options.progress = s.Progress();
  FLAIR_TRY(const auto files, DiffTrees(repo->objects(), before, after, options));
  for (const FileDiff& f : files) {
    s.out() << FileLine(f);
    if (!args.stat && !f.tensors.empty()) s.out() << TensorsText(f, args.hist);
  }
  if (files.empty()) s.out() << "no differences\n";
  s.Document(json::object{{"files", FilesJson(files)}});
  return ExitCode::kOk;
}

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("A", args->a, "Before (default: HEAD)", Need::kOptional);
  o.One("B", args->b, "After (default: what was added for the next commit)", Need::kOptional);
  o.Value("--tensors", args->tensors, "Only tensors whose name matches this glob");
  o.Flag("--stat", args->stat, "Files and counts only; reads no tensor");
  o.Flag("--hist", args->hist, "With a histogram of each tensor's change");
  return [args](Session& s) { return RunDiff(s, *args); };
}

}  // namespace

extern const CommandSpec kDiffCommand = {
    .name = "diff",
    .summary = "Compare two commits, tensor by tensor",
    .example = "flair diff main @prod --tensors 'conv*' --hist",
    .define = Define};

}  // namespace flair::cli
