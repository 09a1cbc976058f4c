// Whether a test runs under a sanitizer, for tests that count.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace flair {

// Sanitizers are many times slower: with them, tests that count try one in so many.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FLAIR_FEW_TESTS
#endif
#endif
#ifdef FLAIR_FEW_TESTS
inline constexpr std::uint64_t kOneIn = 20;
#undef FLAIR_FEW_TESTS
#else
inline constexpr std::uint64_t kOneIn = 1;
#endif

// And tests that fail every operation in turn fail each of so many, an odd number: kinds take
// turns.
inline constexpr std::uint64_t kEachFailure = kOneIn > 1 ? 5 : 1;

}  // namespace flair
