// SPDX-License-Identifier: Apache-2.0
#include "proof/matrix_json.h"

#include "data/strict_json.h"

namespace flair::proof {

namespace json = boost::json;
using data::StrictObject;

json::object MatrixJson(const MatrixId& matrix) {
  return {{"kappa", matrix.shape.log_columns},
          {"m", matrix.shape.log_n},
          {"rows", matrix.shape.num_rows},
          {"pads", matrix.shape.num_pads},
          {"root", matrix.root.ToHex()}};
}

Result<MatrixId> MatrixOf(const json::value& value, const std::string& where, zk::MatrixKind kind) {
  FLAIR_TRY(const StrictObject o, StrictObject::Of(value, where));
  FLAIR_DO(o.HasOnly({"kappa", "m", "rows", "pads", "root"}));
  MatrixId matrix;
  FLAIR_TRY(const std::uint64_t log_columns, o.Uint("kappa", zk::kMaxLogColumns));
  FLAIR_TRY(const std::uint64_t log_n, o.Uint("m", zk::kMaxLogN));
  matrix.shape.log_columns = static_cast<unsigned>(log_columns);
  matrix.shape.log_n = static_cast<unsigned>(log_n);
  FLAIR_TRY(matrix.shape.num_rows, o.Uint("rows", zk::kMaxRows));
  FLAIR_TRY(matrix.shape.num_pads, o.Uint("pads", matrix.shape.num_columns()));
  matrix.shape.kind = kind;
  if (const Status shape = zk::CheckShape(matrix.shape); !shape.ok()) {
    return o.Wrong(shape.error().message());
  }
  FLAIR_TRY(matrix.root, o.Hash("root"));
  return matrix;
}

}  // namespace flair::proof
