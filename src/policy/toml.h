// toml++, configured once for every file that strangers write.
//
// Its parser assumes, after an assertion, what a document such as "[%" breaks; the
// checks behind those assertions refuse it properly. So an assertion here neither aborts
// nor lets the compiler conclude anything.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_WINDOWS_COMPAT 0
#define TOML_ASSERT(expr) static_cast<void>(0)
#pragma push_macro("NDEBUG")
#undef NDEBUG  // with it, toml++ replaces TOML_ASSERT by an assumption
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")
