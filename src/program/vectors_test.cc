// Golden vectors: tests/vectors/program.json, which reference/program_vectors.py prints.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "base/hex.h"
#include "program/encoding.h"
#include "program/text.h"

namespace flair::program {
namespace {

namespace json = boost::json;

const json::object& Vectors() {
  static const json::value vectors = [] {
    std::ifstream in(FLAIR_SOURCE_DIR "/tests/vectors/program.json");
    std::stringstream text;
    text << in.rdbuf();
    return json::parse(text.str());
  }();
  return vectors.as_object();
}

std::string Str(const json::value& v) { return std::string(v.as_string()); }

TEST(ProgramVectorsTest, BytesTextAndHashAreTheReferences) {
  EXPECT_EQ(Vectors().at("programs").as_array().size(), 6U);
  for (const json::value& v : Vectors().at("programs").as_array()) {
    const std::string name = Str(v.at("name"));
    const Bytes bytes = FromHex(Str(v.at("bytes"))).value();
    const auto decoded = DecodeProgram(bytes);
    ASSERT_TRUE(decoded.ok()) << name << ": " << decoded.error().message();
    EXPECT_EQ(PrintProgram(*decoded), Str(v.at("text"))) << name;
    EXPECT_EQ(HashProgram(*decoded).ToHex(), Str(v.at("hash"))) << name;
    const auto parsed = ParseProgram(Str(v.at("text")));
    ASSERT_TRUE(parsed.ok()) << name << ": " << parsed.error().message();
    EXPECT_EQ(EncodeProgram(*parsed), bytes) << name;
  }
}

TEST(ProgramVectorsTest, WhatTheReferenceRefusesIsRefused) {
  EXPECT_GT(Vectors().at("refused").as_array().size(), 60U);
  for (const json::value& v : Vectors().at("refused").as_array()) {
    const auto decoded = DecodeProgram(FromHex(Str(v.at("bytes"))).value());
    EXPECT_FALSE(decoded.ok()) << Str(v.at("what"));
  }
}

}  // namespace
}  // namespace flair::program
