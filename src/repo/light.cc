// SPDX-License-Identifier: Apache-2.0
#include "repo/light.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "object/file.h"
#include "repo/history.h"
#include "tensor/convert.h"

namespace flair {
namespace {

constexpr std::uint64_t kPieceElements = std::uint64_t{1} << 17;
constexpr std::uint64_t kPieceBytes = std::uint64_t{1} << 20;

// What a source tensor is written as. Each source gives its own data and, quantised, a
// second tensor of scales before it.
enum class Form : std::uint8_t { kAsIs, kFloat32, kBFloat16, kInt8Rows };

struct Planned {
  const TensorSegment* source = nullptr;
  Form form = Form::kAsIs;
  std::uint64_t num_rows = 0;  // kInt8Rows
  std::uint64_t row_elements = 0;
};

Form FormOf(const TensorRef& t, LightKind kind) {
  if (!IsFloat(t.dtype) || t.num_elements() == 0) return Form::kAsIs;
  const std::uint64_t bytes = DTypeBytes(t.dtype);
  if (kind == LightKind::kBf16) return bytes > 2 ? Form::kBFloat16 : Form::kAsIs;
  if (t.dims.size() >= 2 && bytes > 1) return Form::kInt8Rows;
  return bytes > 4 ? Form::kFloat32 : Form::kAsIs;
}

DType LightDType(Form form, DType source) {
  switch (form) {
    case Form::kFloat32:
      return DType::kF32;
    case Form::kBFloat16:
      return DType::kBF16;
    case Form::kInt8Rows:
      return DType::kI8;
    case Form::kAsIs:
      break;
  }
  return source;
}

void AppendJsonText(std::string& out, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

// The safetensors header: 8 bytes of length, then JSON, padded to a multiple of 8.
class Header {
 public:
  Header(const CommitId& commit, std::string_view path, LightKind kind) {
    json_ = "{\"__metadata__\":{\"flair.commit\":\"" + commit.ToHex() + "\",\"flair.light\":\"" +
            std::string(LightKindName(kind)) + "\",\"flair.path\":";
    AppendJsonText(json_, path);
    json_ += '}';
  }

  void Add(std::string_view name, DType dtype, const std::vector<std::uint64_t>& dims,
           std::uint64_t size_bytes) {
    json_ += ',';
    AppendJsonText(json_, name);
    json_ += ":{\"dtype\":\"" + std::string(DTypeName(dtype)) + "\",\"shape\":[";
    for (std::size_t i = 0; i < dims.size(); ++i) {
      if (i > 0) json_ += ',';
      json_ += std::to_string(dims[i]);
    }
    json_ += "],\"data_offsets\":[" + std::to_string(end_) + ',';
    end_ += size_bytes;
    json_ += std::to_string(end_) + "]}";
  }

  std::uint64_t data_bytes() const { return end_; }

  Bytes Finish() {
    json_ += '}';
    json_.append((8 - json_.size() % 8) % 8, ' ');
    Bytes out;
    AppendLe64(out, json_.size());
    Append(out, AsBytes(json_));
    return out;
  }

 private:
  std::string json_;
  std::uint64_t end_ = 0;
};

struct Plan {
  File file;
  std::vector<Planned> tensors;
  Bytes header;
  std::uint64_t total_bytes = 0;
};

void AddToHeader(Header& header, const Planned& planned) {
  const TensorRef& t = planned.source->tensor;
  const DType dtype = LightDType(planned.form, t.dtype);
  if (planned.form == Form::kInt8Rows) {
    header.Add(planned.source->name + ".scale", DType::kF32, {planned.num_rows},
               planned.num_rows * sizeof(float));
  }
  header.Add(planned.source->name, dtype, t.dims, t.num_elements() * DTypeBytes(dtype));
}

// Wider elements first keeps every tensor aligned to its own size.
int AlignmentRank(const Planned& planned) {
  if (planned.form == Form::kInt8Rows) return 2;  // starts with F32 scales
  const std::uint64_t bytes = DTypeBytes(LightDType(planned.form, planned.source->tensor.dtype));
  return bytes >= 8 ? 0 : bytes == 4 ? 1 : bytes == 2 ? 3 : 4;
}

Result<Plan> MakePlan(const ObjectStore& objects, const CommitId& commit, std::string_view path,
                      LightKind kind) {
  FLAIR_TRY(const Tree tree, ReadCommitTree(objects, commit));
  const TreeEntry* const entry = tree.Find(path);
  if (entry == nullptr) {
    return Error(ErrorCode::kNotFound,
                 "commit " + commit.Short() + " has no file " + std::string(path.substr(0, 200)));
  }
  Plan plan;
  FLAIR_TRY(plan.file, ReadFileObject(objects, entry->file));
  for (const Segment& segment : plan.file.segments) {
    const auto* const source = std::get_if<TensorSegment>(&segment);
    if (source == nullptr) continue;
    Planned planned;
    planned.source = source;
    planned.form = FormOf(source->tensor, kind);
    if (planned.form == Form::kInt8Rows) {
      planned.num_rows = source->tensor.dims[0];
      planned.row_elements = source->tensor.num_elements() / planned.num_rows;
    }
    plan.tensors.push_back(planned);
  }
  if (plan.tensors.empty()) {
    return Error(ErrorCode::kInvalidArgument,
                 std::string(path) + " has no tensors: there is no light form of it");
  }
  for (const Planned& planned : plan.tensors) {
    const std::string scale = planned.source->name + ".scale";
    if (planned.form == Form::kInt8Rows && plan.file.FindTensor(scale) != nullptr) {
      return Error(ErrorCode::kInvalidArgument,
                   std::string(path) + " has a tensor " + scale + " already: int8 needs that name");
    }
  }
  std::stable_sort(
      plan.tensors.begin(), plan.tensors.end(),
      [](const Planned& a, const Planned& b) { return AlignmentRank(a) < AlignmentRank(b); });
  Header header(commit, path, kind);
  for (const Planned& planned : plan.tensors) AddToHeader(header, planned);
  plan.header = header.Finish();
  plan.total_bytes = plan.header.size() + header.data_bytes();
  return plan;
}

Status WritePieces(ByteView bytes, const ByteSink& sink) {
  while (!bytes.empty()) {
    const ByteView piece = bytes.first(std::min<std::size_t>(bytes.size(), kPieceBytes));
    FLAIR_DO(sink(piece));
    bytes = bytes.subspan(piece.size());
  }
  return OkStatus();
}

// Elements of a stored tensor as doubles, a range at a time.
class DoubleReader {
 public:
  DoubleReader(DType dtype, const ByteSource& source) : dtype_(dtype), source_(source) {}

  Result<std::span<const double>> Read(std::uint64_t first, std::uint64_t count) {
    raw_.resize(count * DTypeBytes(dtype_));
    values_.resize(count);
    FLAIR_DO(source_.ReadAt(first * DTypeBytes(dtype_), raw_));
    LoadAsDouble(dtype_, raw_, values_);
    return std::span<const double>(values_);
  }

 private:
  DType dtype_;
  const ByteSource& source_;
  Bytes raw_;
  std::vector<double> values_;
};

Status WriteConverted(const Planned& planned, const ByteSource& source, const ByteSink& sink) {
  const TensorRef& t = planned.source->tensor;
  const DType to = LightDType(planned.form, t.dtype);
  DoubleReader reader(t.dtype, source);
  Bytes out;
  for (std::uint64_t first = 0; first < t.num_elements(); first += kPieceElements) {
    const std::uint64_t count = std::min(kPieceElements, t.num_elements() - first);
    FLAIR_TRY(const auto values, reader.Read(first, count));
    out.resize(count * DTypeBytes(to));
    StoreFromDouble(to, values, out);
    FLAIR_DO(sink(out));
  }
  return OkStatus();
}

// Calls visit(scale, quantised row) for every row, reading several rows at a time.
template <typename Visit>
Status ForEachInt8Row(const Planned& planned, const ByteSource& source, Visit&& visit) {
  DoubleReader reader(planned.source->tensor.dtype, source);
  std::vector<std::int8_t> row(planned.row_elements);
  const std::uint64_t step = std::max<std::uint64_t>(1, kPieceElements / planned.row_elements);
  for (std::uint64_t first = 0; first < planned.num_rows; first += step) {
    const std::uint64_t count = std::min(step, planned.num_rows - first);
    FLAIR_TRY(const auto values,
              reader.Read(first * planned.row_elements, count * planned.row_elements));
    for (std::uint64_t r = 0; r < count; ++r) {
      FLAIR_TRY(
          const float scale,
          QuantiseRowInt8(values.subspan(r * planned.row_elements, planned.row_elements), row));
      FLAIR_DO(visit(scale, std::as_bytes(std::span(row))));
    }
  }
  return OkStatus();
}

// The scales come first in the file: one pass for them, a second one for the rows.
Status WriteInt8(const Planned& planned, const ByteSource& source, const ByteSink& sink) {
  Bytes out;
  const auto keep_scale = [&](float scale, ByteView) {
    AppendLe32(out, std::bit_cast<std::uint32_t>(scale));
    return OkStatus();
  };
  FLAIR_DO(ForEachInt8Row(planned, source, keep_scale));
  FLAIR_DO(WritePieces(out, sink));
  out.clear();
  const auto write_row = [&](float, ByteView row) -> Status {
    Append(out, row);
    if (out.size() < kPieceBytes) return OkStatus();
    FLAIR_DO(WritePieces(out, sink));
    out.clear();
    return OkStatus();
  };
  FLAIR_DO(ForEachInt8Row(planned, source, write_row));
  return WritePieces(out, sink);
}

Status WriteTensor(const ObjectStore& objects, const Planned& planned, const ByteSink& sink) {
  const TensorRef& t = planned.source->tensor;
  if (planned.form == Form::kAsIs) {
    return t.content.size_bytes == 0 ? OkStatus() : objects.StreamContent(t.content.hash, sink);
  }
  FLAIR_TRY(const auto source, objects.OpenContent(t.content.hash));
  return planned.form == Form::kInt8Rows ? WriteInt8(planned, *source, sink)
                                         : WriteConverted(planned, *source, sink);
}

}  // namespace

std::string_view LightKindName(LightKind kind) {
  return kind == LightKind::kInt8 ? "int8" : "bf16";
}

Result<LightKind> LightKindFromName(std::string_view name) {
  if (name == "int8") return LightKind::kInt8;
  if (name == "bf16") return LightKind::kBf16;
  return Error(ErrorCode::kInvalidArgument,
               "no light form named '" + std::string(name.substr(0, 40)) + "'")
      .WithHint("light forms: int8, bf16");
}

Result<LightSize> LightModelSize(const ObjectStore& objects, const CommitId& commit,
                                 std::string_view path, LightKind kind) {
  FLAIR_TRY(const Plan plan, MakePlan(objects, commit, path, kind));
  return LightSize{.light_bytes = plan.total_bytes, .full_bytes = plan.file.size_bytes()};
}

Status WriteLightModel(const ObjectStore& objects, const CommitId& commit, std::string_view path,
                       LightKind kind, const ByteSink& sink) {
  FLAIR_TRY(const Plan plan, MakePlan(objects, commit, path, kind));
  FLAIR_DO(WritePieces(plan.header, sink));
  for (const Planned& planned : plan.tensors) {
    if (Status status = WriteTensor(objects, planned, sink); !status.ok()) {
      return std::move(status).error().In("tensor '" + planned.source->name + "'");
    }
  }
  return OkStatus();
}

}  // namespace flair
