// SPDX-License-Identifier: Apache-2.0
#include "hub/http/head.h"

#include <array>
#include <charconv>

#include "hub/http/text.h"

namespace flair::hub {
namespace {

constexpr std::string_view kTokenSymbols = "!#$%&'*+-.^_`|~";

bool IsAlnum(char c) {
  return (c >= '0' && c <= '9') || (LowerAscii(c) >= 'a' && LowerAscii(c) <= 'z');
}
bool IsToken(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (!IsAlnum(c) && kTokenSymbols.find(c) == std::string_view::npos) return false;
  }
  return true;
}
bool IsControl(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u < 0x20 || u == 0x7f;
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char l = LowerAscii(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

enum class Plus : std::uint8_t { kLiteral, kSpace };

std::optional<std::string> Decoded(std::string_view text, Plus plus) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return {};
      const int high = HexValue(text[i + 1]);
      const int low = HexValue(text[i + 2]);
      if (high < 0 || low < 0) return {};
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus == Plus::kSpace) {
      c = ' ';
    }
    if (IsControl(c)) return {};
    out.push_back(c);
  }
  return out;
}

bool HasDotPart(std::string_view decoded) {
  std::size_t at = 0;
  while (at <= decoded.size()) {
    const std::size_t slash = std::min(decoded.find('/', at), decoded.size());
    const std::string_view part = decoded.substr(at, slash - at);
    if (part == "." || part == "..") return true;
    at = slash + 1;
  }
  return false;
}

class HeadParser {
 public:
  explicit HeadParser(std::string_view text) : left_(text) {}

  std::variant<Head, Refusal> Run() {
    std::string_view line;
    if (!NextLine(line) || !ReadRequestLine(line)) return refusal_;
    std::size_t num_lines = 0;
    while (true) {
      if (!NextLine(line)) return refusal_;
      if (line.empty()) break;
      if (++num_lines > kMaxHeaderLines) {
        Refuse(431, "more than " + std::to_string(kMaxHeaderLines) + " header lines");
        return refusal_;
      }
      if (!ReadHeaderLine(line)) return refusal_;
    }
    if (!left_.empty()) Refuse(400, "bytes after the head");
    if (!refused_ && CheckFraming()) return std::move(head_);
    return refusal_;
  }

 private:
  bool Refuse(int status, std::string detail) {
    if (!refused_) refusal_ = {status, std::move(detail)};
    refused_ = true;
    return false;
  }

  bool NextLine(std::string_view& line) {
    const std::size_t lf = left_.find('\n');
    if (lf == std::string_view::npos) return Refuse(400, "head: no end of line");
    if (lf == 0 || left_[lf - 1] != '\r') return Refuse(400, "head: bare LF");
    line = left_.substr(0, lf - 1);
    if (line.find('\r') != std::string_view::npos) return Refuse(400, "head: bare CR");
    left_.remove_prefix(lf + 1);
    return true;
  }

