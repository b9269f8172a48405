// The JSON venues say everything in their own text: a description is that text on one line, checked to be JSON.
#include "decode/describe.h"
#include "decode/json_scanner.h"

namespace tw::decode {

void AppendJsonVenue(std::span<const std::uint8_t> bytes, bool, std::string* out, ReasonCounters* counts) {
  if (!AppendJsonLine(bytes, out)) counts->Add(Reason::kBadJson);
}

}  // namespace tw::decode
