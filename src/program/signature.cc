// SPDX-License-Identifier: Apache-2.0
#include "program/signature.h"

#include "base/check.h"

namespace flair::program {

const Signature* FindByCode(std::span<const Signature> table, std::uint8_t code) {
  for (const Signature& s : table) {
    if (s.code == code) return &s;
  }
  return nullptr;
}

const Signature* FindByName(std::span<const Signature> table, std::string_view name) {
  for (const Signature& s : table) {
    if (s.name == name) return &s;
  }
  return nullptr;
}

const Attribute& AttributeOf(std::span<const Signature> table, const Call& call,
                             std::string_view name) {
  const Signature* const s = FindByCode(table, call.code);
  FLAIR_CHECK(s != nullptr) << "code " << int{call.code};
  std::size_t i = 0;
  while (i < s->attributes.size() && s->attributes[i].name != name) ++i;
  FLAIR_CHECK(i < call.attributes.size()) << s->name << " has no attribute " << name;
  return call.attributes[i];
}

Call DefaultCall(std::span<const Signature> table, std::string_view name) {
  const Signature* const s = FindByName(table, name);
  FLAIR_CHECK(s != nullptr) << name;
  Call call{.code = s->code, .attributes = {}};
  for (const AttributeInfo& a : s->attributes) call.attributes.push_back({a.otherwise});
  return call;
}

}  // namespace flair::program
