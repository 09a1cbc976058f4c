// Relations: the script by which prover and verifier bring a circuit's zeros down to claims about
// committed cells. docs/spec/relations.md.
//
//   zero Z          draw a point over steps and axes: <eq, Z> = 0
//   claim on a form what is linear in committed cells joins one claim for the batch opening; each
//                   product is passed as a masked value, and shown by a sum whose end is a claim
//                   on either factor
//
// Both ends run the same code: values come from a witness that the verifier has not got.
//
// Place: zk/relation. Thread safety: one thread at a time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "circuit/circuit.h"
#include "zk/batch/claim.h"
#include "zk/mask/channel.h"
#include "zk/relation/layout.h"
#include "zk/relation/product.h"
#include "zk/sumcheck/sum.h"

namespace flair::zk {

// What only the prover has.
class RelationWitness {
 public:
  virtual ~RelationWitness() = default;

  class Product : public SumWitness {
   public:
    // The product's value, its coefficient apart; before any round.
    virtual Fp2 Value() const = 0;
  };
  virtual std::unique_ptr<Product> Tables(const ProductPlan& plan) = 0;
};

class Relations {
 public:
  // All are borrowed. `witness`: null at the verifier's end.
  Relations(const circuit::Circuit& circuit, const Layout& layout, const Publics& publics,
            Transcript& transcript, Channel& channel, RelationWitness* witness)
      : circuit_(circuit),
        layout_(layout),
        publics_(publics),
        transcript_(transcript),
        channel_(channel),
        witness_(witness) {}

  // Every zero of the circuit. The claims must be proven: without them nothing was shown.
  void ShowZeros();
  std::vector<Claim> TakeClaims() { return std::move(claims_); }

 private:
  // A product within a claim, and the tables from which the prover shows it.
  struct Pending {
    ProductPlan plan;
    std::unique_ptr<RelationWitness::Product> tables;
    Secret value;
  };
  // What a claim about a form comes to.
  struct Parts {
    Claim cells;
    Fp2 constant;
    std::vector<Pending> products;
  };

  void Show(circuit::ValueId form, const Functional& functional, const Secret& value);
  void Settle(Parts parts, const Secret& value);
  void Take(const circuit::Read& read, const Functional& functional, Fp2 coefficient, Parts& parts);
  void TakeForm(circuit::ValueId form, const Functional& functional, Fp2 coefficient, Parts& parts);
  void TakeNumber(const circuit::Read& read, const Functional& functional, Fp2 coefficient,
                  Parts& parts);
  void AddProduct(ProductPlan plan, Fp2 coefficient, Parts& parts);
  void ShowProduct(Pending product);
  Functional DrawPoint(const std::vector<circuit::AxisId>& axes);

  const circuit::Circuit& circuit_;
  const Layout& layout_;
  const Publics& publics_;
  Transcript& transcript_;
  Channel& channel_;
  RelationWitness* witness_;
  std::vector<Claim> claims_;
};

}  // namespace flair::zk
