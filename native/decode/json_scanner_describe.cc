// The JSON venues say everything in their own text: a description is that text on one line, checked to be JSON. A file may hold one
// message over several lines, or one a line, with or without the receive time that captures put in front.
#include <cstring>
#include <string_view>

#include "decode/describe.h"
#include "decode/json_scanner.h"

namespace tw::decode {
namespace {

// "1723161254087896568 {…}" and "1633998512.06: {…}": the message behind the time.
std::string_view WithoutTime(std::string_view line) {
  const std::size_t begin = line.find_first_not_of("0123456789.: ");
  return begin == std::string_view::npos ? std::string_view() : line.substr(begin);
}

}  // namespace

void AppendJsonVenue(std::span<const std::uint8_t> bytes, bool, std::string* out, ReasonCounters* counts) {
  if (AppendJsonLine(bytes, out)) return;
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  do {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = WithoutTime(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty() && bytes.size() > 0) continue;
    if (!AppendJsonLine({reinterpret_cast<const std::uint8_t*>(line.data()), line.size()}, out)) counts->Add(Reason::kBadJson);
  } while (!rest.empty());
}

}  // namespace tw::decode
