// What the tests of the proof system share: the reference's vectors, and short words for them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/hex.h"
#include "crypto/digest.h"
#include "zk/field/fp2.h"
#include "zk/pcs/shape.h"

namespace flair::zk {

namespace json = boost::json;

// tests/vectors/NAME
inline json::value ReadVectors(const std::string& name) {
  std::ifstream in(FLAIR_SOURCE_DIR "/tests/vectors/" + name);
  std::stringstream text;
  text << in.rdbuf();
  return json::parse(text.str());
}

inline std::string Str(const json::value& v) { return std::string(v.as_string()); }
inline std::uint64_t Num(const json::value& v) { return v.to_number<std::uint64_t>(); }
inline Digest Dig(const json::value& v) { return Digest::FromHex(Str(v)).value(); }
// Elements are decimal texts: JSON's own numbers end at 2^53 for some readers.
inline std::uint64_t Word(const json::value& v) { return std::stoull(Str(v)); }
inline Fp2 Ext(const json::value& v) { return {Fp(Word(v.at(0))), Fp(Word(v.at(1)))}; }

inline MatrixShape ShapeOf(const json::value& v) {
  MatrixShape shape;
  shape.log_columns = static_cast<unsigned>(Num(v.at("log_columns")));
  shape.log_n = static_cast<unsigned>(Num(v.at("log_n")));
  shape.num_rows = Num(v.at("num_rows"));
  shape.num_pads = Num(v.at("num_pads"));
  shape.kind = MatrixKindNamed(Str(v.at("kind"))).value_or(shape.kind);
  return shape;
}

inline std::vector<std::uint64_t> WordsOf(const json::value& list) {
  std::vector<std::uint64_t> out;
  for (const json::value& v : list.as_array()) out.push_back(Word(v));
  return out;
}

}  // namespace flair::zk
