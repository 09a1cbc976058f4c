// Which of several compilations of the same kernels run on this machine.
//
// Place: zk/field; tile.cc and prover/k_kernels.cc choose by it. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

namespace flair::zk {

enum class Lanes : std::uint8_t { kPortable, kAvx2, kAvx512, kAvx512Ifma };

inline bool RunsHere([[maybe_unused]] Lanes lanes) {
#if defined(__x86_64__)
  if (lanes == Lanes::kAvx2) return __builtin_cpu_supports("avx2");
  if (lanes == Lanes::kAvx512) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
  }
  if (lanes == Lanes::kAvx512Ifma) {
    return RunsHere(Lanes::kAvx512) && __builtin_cpu_supports("avx512ifma");
  }
#endif
  return lanes == Lanes::kPortable;
}

// Those that run here, in the order given.
template <typename Kernels>
std::vector<const Kernels*> RunnableOf(
    std::initializer_list<std::pair<Lanes, const Kernels*>> compiled) {
  std::vector<const Kernels*> runnable;
  for (const auto& [lanes, kernels] : compiled) {
    if (RunsHere(lanes)) runnable.push_back(kernels);
  }
  return runnable;
}

}  // namespace flair::zk
