// Blame: the commit that last changed each tensor.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "object/content.h"
#include "object/ids.h"
#include "store/object_store.h"

namespace flair {

struct BlameEntry {
  std::string path;
  std::string tensor;
  TensorRef value;
  CommitId commit;  // the last one whose value differs from every parent's
};

// Tensors of `from` whose name matches `glob` (base/glob.h, '*' matches all), by
// path and name. Follows the first parent that holds the same value; a path that was
// renamed ends the search. Errors: kNotFound when nothing matches.
Result<std::vector<BlameEntry>> Blame(const ObjectStore& objects, const CommitId& from,
                                      std::string_view glob);

}  // namespace flair
