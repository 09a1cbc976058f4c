#include "tensor/layout.h"

#include <array>
#include <optional>
#include <utility>

#include "tensor/gguf.h"
#include "tensor/hdf5_walk.h"
#include "tensor/keras_file.h"
#include "tensor/onnx.h"
#include "tensor/safetensors.h"
#include "tensor/torch_file.h"
#include "tensor/zip_walk.h"

namespace flair {

std::string_view FileFormatName(FileFormat f) {
  constexpr std::array<std::string_view, kMaxFileFormat + 1> kNames = {
      "", "blob", "safetensors", "torch-zip", "torch-legacy", "keras", "hdf5", "onnx", "gguf"};
  return kNames[static_cast<std::uint8_t>(f)];
}

Result<FileLayout> ReadFileLayout(const ByteSource& file, std::string_view name) {
  if (name.ends_with(".safetensors") || LooksLikeSafetensors(file)) {
    return ReadSafetensorsLayout(file);
  }
  if (LooksLikeGguf(file)) return ReadGgufLayout(file);
  if (LooksLikeTorchLegacy(file)) return ReadTorchLegacyLayout(file);
  if (LooksLikeZip(file)) {
    FLAIR_TRY(std::optional<FileLayout> torch, ReadTorchZipLayout(file, name));
    if (torch) return *std::move(torch);
    FLAIR_TRY(std::optional<FileLayout> keras, ReadKerasLayout(file, name));
    if (keras) return *std::move(keras);
  }
  if (LooksLikeHdf5(file)) return ReadHdf5Layout(file);
  // Protobuf has no magic number.
  if (name.ends_with(".onnx")) return ReadOnnxLayout(file);
  FileLayout layout;
  if (file.size_bytes() > 0) {
    FileSpan whole;
    whole.kind = SpanKind::kBlob;
    whole.size_bytes = file.size_bytes();
    layout.spans.push_back(std::move(whole));
  }
  return layout;
}

}  // namespace flair
