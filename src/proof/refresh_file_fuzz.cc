// Statements of refreshed commitments: decoded or refused; what is decoded has one spelling.
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/check.h"
#include "proof/refresh_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = flair::AsText(std::as_bytes(std::span(data, size)));
  const auto claim = flair::proof::DecodeRefresh(text);
  if (claim.ok()) {
    FLAIR_CHECK(flair::proof::EncodeRefresh(*claim) == text) << "a second spelling";
    // A proof of it that is none: refused, whatever the shapes are.
    FLAIR_CHECK(!flair::proof::VerifyRefresh(*claim, {}).ok()) << "no proof is one";
  }
  return 0;
}
