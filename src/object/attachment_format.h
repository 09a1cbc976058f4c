// The field numbers of an attachment's envelope, for the two files that read it.
//
// Place: object, private to it. Layout: docs/formats/object.md.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

namespace flair {

inline constexpr std::uint32_t kEnvelopeBody = 1;
inline constexpr std::uint32_t kEnvelopeScheme = 2;
inline constexpr std::uint32_t kEnvelopeSignature = 3;
inline constexpr std::array kAttachmentEnvelopeFields = {kEnvelopeBody, kEnvelopeScheme,
                                                         kEnvelopeSignature};

}  // namespace flair
