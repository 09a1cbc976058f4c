// SPDX-License-Identifier: Apache-2.0
#include "data/source.h"

#include <algorithm>
#include <utility>

#include "base/path.h"
#include "data/gzip.h"
#include "data/idx.h"
#include "data/npy.h"
#include "program/program.h"
#include "tensor/safetensors.h"

namespace flair::data {
namespace {

constexpr std::uint64_t kMaxUnpackedBytes = std::uint64_t{64} << 30;

enum class Kind : std::uint8_t { kIdx, kNpy, kSafetensors };

struct FileName {
  Kind kind = Kind::kNpy;
  bool packed = false;
  std::string column;  // none of safetensors
};

bool TakeEnd(std::string_view& name, std::string_view end) {
  if (name.size() <= end.size() || !name.ends_with(end)) return false;
  name.remove_suffix(end.size());
  return true;
}

// "-idx3-ubyte" and its relatives, by a hyphen or a dot.
bool TakeIdxEnd(std::string_view& name) {
  for (const char* type : {"-ubyte", "-byte", "-short", "-int", "-float", "-double"}) {
    std::string_view rest = name;
    if (!TakeEnd(rest, type)) continue;
    if (rest.empty() || rest.back() < '1' || rest.back() > '8') return false;
    rest.remove_suffix(1);
    if (!TakeEnd(rest, "-idx") && !TakeEnd(rest, ".idx")) return false;
    name = rest;
    return true;
  }
  return TakeEnd(name, ".idx");
}

std::optional<FileName> Recognise(std::string_view name) {
  FileName file;
  if (TakeEnd(name, ".safetensors")) {
    file.kind = Kind::kSafetensors;
    return file;
  }
  file.packed = TakeEnd(name, ".gz");
  if (TakeEnd(name, ".npy")) {
    file.kind = Kind::kNpy;
  } else if (TakeIdxEnd(name)) {
    file.kind = Kind::kIdx;
  } else {
    return std::nullopt;
  }
  file.column = std::string(name);
  return file;
}

Status ReadTensors(const std::shared_ptr<const ByteSource>& bytes, const std::string& file,
                   std::vector<SourceColumn>& into) {
  auto layout = ReadSafetensorsLayout(*bytes);
  if (!layout.ok()) return std::move(layout).error().In(file);
  for (FileSpan& span : layout->spans) {
    if (span.kind != SpanKind::kTensor) continue;
    into.push_back({.name = std::move(span.name),
                    .file = file,
                    .dtype = span.dtype,
                    .dims = std::move(span.dims),
                    .bytes = bytes,
                    .begin = span.offset});
  }
  return OkStatus();
}

Status ReadFileInto(Env& env, const std::string& path, const std::string& name,
                    const FileName& kind, std::vector<SourceColumn>& into) {
  FLAIR_TRY(std::shared_ptr<const ByteSource> bytes, env.OpenForRead(path));
  if (kind.packed) {
    auto unpacked = Unpack(*bytes, kMaxUnpackedBytes);
    if (!unpacked.ok()) return std::move(unpacked).error().In(name);
    bytes = std::move(*unpacked);
  }
  if (kind.kind == Kind::kSafetensors) return ReadTensors(bytes, name, into);
  FLAIR_TRY(SourceColumn column, kind.kind == Kind::kIdx ? ReadIdx(bytes, kind.column, name)
                                                         : ReadNpy(bytes, kind.column, name));
  into.push_back(std::move(column));
  return OkStatus();
}

std::string_view FileOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

Status CheckNames(const std::vector<SourceColumn>& columns) {
  std::vector<const SourceColumn*> sorted;
  for (const SourceColumn& column : columns) sorted.push_back(&column);
  std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return a->name < b->name; });
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i - 1]->name != sorted[i]->name) continue;
    return Error(ErrorCode::kInvalidArgument, "column '" + sorted[i]->name + "' is in " +
                                                  sorted[i - 1]->file + " and in " +
                                                  sorted[i]->file)
        .WithHint("keep one of them in the folder");
  }
  return OkStatus();
}

}  // namespace

std::optional<std::string> ColumnOfFile(std::string_view file_name) {
  const auto file = Recognise(file_name);
  if (!file || file->kind == Kind::kSafetensors) return std::nullopt;
  return file->column;
}

Result<Source> OpenSource(Env& env, const std::string& path) {
  Source source;
  std::vector<std::string> files;
  const auto names = env.ListDir(path);
  if (names.ok()) {
    files = *names;
  } else if (Exists(env, path)) {
    files.emplace_back();
  } else {
    return names.error();
  }
  for (const std::string& file : files) {
    const std::string name = file.empty() ? std::string(FileOf(path)) : file;
    const auto kind = Recognise(name);
    if (kind) {
      FLAIR_DO(ReadFileInto(env, file.empty() ? path : JoinPath(path, file), name, *kind,
                            source.columns));
    } else {
      source.left_out.push_back(name);
    }
  }
  if (source.columns.empty()) {
    return Error(ErrorCode::kInvalidArgument, path + ": no data that Flair reads")
        .WithHint(
            "arrays are .safetensors, .npy, .idx or -idx3-ubyte files, all but the first also .gz");
  }
  FLAIR_DO(CheckNames(source.columns));
  return source;
}

Result<std::vector<Choice>> ParseChoices(std::string_view text) {
  std::vector<Choice> choices;
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    const std::size_t equals = item.find('=');
    Choice choice{
        .name = std::string(item.substr(0, equals)),
        .source = std::string(equals == std::string_view::npos ? item : item.substr(equals + 1))};
    if (!program::IsName(choice.name) || choice.source.empty()) {
      return Error(ErrorCode::kInvalidArgument,
                   "'" + std::string(item) + "' does not choose a column")
          .WithHint("NAME=SOURCE, separated by commas: x=train-images,y=train-labels");
    }
    choices.push_back(std::move(choice));
    if (comma == std::string_view::npos) return choices;
    text.remove_prefix(comma + 1);
  }
}

Result<std::vector<SourceColumn>> Choose(const Source& source, const std::vector<Choice>& choices) {
  std::vector<SourceColumn> chosen;
  for (const Choice& choice : choices) {
    const auto found = std::find_if(source.columns.begin(), source.columns.end(),
                                    [&](const auto& c) { return c.name == choice.source; });
    if (found == source.columns.end()) {
      std::string names;
      for (const SourceColumn& c : source.columns) {
        names += (names.empty() ? "" : ", ") + c.name;
        if (names.size() > 200) {
          names += ", ...";
          break;
        }
      }
      return Error(ErrorCode::kNotFound, "no column '" + choice.source + "'; there are " + names)
          .WithHint("--columns NAME=SOURCE says under which name a column is taken");
    }
    chosen.push_back(*found);
    chosen.back().name = choice.name;
  }
  return chosen;
}

Status CheckRecords(const std::vector<SourceColumn>& columns) {
  for (const SourceColumn& column : columns) {
    FLAIR_DO(CheckUsable(column));
    if (column.num_records() == columns[0].num_records()) continue;
    return Error(ErrorCode::kInvalidArgument, "column '" + column.name + "' has " +
                                                  std::to_string(column.num_records()) +
                                                  " records, '" + columns[0].name + "' " +
                                                  std::to_string(columns[0].num_records()))
        .WithHint("--columns chooses the ones that belong together");
  }
  return OkStatus();
}

}  // namespace flair::data
