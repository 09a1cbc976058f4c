// SPDX-License-Identifier: Apache-2.0
#include "repo/light.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "repo/graph_testing.h"
#include "tensor/convert.h"

namespace flair {
namespace {

using testing::HasSubstr;

class LightTest : public testing::Test {
 protected:
  CommitId Put(const TestModel& model) { return graph_.PutModelCommit(model, {}); }

  Bytes Write(const CommitId& commit, LightKind kind) {
    Bytes out;
    const Status status =
        WriteLightModel(graph_.store(), commit, "model.safetensors", kind, [&](ByteView piece) {
          EXPECT_LE(piece.size(), std::size_t{1} << 20);
          Append(out, piece);
          return OkStatus();
        });
    EXPECT_TRUE(status.ok()) << status.error().message();
    const LightSize size = Get(LightModelSize(graph_.store(), commit, "model.safetensors", kind));
    EXPECT_EQ(size.light_bytes, out.size());
    return out;
  }
  static std::string Json(const Bytes& file) {
    return std::string(AsText(ByteView(file).subspan(8, LoadLe64(file))));
  }
  static ByteView Data(const Bytes& file) { return ByteView(file).subspan(8 + LoadLe64(file)); }

  TestGraph graph_;
};

TestTensor Matrix(std::uint64_t rows, std::uint64_t columns, float scale) {
  std::vector<float> values(rows * columns);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = scale * (static_cast<float>(i % 255) - 127.0F);
  }
  TestTensor t = F32(values);
  t.dims = {rows, columns};
  return t;
}

TEST_F(LightTest, Int8RowsComeWithTheirScales) {
  TestTensor w = F32({127, -63.5F, 0, 2.54F});
  w.dims = {2, 2};
  const Bytes file = Write(Put({{"b", F32({1.5F})}, {"n", I64({7})}, {"w", w}}), LightKind::kInt8);
  const std::string json = Json(file);
  EXPECT_THAT(json, HasSubstr("\"flair.light\":\"int8\""));
  // Widest elements first: n (8 bytes), then b and the scales (4 each), then w (1 each).
  EXPECT_THAT(json, HasSubstr("\"n\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}"));
  EXPECT_THAT(json, HasSubstr("\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}"));
  EXPECT_THAT(json,
              HasSubstr("\"w.scale\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[12,20]}"));
  EXPECT_THAT(json, HasSubstr("\"w\":{\"dtype\":\"I8\",\"shape\":[2,2],\"data_offsets\":[20,24]}"));
  const ByteView data = Data(file);
  ASSERT_EQ(data.size(), 24U);
  float scales[2];
  std::memcpy(scales, data.data() + 12, sizeof scales);
  EXPECT_EQ(scales[0], 1.0F);
  EXPECT_EQ(scales[1], 2.54F / 127);
  std::int8_t q[4];
  std::memcpy(q, data.data() + 20, sizeof q);
  EXPECT_THAT(q, testing::ElementsAre(127, -64, 0, 127));
}

TEST_F(LightTest, Bf16HalvesEveryFloat32) {
  const Bytes file = Write(Put({{"b", F32({1.5F, -2})}, {"n", I64({7})}}), LightKind::kBf16);
  EXPECT_THAT(Json(file),
              HasSubstr("\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[8,12]}"));
  double values[2];
  LoadAsDouble(DType::kBF16, Data(file).subspan(8, 4), values);
  EXPECT_THAT(values, testing::ElementsAre(1.5, -2));
}

// More than a piece, rows longer than a read, and many short rows.
TEST_F(LightTest, LargeTensorsStreamInPieces) {
  const Bytes file =
      Write(Put({{"long", Matrix(3, 700'001, 0.5F)}, {"short", Matrix(100'003, 3, 2)}}),
            LightKind::kInt8);
  const ByteView data = Data(file);
  ASSERT_EQ(data.size(), 3 * 4 + 3 * 700'001 + 100'003 * 4 + 100'003 * 3);
  // Scales of `long`, its rows, scales of `short`, its rows.
  EXPECT_EQ(std::to_integer<std::int8_t>(data[12]), -127);
  EXPECT_EQ(std::to_integer<std::int8_t>(data[12 + 254]), 127);
}

TEST_F(LightTest, RefusesWhatHasNoLightForm) {
  const auto code = [&](const CommitId& commit, std::string_view path) {
    const Status s = WriteLightModel(graph_.store(), commit, path, LightKind::kInt8,
                                     [](ByteView) { return OkStatus(); });
    return s.ok() ? ErrorCode{} : s.error().code();
  };
  const CommitId text = graph_.PutCommit({{"a.txt", graph_.PutText("hello")}}, {});
  EXPECT_EQ(code(text, "a.txt"), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(text, "b.txt"), ErrorCode::kNotFound);
  TestTensor w = F32({1, std::numeric_limits<float>::quiet_NaN()});
  w.dims = {1, 2};
  EXPECT_EQ(code(Put({{"w", w}}), "model.safetensors"), ErrorCode::kInvalidArgument);
  TestTensor good = F32({1, 2});
  good.dims = {1, 2};
  EXPECT_EQ(code(Put({{"w", good}, {"w.scale", F32({1})}}), "model.safetensors"),
            ErrorCode::kInvalidArgument);
  EXPECT_FALSE(LightKindFromName("int4").ok());
  EXPECT_EQ(Get(LightKindFromName("bf16")), LightKind::kBf16);
}

TEST_F(LightTest, ASinkThatFailsEndsTheStream) {
  const Status status = WriteLightModel(
      graph_.store(), Put({{"w", Matrix(4, 4, 1)}}), "model.safetensors", LightKind::kInt8,
      [](ByteView) { return Error(ErrorCode::kCancelled, "stop"); });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code(), ErrorCode::kCancelled);
}

}  // namespace
}  // namespace flair
