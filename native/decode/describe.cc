// The table of venues that can be described.
#include "decode/describe.h"

namespace tw::decode {
namespace {

using Append = void (*)(std::span<const std::uint8_t>, bool, std::string*, ReasonCounters*);
struct Entry {
  std::string_view venue;
  Append append;
};

constexpr Entry kEntries[] = {
    {"kite", AppendKiteJson},
    {"dhan", AppendDhanJson},
    {"dbn", AppendDbnJson},
    {"binance", AppendJsonVenue},
    {"binance_usdm", AppendJsonVenue},
    {"binance_coinm", AppendJsonVenue},
    {"coinbase", AppendJsonVenue},
    {"kraken", AppendJsonVenue},
};

}  // namespace

bool AppendPacketsJson(std::string_view venue, std::span<const std::uint8_t> bytes, bool bare_packet, std::string* out,
                       ReasonCounters* counts) {
  for (const Entry& entry : kEntries) {
    if (entry.venue != venue) continue;
    entry.append(bytes, bare_packet, out, counts);
    return true;
  }
  return false;
}

}  // namespace tw::decode
