#include "decode/dhan.h"

namespace tw::decode {
namespace {

using U16 = std::uint16_t;
using U32 = std::uint32_t;

void ReadLevels(const std::uint8_t* at, DhanPacket* out) {
  for (DhanLevel& level : out->levels) {
    level = {ReadLittle<U32>(at), ReadLittle<U32>(at + 4), ReadLittle<U16>(at + 8), ReadLittle<U16>(at + 10), ReadLittle<float>(at + 12),
             ReadLittle<float>(at + 16)};
    at += 20;
  }
}

void ReadPrices(const std::uint8_t* at, DhanPacket* out) {
  out->open = ReadLittle<float>(at);
  out->close = ReadLittle<float>(at + 4);
  out->high = ReadLittle<float>(at + 8);
  out->low = ReadLittle<float>(at + 12);
}

void ReadTrade(const std::uint8_t* p, DhanPacket* out) {
  out->last_quantity = ReadLittle<U16>(p + 12);
  out->last_time = ReadLittle<U32>(p + 14);
  out->average_price = ReadLittle<float>(p + 18);
  out->volume = ReadLittle<U32>(p + 22);
  out->sell_quantity = ReadLittle<U32>(p + 26);
  out->buy_quantity = ReadLittle<U32>(p + 30);
}

}  // namespace

Reason DecodeDhan(std::span<const std::uint8_t> packet, DhanPacket* out) {
  if (packet.size() < 8) return Reason::kTruncated;
  const std::uint8_t* p = packet.data();
  out->code = static_cast<DhanCode>(p[0]);
  out->length = ReadLittle<U16>(p + 1);
  out->segment = p[3];
  out->security_id = ReadLittle<U32>(p + 4);
  const std::size_t size = DhanSize(p[0]);
  if (size == 0) return Reason::kUnknownType;
  if (packet.size() != size) return Reason::kBadLength;
  switch (out->code) {
    case DhanCode::kTicker:
      out->last_price = ReadLittle<float>(p + 8);
      out->last_time = ReadLittle<U32>(p + 12);
      break;
    case DhanCode::kPreviousClose:
      out->previous_close = ReadLittle<float>(p + 8);
      out->open_interest = ReadLittle<U32>(p + 12);
      break;
    case DhanCode::kOpenInterest: out->open_interest = ReadLittle<U32>(p + 8); break;
    case DhanCode::kQuote:
      out->last_price = ReadLittle<float>(p + 8);
      ReadTrade(p, out);
      ReadPrices(p + 34, out);
      break;
    case DhanCode::kFull:
      out->last_price = ReadLittle<float>(p + 8);
      ReadTrade(p, out);
      out->open_interest = ReadLittle<U32>(p + 34);
      out->open_interest_day_high = ReadLittle<U32>(p + 38);
      out->open_interest_day_low = ReadLittle<U32>(p + 42);
      ReadPrices(p + 46, out);
      ReadLevels(p + 62, out);
      break;
    case DhanCode::kDepth:
      out->last_price = ReadLittle<float>(p + 8);
      ReadLevels(p + 12, out);
      break;
    case DhanCode::kDisconnect: out->reason = ReadLittle<U16>(p + 8); break;
    default: break;
  }
  return Reason::kNone;
}

const char* DhanDisconnectText(std::uint16_t reason) {
  switch (reason) {
    case 805: return "too many connections";
    case 806: return "not subscribed to data";
    case 807: return "token expired";
    case 808: return "authentication failed";
    case 809: return "token invalid";
    case 810: return "client id invalid";
    default: return "unknown reason";
  }
}

}  // namespace tw::decode
