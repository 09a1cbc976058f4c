// FLAIR_CHECK: for promises that only our own mistakes can break.
//
// A failed check prints where and why and ends the process with status 70. If
// bytes from outside can reach one, that is a bug: return an Error instead.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sstream>

namespace flair {

class CheckFailure {
 public:
  CheckFailure(const char* file, int line, const char* condition);
  [[noreturn]] ~CheckFailure();
  template <typename T>
  CheckFailure& operator<<(const T& why) {
    text_ << why;
    return *this;
  }

 private:
  std::ostringstream text_;
};

}  // namespace flair

#define FLAIR_CHECK(condition) \
  if (condition) [[likely]] {  \
  } else                       \
    ::flair::CheckFailure(__FILE__, __LINE__, #condition)