  bool ReadRequestLine(std::string_view line) {
    const std::size_t first = line.find(' ');
    const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    if (second == std::string_view::npos || line.find(' ', second + 1) != std::string_view::npos) {
      return Refuse(400, "request line: must be METHOD SP TARGET SP VERSION");
    }
    const std::string_view method = line.substr(0, first);
    const std::string_view target = line.substr(first + 1, second - first - 1);
    const std::string_view version = line.substr(second + 1);
    if (!IsToken(method)) return Refuse(400, "request line: bad method");
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
      const bool http = version.starts_with("HTTP/") && version.size() == 8;
      return Refuse(http ? 505 : 400, "request line: HTTP/1.1 or HTTP/1.0 only");
    }
    is_1_0_ = version == "HTTP/1.0";
    head_.keep_alive = !is_1_0_;
    return ReadMethod(method) && ReadTarget(target);
  }

  bool ReadMethod(std::string_view method) {
    for (const Method m : {Method::kGet, Method::kHead, Method::kPost, Method::kPut, Method::kPatch,
                           Method::kDelete, Method::kOptions}) {
      if (MethodName(m) != method) continue;
      head_.request.method = m;
      return true;
    }
    // RFC 9110, 9.1 has 501 for a method that nobody here knows. A stranger's word is no fault of
    // this server, and new methods get registered (QUERY): each one is refused alike.
    return Refuse(405, "method '" + std::string(method) + "' is not served here");
  }

  bool ReadTarget(std::string_view target) {
    if (target.empty() || target.front() != '/') {
      return Refuse(400, "request target: must begin with '/'");
    }
    for (const char c : target) {
      if (IsControl(c) || static_cast<unsigned char>(c) >= 0x80 || c == '#' || c == '\\') {
        return Refuse(400, "request target: a character that must be percent-encoded");
      }
    }
    const std::size_t mark = std::min(target.find('?'), target.size());
    const std::string_view path = target.substr(0, mark);
    head_.request.path = path;
    std::size_t at = 1;
    while (at <= path.size()) {
      const std::size_t slash = std::min(path.find('/', at), path.size());
      auto part = Decoded(path.substr(at, slash - at), Plus::kLiteral);
      if (!part) return Refuse(400, "request target: bad percent-encoding");
      if (HasDotPart(*part)) return Refuse(400, "request target: '.' and '..' are refused");
      head_.request.parts.push_back(std::move(*part));
      at = slash + 1;
    }
    return mark == target.size() || ReadQuery(target.substr(mark + 1));
  }

  bool ReadQuery(std::string_view query) {
    while (!query.empty()) {
      const std::size_t end = std::min(query.find('&'), query.size());
      const std::string_view pair = query.substr(0, end);
      query.remove_prefix(std::min(end + 1, query.size()));
      if (pair.empty()) continue;
      const std::size_t equals = std::min(pair.find('='), pair.size());
      auto name = Decoded(pair.substr(0, equals), Plus::kSpace);
      auto value = Decoded(pair.substr(std::min(equals + 1, pair.size())), Plus::kSpace);
      if (!name || !value) return Refuse(400, "query: bad percent-encoding");
      head_.request.query.emplace_back(std::move(*name), std::move(*value));
    }
    return true;
  }

  bool ReadHeaderLine(std::string_view line) {
    if (line.front() == ' ' || line.front() == '\t') return Refuse(400, "header: folded line");
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return Refuse(400, "header: no colon");
    const std::string_view name = line.substr(0, colon);
    if (!IsToken(name)) return Refuse(400, "header: bad name");
    const std::string_view value = Trimmed(line.substr(colon + 1));
    for (const char c : value) {
      if (IsControl(c) && c != '\t') return Refuse(400, "header: control character");
    }
    if (const std::string* earlier = head_.request.headers.Find(name)) {
      return JoinOrRefuse(name, *earlier, value);
    }
    head_.request.headers.Set(name, value);
    return true;
  }

  // Lists may come in several lines; of these, two would mean two messages.
  bool JoinOrRefuse(std::string_view name, const std::string& earlier, std::string_view value) {
    constexpr std::string_view kSingle[] = {
        "Host",  "Content-Length", "Transfer-Encoding", "Authorization", "Content-Type",
        "Range", "Expect",         "Upload-Offset",     "If-Range",      "Connection"};
    for (const std::string_view single : kSingle) {
      if (EqualIgnoringCase(single, name)) {
        return Refuse(400, "header: '" + std::string(single) + "' appears twice");
      }
    }
    head_.request.headers.Set(name, earlier + ", " + std::string(value));
    return true;
  }

  bool CheckFraming() {
    const Headers& h = head_.request.headers;
    const std::string* host = h.Find("Host");
    if (host == nullptr && !is_1_0_) return Refuse(400, "header: Host is missing");
    if (host != nullptr &&
        host->find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-._:[]%") != std::string::npos) {
      return Refuse(400, "header: bad Host");
    }
    const std::string* length = h.Find("Content-Length");
    if (const std::string* coding = h.Find("Transfer-Encoding")) {
      if (is_1_0_) return Refuse(400, "header: Transfer-Encoding in HTTP/1.0");
      if (length != nullptr) {
        return Refuse(400, "header: both Content-Length and Transfer-Encoding");
      }
      if (!EqualIgnoringCase(*coding, "chunked")) {
        return Refuse(501, "header: unknown Transfer-Encoding");
      }
      return Refuse(411, "chunked bodies are not taken: send Content-Length");
    }
    if (length != nullptr && !ReadLength(*length)) return false;
    if (const std::string* expect = h.Find("Expect")) {
      if (!EqualIgnoringCase(*expect, "100-continue")) return Refuse(417, "header: bad Expect");
      head_.expects_continue = !is_1_0_;
    }
    if (const std::string* connection = h.Find("Connection")) {
      if (EqualIgnoringCase(*connection, "close")) head_.keep_alive = false;
      if (is_1_0_ && EqualIgnoringCase(*connection, "keep-alive")) head_.keep_alive = true;
    }
    return true;
  }

  bool ReadLength(const std::string& text) {
    if (text.empty() || text.size() > 18 ||
        text.find_first_not_of("0123456789") != std::string::npos) {
      return Refuse(400, "header: bad Content-Length");
    }
    (void)std::from_chars(text.data(), text.data() + text.size(), head_.content_length);
    return true;
  }

  std::string_view left_;
  Head head_;
  bool is_1_0_ = false;
  Refusal refusal_;
  bool refused_ = false;
};

}  // namespace

std::optional<std::size_t> FindHeadEnd(std::string_view bytes) {
  std::size_t lf = bytes.find('\n');
  while (lf != std::string_view::npos) {
    if (lf == 0 || bytes[lf - 1] != '\r') return lf + 1;  // bare: ParseHead refuses
    if (lf == 1) return lf + 1;                           // an empty request line: refused
    if (lf + 2 < bytes.size() && bytes[lf + 1] == '\r' && bytes[lf + 2] == '\n') return lf + 3;
    lf = bytes.find('\n', lf + 1);
  }
  return {};
}

std::variant<Head, Refusal> ParseHead(std::string_view head) {
  auto parsed = HeadParser(head).Run();
  if (const Head* ours = std::get_if<Head>(&parsed)) {
    std::string difference = DiffersForBeast(head, *ours);
    if (!difference.empty()) return Refusal{400, std::move(difference)};
  }
  return parsed;
}

}  // namespace flair::hub
