// SPDX-License-Identifier: Apache-2.0
#include "data/prover/secret.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "crypto/sha256.h"
#include "data/card.h"
#include "data/strict_json.h"

namespace flair::data {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kFormat = 1;

}  // namespace

Digest SeedOf(const Secret& secret, std::uint64_t generation) {
  Bytes message = ToBytes("flair data seed v1");
  Append(message, secret.key.view());
  AppendLe64(message, generation);
  return Sha256(message);
}

std::string EncodeSecret(const Secret& secret) {
  json::array choices;
  for (const Choice& choice : secret.choices) {
    choices.push_back(json::object{{"name", choice.name}, {"source", choice.source}});
  }
  const json::object document{{"format", kFormat},
                              {"key", secret.key.ToHex()},
                              {"source", secret.source},
                              {"columns", std::move(choices)}};
  return json::serialize(document) + "\n";
}

Result<Secret> DecodeSecret(std::string_view text) {
  FLAIR_TRY(const json::value document, ParseStrict(text, kMaxSecretBytes));
  FLAIR_TRY(const StrictObject o, StrictObject::Of(document, ""));
  FLAIR_DO(o.CheckFormat(kFormat));
  FLAIR_DO(o.HasOnly({"format", "key", "source", "columns"}));
  Secret secret;
  FLAIR_TRY(secret.key, o.Hash("key"));
  FLAIR_TRY(secret.source, o.Text("source"));
  FLAIR_TRY(const json::array* choices, o.Array("columns", kMaxColumns));
  for (const json::value& value : *choices) {
    FLAIR_TRY(const StrictObject choice, StrictObject::Of(value, "column"));
    FLAIR_DO(choice.HasOnly({"name", "source"}));
    Choice read;
    FLAIR_TRY(read.name, choice.Text("name"));
    FLAIR_TRY(read.source, choice.Text("source"));
    secret.choices.push_back(std::move(read));
  }
  FLAIR_DO(CheckSpelling(text, EncodeSecret(secret)));
  return secret;
}

}  // namespace flair::data
