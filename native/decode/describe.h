// A venue's bytes for people: one JSON object per line and packet, with the venue's own fields as raw integers. Needs no
// registry. Not on the path of a tick: it allocates.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "model/reason.h"

namespace tw::decode {

// `bytes` is one frame, message or file of the venue ("kite", "dhan", "dbn", ...); with bare_packet one packet without the
// frame around it. What is not decoded is counted. False: this build cannot describe that venue.
bool AppendPacketsJson(std::string_view venue, std::span<const std::uint8_t> bytes, bool bare_packet, std::string* out,
                       ReasonCounters* counts);

// One per venue, each in its own describe_<venue>.cc; describe.cc is their table.
void AppendKiteJson(std::span<const std::uint8_t> bytes, bool bare_packet, std::string* out, ReasonCounters* counts);
void AppendDhanJson(std::span<const std::uint8_t> bytes, bool bare_packet, std::string* out, ReasonCounters* counts);
// Binance, Coinbase, Kraken: `bytes` is one message or REST body, without white space between its tokens.
void AppendJsonVenue(std::span<const std::uint8_t> bytes, bool bare_packet, std::string* out, ReasonCounters* counts);
void AppendDbnJson(std::span<const std::uint8_t> bytes, bool bare_packet, std::string* out, ReasonCounters* counts);

}  // namespace tw::decode
