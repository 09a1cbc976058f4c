// SPDX-License-Identifier: Apache-2.0
#include "policy/policy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto policy = flair::ParsePolicy({reinterpret_cast<const char*>(data), size});
  if (policy.ok()) (void)flair::MayPush(*policy, "main", flair::PolicyRole::kOwner);
  return 0;
}
