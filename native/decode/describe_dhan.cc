#include "decode/describe.h"
#include "decode/dhan.h"
#include "decode/json_text.h"

namespace tw::decode {
namespace {

void AppendLevels(const DhanPacket& packet, std::string* out) {
  out->push_back('[');
  for (std::size_t k = 0; k < 5; ++k) {
    if (k != 0) out->push_back(',');
    const DhanLevel& level = packet.levels[k];
    JsonObject(out)
        .Number("bid_quantity", level.bid_quantity)
        .Number("ask_quantity", level.ask_quantity)
        .Number("bid_orders", level.bid_orders)
        .Number("ask_orders", level.ask_orders)
        .Float("bid_price_f32", level.bid_price)
        .Float("ask_price_f32", level.ask_price)
        .End();
  }
  out->push_back(']');
}

void AppendPacket(std::span<const std::uint8_t> bytes, std::string* out, ReasonCounters* counts) {
  DhanPacket packet;
  const Reason reason = DecodeDhan(bytes, &packet);
  if (reason != Reason::kNone) counts->Add(reason);
  JsonObject line(out);
  if (reason == Reason::kTruncated) {
    line.Number("packet_length", bytes.size()).Text("refused", ReasonName(reason)).End();
    out->push_back('\n');
    return;
  }
  line.Number("response_code", static_cast<std::uint8_t>(packet.code))
      .Number("message_length", packet.length)
      .Number("exchange_segment", packet.segment)
      .Number("security_id", packet.security_id);
  if (reason != Reason::kNone) {
    line.Text("refused", ReasonName(reason)).End();
    out->push_back('\n');
    return;
  }
  switch (packet.code) {
    case DhanCode::kTicker: line.Float("ltp_f32", packet.last_price).Number("ltt", packet.last_time); break;
    case DhanCode::kPreviousClose: line.Float("prev_close_f32", packet.previous_close).Number("prev_oi", packet.open_interest); break;
    case DhanCode::kOpenInterest: line.Number("oi", packet.open_interest); break;
    case DhanCode::kDisconnect: line.Number("reason", packet.reason).Text("reason_text", DhanDisconnectText(packet.reason)); break;
    case DhanCode::kDepth:
      line.Float("ltp_f32", packet.last_price);
      line.Name("depth");
      AppendLevels(packet, out);
      break;
    case DhanCode::kQuote:
    case DhanCode::kFull:
      line.Float("ltp_f32", packet.last_price)
          .Number("ltq", packet.last_quantity)
          .Number("ltt", packet.last_time)
          .Float("atp_f32", packet.average_price)
          .Number("volume", packet.volume)
          .Number("total_sell_quantity", packet.sell_quantity)
          .Number("total_buy_quantity", packet.buy_quantity);
      if (packet.code == DhanCode::kFull) {
        line.Number("oi", packet.open_interest)
            .Number("oi_day_high", packet.open_interest_day_high)
            .Number("oi_day_low", packet.open_interest_day_low);
      }
      line.Float("open_f32", packet.open).Float("close_f32", packet.close).Float("high_f32", packet.high).Float("low_f32", packet.low);
      if (packet.code == DhanCode::kFull) {
        line.Name("depth");
        AppendLevels(packet, out);
      }
      break;
    default: break;
  }
  line.End();
  out->push_back('\n');
}

}  // namespace

void AppendDhanJson(std::span<const std::uint8_t> bytes, bool bare_packet, std::string* out, ReasonCounters* counts) {
  if (bare_packet) {
    AppendPacket(bytes, out, counts);
    return;
  }
  const Reason reason = ForEachDhanPacket(
      bytes, [&](std::span<const std::uint8_t> packet) { AppendPacket(packet, out, counts); },
      [&] { counts->Add(Reason::kHeartbeat); });
  if (reason != Reason::kNone) counts->Add(reason);
}

}  // namespace tw::decode
