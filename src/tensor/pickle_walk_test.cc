#include "tensor/pickle_walk.h"

#include <gtest/gtest.h>

#include "tensor/handmade.h"

namespace flair {
namespace {

using namespace handmade;  // NOLINT: a vocabulary

std::string Show(const Pickle& pickle, PickleId id, int depth = 0);

std::string ShowItems(const Pickle& pickle, const PickleValue& value, int depth) {
  std::string out;
  for (const PickleId item : value.items)
    out += (out.empty() ? "" : " ") + Show(pickle, item, depth);
  return out;
}

std::string Show(const Pickle& pickle, PickleId id, int depth) {
  if (depth > 5) return "...";
  const PickleValue& v = pickle[id];
  const std::string items = ShowItems(pickle, v, depth + 1);
  switch (v.kind) {
    case PickleKind::kNone:
      return "None";
    case PickleKind::kBool:
      return v.number == 1 ? "True" : "False";
    case PickleKind::kInt:
      return std::to_string(v.number);
    case PickleKind::kFloat:
      return "float";
    case PickleKind::kText:
      return "'" + std::string(v.text) + "'";
    case PickleKind::kBytes:
      return "b'" + std::string(v.text) + "'";
    case PickleKind::kTuple:
      return "(" + items + ")";
    case PickleKind::kList:
      return "[" + items + "]";
    case PickleKind::kDict:
      return "{" + items + "}";
    case PickleKind::kSet:
      return "<" + items + ">";
    case PickleKind::kGlobal:
      return std::string(v.module) + "." + std::string(v.text);
    case PickleKind::kCall: {
      std::string out = Show(pickle, v.callee, depth + 1) + Show(pickle, v.arguments, depth + 1);
      if (!items.empty())
        out += (v.items_are_pairs ? "{" : "[") + items + (v.items_are_pairs ? "}" : "]");
      if (v.state != kNoPickleId) out += "|" + Show(pickle, v.state, depth + 1);
      return out;
    }
    case PickleKind::kPersistentId:
      return "@" + Show(pickle, v.callee, depth + 1);
    case PickleKind::kOther:
      return "other";
  }
  return "?";
}

std::string ShowBytes(const std::string& bytes) {
  const auto pickle = ReadPickle(AsBytes(bytes));
  return pickle.ok() ? Show(*pickle, pickle->root) : pickle.error().message();
}

std::string operator""_op(const char* text, std::size_t n) { return {text, n}; }

TEST(PickleWalkTest, BuildsWhatEveryOpcodeSays) {
  const struct {
    std::string opcodes;
    const char* value;
  } kCases[] = {
      {"N", "None"},
      {"\x88", "True"},
      {"\x89", "False"},
      {"K\xff", "255"},
      {"M\xff\xff", "65535"},
      {"J\xff\xff\xff\xff", "-1"},
      {"\x8a\x00"_op, "0"},
      {"\x8a\x01\x80", "-128"},
      {"\x8a\x02\x80\x00"_op, "128"},
      {"\x8b\x01\x00\x00\x00\x7f"_op, "127"},
      {Int(-5), "-5"},
      {"\x8a\x09" + std::string(9, '\x01'), "other"},
      {"G" + std::string(8, '\0'), "float"},
      {"U\x02hi", "'hi'"},
      {"T\x02\0\0\0hi"_op, "'hi'"},
      {"\x8c\x02hi", "'hi'"},
      {Text("hi"), "'hi'"},
      {"\x8d" + Le(2, 8) + "hi", "'hi'"},
      {"C\x02hi", "b'hi'"},
      {"B" + Le(2, 4) + "hi", "b'hi'"},
      {"\x8e" + Le(2, 8) + "hi", "b'hi'"},
      {"\x96" + Le(2, 8) + "hi", "b'hi'"},
      {")", "()"},
      {"N\x85", "(None)"},
      {"K\x01K\x02\x86", "(1 2)"},
      {"K\x01K\x02K\x03\x87", "(1 2 3)"},
      {"(K\x01K\x02t", "(1 2)"},
      {"]", "[]"},
      {"]K\x01"
       "aK\x02"
       "a",
       "[1 2]"},
      {"](K\x01K\x02"
       "e",
       "[1 2]"},
      {"(K\x01K\x02l", "[1 2]"},
      {"}K\x01K\x02s", "{1 2}"},
      {"}(K\x01K\x02u", "{1 2}"},
      {"(K\x01K\x02"
       "d",
       "{1 2}"},
      {"\x8f(K\x01\x90", "<1>"},
      {"(K\x01\x91", "<1>"},
      {Global("os", "system"), "os.system"},
      {"\x8c\x02os\x8c\x06system\x93", "os.system"},
      {Call(Global("os", "system"), {Text("id")}), "os.system('id')"},
      {Global("m", "C") + ")\x81" + Dict({{"a", "N"}}) + "b", "m.C()|{'a' None}"},
      {Global("m", "C") + ")}\x92", "m.C()"},
      {Call(Global("collections", "OrderedDict"), {}) + "(" + Text("a") + "Nu",
       "collections.OrderedDict(){'a' None}"},
      {Call(Global("m", "L"), {}) + "(NNe", "m.L()[None None]"},
      {Text("k") + "Q", "@'k'"},
      {"K\x01q\x05"
       "0h\x05",
       "1"},
      {"K\x01r\x05\0\0\0000j\x05\0\0\0"_op, "1"},
      {"K\x01\x94K\x02\x94\x86h\x00h\x01\x86\x86"_op, "((1 2) (1 2))"},
      {"K\x01"
       "2\x86",
       "(1 1)"},
      {"K\x01(NN1", "1"},
      {"K\x01(0", "1"},
      {"\x95" + Le(2, 8) + "K\x01", "1"},
      {"]q\x00h\x00"
       "a"_op,
       "[[[[[[...]]]]]]"},  // contains itself
  };
  for (const auto& c : kCases) EXPECT_EQ(ShowBytes(WholePickle(c.opcodes)), c.value) << c.value;
}

TEST(PickleWalkTest, MoreMayFollow) {
  const std::string bytes = WholePickle("N") + "rest";
  EXPECT_EQ(ReadPickle(AsBytes(bytes))->size_bytes, 4);
}

TEST(PickleWalkTest, WhatNoUnpicklerReadsIsRefusedAtItsByte) {
  const struct {
    std::string opcodes;
    const char* message;
    ErrorCode code = ErrorCode::kCorrupt;
  } kCases[] = {
      {"", "nothing on the stack at byte 2"},
      {"N0", "nothing on the stack at byte 4"},
      {"N(", "nothing on the stack at byte 4"},
      {"\x85", "nothing on the stack"},
      {"N\x86", "nothing on the stack"},
      {"N(\x85", "nothing on the stack"},  // a mark is a floor
      {"q", "nothing on the stack"},
      {"Nt", "no mark"},
      {"X\xff\xff\xff\x7f", "ends inside the opcode at byte 2"},
      {"\x8d" + std::string(8, '\xff'), "ends inside the opcode"},
      {"\x8e" + std::string(8, '\xff'), "ends inside the opcode"},
      {"\x8b\xff\xff\xff\xff", "ends inside the opcode"},
      {"\x95" + std::string(8, '\xff'), "ends inside its frame"},
      {"cos", "ends inside a line"},
      {"h\x07", "memo entry 7 was never put"},
      {"Nq\x02h\x01", "memo entry 1 was never put"},
      {"}(Nu", "a key without a value"},
      {"(Nd", "a key without a value"},
      {"NNa", "no container of their kind"},
      {"]NNs", "no container of their kind"},
      {"}(Ne", "no container of their kind"},
      {Global("a", "b") + "NR", "arguments are no tuple"},
      {"NN\x93", "name is no text"},
      {"NNb", "state for what is no object", ErrorCode::kUnsupported},
      {Call(Global("a", "b"), {}) + "NaNNs", "a list and a dict", ErrorCode::kUnsupported},
      {"I1\n", "unknown opcode 73 at byte 2", ErrorCode::kUnsupported},
      {"\x97", "unknown opcode 151", ErrorCode::kUnsupported},
      {"\x80\x06", "protocol 6", ErrorCode::kUnsupported},
      {"Nr\x09\0\0\0"_op, "memo entry 9 at byte 3", ErrorCode::kUnsupported},
      {"Nr\xff\xff\xff\xff", "memo entry 4294967295", ErrorCode::kUnsupported},
  };
  for (const auto& c : kCases) {
    const std::string bytes = WholePickle(c.opcodes);
    const auto pickle = ReadPickle(AsBytes(bytes));
    ASSERT_FALSE(pickle.ok()) << c.message;
    EXPECT_EQ(pickle.error().code(), c.code) << c.message;
    EXPECT_NE(pickle.error().message().find(c.message), std::string::npos)
        << pickle.error().message() << "\nexpected: " << c.message;
  }
}

TEST(PickleWalkTest, ACutIsCorruptOnlyWhenTheBytesAreAll) {
  const std::string bytes = WholePickle(Dict({{"a", Ints({1, 2})}, {"b", Global("m", "n")}}));
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const ByteView cut = AsBytes(std::string_view(bytes).substr(0, n));
    EXPECT_EQ(ReadPickle(cut).error().code(), ErrorCode::kCorrupt) << n;
    EXPECT_EQ(ReadPickle(cut, PickleInput::kCutShort).error().code(), ErrorCode::kUnsupported) << n;
  }
}

TEST(PickleWalkTest, MoreValuesThanTheLimitAreNotRead) {
  const std::string bytes = WholePickle(std::string(kMaxPickleValues + 1, 'N'));
  EXPECT_EQ(ReadPickle(AsBytes(bytes)).error().code(), ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace flair
