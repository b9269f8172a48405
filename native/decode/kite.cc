#include "decode/kite.h"

namespace tw::decode {

Reason DecodeKite(std::span<const std::uint8_t> packet, KitePacket* out) {
  Reason reason = Reason::kNone;
  switch (packet.size()) {
    case 8: out->kind = KiteKind::kLtp; break;
    case 28: out->kind = KiteKind::kIndexQuote; break;
    case 32: out->kind = KiteKind::kIndexFull; break;
    case 44: out->kind = KiteKind::kQuote; break;
    case 184: out->kind = KiteKind::kFull; break;
    case 164:
      out->kind = KiteKind::kLegacyFull;
      reason = Reason::kLegacyPacket;
      break;
    default: return Reason::kBadLength;
  }
  out->length = static_cast<std::uint16_t>(packet.size());
  SwapWordsFast(packet.data(), out->words, packet.size() / 4);
  return reason;
}

}  // namespace tw::decode
