// Statement files of runs: decoded or refused; what is decoded has one spelling.
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/check.h"
#include "proof/statement_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = flair::AsText(std::as_bytes(std::span(data, size)));
  const auto statement = flair::proof::DecodeStatement(text);
  if (!statement.ok()) return 0;
  FLAIR_CHECK(flair::proof::EncodeStatement(*statement) == text) << "a second spelling";
  return 0;
}
