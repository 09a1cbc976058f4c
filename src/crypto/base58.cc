#include "crypto/base58.h"

#include <algorithm>

namespace flair {
namespace {

constexpr std::string_view kAlphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

}  // namespace

std::string ToBase58(ByteView bytes) {
  std::size_t zeros = 0;
  while (zeros < bytes.size() && bytes[zeros] == std::byte{0}) ++zeros;
  std::vector<unsigned> digits;  // base 58, least significant first
  for (const std::byte b : bytes.subspan(zeros)) {
    unsigned carry = std::to_integer<unsigned>(b);
    for (unsigned& d : digits) {
      carry += d << 8;
      d = carry % 58;
      carry /= 58;
    }
    for (; carry > 0; carry /= 58) digits.push_back(carry % 58);
  }
  std::string out(zeros, kAlphabet[0]);
  for (auto d = digits.rbegin(); d != digits.rend(); ++d) out.push_back(kAlphabet[*d]);
  return out;
}

Result<Bytes> FromBase58(std::string_view text, std::size_t max_bytes) {
  // log(256)/log(58) < 1.37: a longer text cannot be a canonical value of max_bytes.
  if (text.size() > max_bytes * 137 / 100 + 1) {
    return Error(ErrorCode::kInvalidArgument,
                 "base58 text is too long: " + std::to_string(text.size()) + " characters");
  }
  std::size_t zeros = 0;
  while (zeros < text.size() && text[zeros] == kAlphabet[0]) ++zeros;
  std::vector<unsigned> digits;  // base 256, least significant first
  for (std::size_t i = zeros; i < text.size(); ++i) {
    const std::size_t value = kAlphabet.find(text[i]);
    if (value == std::string_view::npos) {
      return Error(ErrorCode::kInvalidArgument,
                   "not a base58 character at position " + std::to_string(i));
    }
    unsigned carry = static_cast<unsigned>(value);
    for (unsigned& d : digits) {
      carry += d * 58;
      d = carry & 255;
      carry >>= 8;
    }
    for (; carry > 0; carry >>= 8) digits.push_back(carry & 255);
  }
  if (zeros + digits.size() > max_bytes) {
    return Error(ErrorCode::kInvalidArgument,
                 "base58 value has more than " + std::to_string(max_bytes) + " bytes");
  }
  Bytes out(zeros, std::byte{0});
  for (auto d = digits.rbegin(); d != digits.rend(); ++d) out.push_back(static_cast<std::byte>(*d));
  return out;
}

}  // namespace flair
