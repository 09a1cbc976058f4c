// CountingChannel: how many pads and triples a script takes, and the degrees of what its draws
// test. Plans are made of what it counts.
//
// Place: zk/mask; used by both sides. Thread safety: one thread at a time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "zk/mask/channel.h"

namespace flair::zk {

class CountingChannel final : public Channel {
 public:
  std::uint64_t num_pads() const { return num_pads_; }
  std::uint64_t num_triples() const { return num_triples_; }
  std::uint64_t degrees() const { return degrees_; }  // their sum

  // Nothing is absorbed: challenges differ from those of a proof, counts do not.
  std::vector<Secret> Pass(Transcript& /*transcript*/, Label /*label*/,
                           const std::vector<Fp2>& values) override {
    num_pads_ += values.size();
    return std::vector<Secret>(values.size());
  }
  Product PassProduct(Transcript& /*transcript*/, Label /*label*/, Fp2 /*a*/, Fp2 /*b*/) override {
    ++num_triples_;
    return {};
  }
  void RequireZero(const Masked& /*zero*/) override {}
  Fp2 Draw(Transcript& transcript, Label label, unsigned degree) override {
    degrees_ += degree;
    return transcript.Draw(label);
  }

 private:
  std::uint64_t num_pads_ = 0;
  std::uint64_t num_triples_ = 0;
  std::uint64_t degrees_ = 0;
};

}  // namespace flair::zk
