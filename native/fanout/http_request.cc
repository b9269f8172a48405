#include "fanout/http_request.h"

#include <algorithm>
#include <cctype>

namespace tw::fanout {
namespace {

bool IsToken(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool ListHas(std::string_view list, std::string_view wanted) {
  const std::string lower = Lower(list);
  std::string_view rest = lower;
  while (true) {
    const std::size_t comma = rest.find(',');
    if (Trim(rest.substr(0, comma)) == wanted) return true;
    if (comma == std::string_view::npos) return false;
    rest.remove_prefix(comma + 1);
  }
}

bool TakeOnce(std::string* field, std::string_view value) {
  if (!field->empty()) return false;
  *field = value;
  return true;
}

}  // namespace

const char* HttpStatusText(int status) {
  switch (status) {
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 426: return "Upgrade Required";
    case 431: return "Request Header Fields Too Large";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Error";
  }
}

HttpReader::State HttpReader::Refuse(int status) {
  status_ = status;
  state_ = State::kRefused;
  return state_;
}

HttpReader::State HttpReader::Feed(const std::uint8_t* data, std::size_t size, std::size_t* used) {
  *used = 0;
  while (state_ == State::kMore && *used < size) {
    const char c = static_cast<char>(data[(*used)++]);
    head_.push_back(c);
    const std::size_t line = head_.size() - line_start_;
    if (lines_ == 0 ? line > limits_.line_bytes_max : line > limits_.header_bytes_max) return Refuse(lines_ == 0 ? 414 : 431);
    if (head_.size() > limits_.total_bytes_max) return Refuse(431);
    if (c != '\n') continue;
    if (line < 2 || head_[head_.size() - 2] != '\r') return Refuse(400);
    if (line == 2) {
      if (lines_ == 0) {  // One empty line before a request is allowed (RFC 9112 section 2.2); more are not.
        if (head_.size() > 2) return Refuse(400);
        line_start_ = head_.size();
        continue;
      }
      return Parse();
    }
    if (lines_ > limits_.headers_max) return Refuse(431);
    ++lines_;
    line_start_ = head_.size();
  }
  return state_;
}

HttpReader::State HttpReader::Parse() {
  std::string_view rest = head_;
  if (rest.substr(0, 2) == "\r\n") rest.remove_prefix(2);
  bool first = true;
  while (true) {
    const std::size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    if (line.empty()) break;
    if (!(first ? TakeRequestLine(line) : TakeHeader(line))) return Refuse(status_ != 0 ? status_ : 400);
    first = false;
  }
  if (request_.host.empty()) return Refuse(400);
  head_.clear();
  head_.shrink_to_fit();
  state_ = State::kDone;
  return state_;
}

bool HttpReader::TakeRequestLine(std::string_view line) {
  const std::size_t space = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (space == std::string_view::npos || space == 0 || last <= space + 1) return false;
  const std::string_view method = line.substr(0, space);
  const std::string_view target = line.substr(space + 1, last - space - 1);
  const std::string_view version = line.substr(last + 1);
  if (!std::all_of(method.begin(), method.end(), IsToken)) return false;
  if (target.front() != '/') return false;
  if (!std::all_of(target.begin(), target.end(), [](char c) { return c > ' ' && c < 0x7f; })) return false;
  if (version != "HTTP/1.1") {
    if (version.substr(0, 5) == "HTTP/") status_ = 505;
    return false;
  }
  request_.method = method;
  request_.path = target.substr(0, target.find_first_of("?#"));
  return true;
}

bool HttpReader::TakeHeader(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view name = line.substr(0, colon);
  if (!std::all_of(name.begin(), name.end(), IsToken)) return false;
  const std::string_view value = Trim(line.substr(colon + 1));
  for (const char c : value) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) return false;
  }
  const std::string key = Lower(name);
  if (key == "host") return !value.empty() && TakeOnce(&request_.host, value);
  if (key == "origin") {
    if (request_.has_origin) return false;
    request_.has_origin = true;
    request_.origin = value;
    return true;
  }
  if (key == "upgrade") {
    request_.wants_upgrade = request_.wants_upgrade || ListHas(value, "websocket");
  } else if (key == "connection") {
    request_.connection_upgrade = request_.connection_upgrade || ListHas(value, "upgrade");
  } else if (key == "sec-websocket-key") {
    return !value.empty() && TakeOnce(&request_.key, value);
  } else if (key == "sec-websocket-version") {
    return !value.empty() && TakeOnce(&request_.version, value);
  } else if (key == "transfer-encoding" || (key == "content-length" && value != "0")) {
    status_ = 413;  // A request with a body is none of ours; left unread it would be taken for frames.
    return false;
  }
  return true;
}

}  // namespace tw::fanout
