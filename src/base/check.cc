#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace flair {

constexpr int kExitInternalError = 70;  // EX_SOFTWARE of sysexits.h

CheckFailure::CheckFailure(const char* file, int line, const char* condition) {
  text_ << "internal error: " << file << ":" << line << ": " << condition << ": ";
}

CheckFailure::~CheckFailure() {
  std::fprintf(stderr, "%s\n", text_.str().c_str());
  std::fflush(stderr);
  std::_Exit(kExitInternalError);
}

}  // namespace flair
