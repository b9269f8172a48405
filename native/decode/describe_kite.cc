#include "decode/describe.h"
#include "decode/json_text.h"
#include "decode/kite.h"

namespace tw::decode {
namespace {

const char* ModeName(KiteKind kind) {
  switch (kind) {
    case KiteKind::kLtp: return "ltp";
    case KiteKind::kIndexQuote:
    case KiteKind::kQuote: return "quote";
    case KiteKind::kIndexFull:
    case KiteKind::kFull: return "full";
    case KiteKind::kLegacyFull: return "full-legacy";
  }
  return "";
}

void AppendDepth(const KitePacket& packet, std::string* out) {
  for (std::size_t k = 0; k < 10; ++k) {
    if (k == 0) out->append("{\"buy\":[");
    if (k == 5) out->append("],\"sell\":[");
    if (k % 5 != 0) out->push_back(',');
    const KiteDepthEntry entry = packet.depth(k);
    JsonObject(out)
        .Number("quantity", entry.quantity)
        .Number("price_raw", entry.price)
        .Number("orders", entry.orders)
        .Number("pad", entry.padding)
        .End();
  }
  out->append("]}");
}

void AppendPacket(std::span<const std::uint8_t> bytes, const std::uint32_t* packet_count, std::size_t frame_length, std::string* out,
                  ReasonCounters* counts) {
  KitePacket packet;
  const Reason reason = DecodeKite(bytes, &packet);
  if (reason != Reason::kNone) counts->Add(reason);
  JsonObject line(out);
  line.Number("packet_length", bytes.size());
  if (reason == Reason::kBadLength) {
    line.Text("refused", ReasonName(reason)).End();
    out->push_back('\n');
    return;
  }
  const int exponent = KitePriceExponent(packet.segment());
  line.Number("instrument_token", packet.token())
      .Number("segment", packet.segment())
      .Number("exchange_token", packet.exchange_token())
      .Number("price_divisor", exponent == -7 ? 10'000'000 : exponent == -4 ? 10'000 : 100)
      .Text("mode", ModeName(packet.kind))
      .Number("last_price_raw", packet.last_price());
  if (packet.is_index()) {
    line.Number("high_raw", packet.index_high())
        .Number("low_raw", packet.index_low())
        .Number("open_raw", packet.index_open())
        .Number("close_raw", packet.index_close())
        .Number("change_raw", packet.index_change());
    if (packet.kind == KiteKind::kIndexFull) line.Number("exchange_timestamp", packet.exchange_time());
  }
  if (packet.has_quote()) {
    line.Number("last_traded_quantity", packet.last_quantity())
        .Number("average_traded_price_raw", packet.average_price())
        .Number("volume_traded", packet.volume())
        .Number("total_buy_quantity", packet.buy_quantity())
        .Number("total_sell_quantity", packet.sell_quantity())
        .Number("open_raw", packet.open())
        .Number("high_raw", packet.high())
        .Number("low_raw", packet.low())
        .Number("close_raw", packet.close());
  }
  if (packet.kind == KiteKind::kFull) {
    line.Number("last_trade_time", packet.last_trade_time())
        .Number("oi", packet.open_interest())
        .Number("oi_day_high", packet.open_interest_day_high())
        .Number("oi_day_low", packet.open_interest_day_low())
        .Number("exchange_timestamp", packet.exchange_time());
  }
  if (packet.kind == KiteKind::kFull || packet.kind == KiteKind::kLegacyFull) {
    line.Name("depth");
    AppendDepth(packet, out);
  }
  if (packet_count != nullptr) line.Number("packet_count", *packet_count).Number("frame_length", frame_length);
  line.End();
  out->push_back('\n');
}

}  // namespace

void AppendKiteJson(std::span<const std::uint8_t> bytes, bool bare_packet, std::string* out, ReasonCounters* counts) {
  if (bare_packet) {
    AppendPacket(bytes, nullptr, 0, out, counts);
    return;
  }
  // '{"' would be a frame of 31,522 packets: a text message.
  if (bytes.size() >= 2 && bytes[0] == '{' && (bytes[1] == '"' || bytes[1] == ' ')) {
    counts->Add(Reason::kTextMessage);
    JsonObject(out).Text("text", {reinterpret_cast<const char*>(bytes.data()), bytes.size()}).End();
    out->push_back('\n');
    return;
  }
  const std::uint32_t count = bytes.size() < 2 ? 0 : ReadBig16(bytes.data());
  const Reason reason = ForEachKitePacket(
      bytes, [&](std::span<const std::uint8_t> packet) { AppendPacket(packet, &count, bytes.size(), out, counts); });
  if (reason != Reason::kNone) counts->Add(reason);
}

}  // namespace tw::decode
