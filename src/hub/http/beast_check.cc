// The second reader of a request head: Boost.Beast's parser.
// SPDX-License-Identifier: Apache-2.0
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "hub/http/head.h"

namespace flair::hub {

std::string DiffersForBeast(std::string_view head, const Head& ours) {
  namespace http = boost::beast::http;
  http::request_parser<http::empty_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(kMaxHeadBytes));
  parser.body_limit(boost::none);
  boost::beast::error_code code;
  const std::size_t read = parser.put(boost::asio::buffer(head.data(), head.size()), code);
  if (code) return "head: " + code.message();
  if (!parser.is_header_done() || read != head.size()) return "head: two readings differ in length";
  if (parser.chunked()) return "head: two readings differ in framing";
  const auto length = parser.content_length();
  if ((length ? *length : 0) != ours.content_length) {
    return "head: two readings differ in Content-Length";
  }
  const auto target = parser.get().target();
  if (!target.starts_with(ours.request.path)) return "head: two readings differ in target";
  return {};
}

}  // namespace flair::hub
