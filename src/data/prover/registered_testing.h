// A small data set, /d, to register in /own/set.data.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "data/array_testing.h"
#include "data/prover/registered.h"

namespace flair::data {

inline constexpr const char* kFolder = "/own/set.data";
inline const RegisterRequest kRequest = {.name = "set", .source = "/d", .openings = 2};
inline const std::vector<std::int64_t> kImages = {0, 1, 2, 3, 250, 255};
inline const std::vector<std::int64_t> kLabels = {0, 2, 1};

inline void Put(Env& env, const std::string& path, const Bytes& bytes) {
  ASSERT_TRUE(WriteFileAtomically(env, path, bytes).ok());
}

inline Bytes Images(std::string_view shape = "(3, 2)") {
  return Npy("|u1", shape, Elements(1, ByteOrder::kLittle, kImages));
}

inline void PutData(Env& env) {
  ASSERT_TRUE(MakeDirs(env, "/d").ok());
  ASSERT_TRUE(MakeDirs(env, "/own").ok());
  ASSERT_TRUE(env.SyncDir("/").ok());
  Put(env, "/d/x.npy", Images());
  Put(env, "/d/y.npy", Npy(">i2", "(3,)", Elements(2, ByteOrder::kBig, kLabels)));
}

}  // namespace flair::data
