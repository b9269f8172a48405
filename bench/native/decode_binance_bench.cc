// decode.binance-trade: a trade message to scaled integers, the schema-directed scanner against simdjson ondemand. Both read
// every field that a trade record needs, in the venue's order, and turn the decimals with the same function.
#include <simdjson.h>

#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "bench.h"
#include "decode/binance.h"

namespace {

constexpr int kExponent = -8;

struct Frames {
  std::vector<simdjson::padded_string> texts;
};

Frames MakeFrames(std::size_t count) {
  Frames frames;
  for (std::size_t i = 0; i < count; ++i) {
    char text[256];
    const int size = std::snprintf(text, sizeof text,
                                   "{\"e\":\"trade\",\"E\":%llu,\"s\":\"BTCUSDT\",\"t\":%zu,\"p\":\"%zu.%02zu000000\",\"q\":\"0.%05zu000\",\"T\":%llu,\"m\":%s,\"M\":true}",
                                   1723161255343ull + i, 3735683259 + i, 61000 + i % 1000, i % 100, i % 100000, 1723161255342ull + i, i % 3 == 0 ? "true" : "false");
    frames.texts.emplace_back(text, static_cast<std::size_t>(size));
  }
  return frames;
}

std::uint64_t Sum(std::uint64_t hash, std::int64_t price, std::int64_t size, std::uint64_t id, std::uint64_t time, bool maker, std::size_t symbol) {
  return tw::bench::Mix(hash, static_cast<std::uint64_t>(price) * 3 + static_cast<std::uint64_t>(size) * 5 + id * 7 + time * 11 + (maker ? 13 : 17) + symbol);
}

tw::bench::Run Ours(const Frames& frames, std::size_t rounds) {
  tw::decode::BinanceDecoder decoder;
  std::uint64_t hash = 0;
  for (std::size_t round = 0; round < rounds; ++round) {
    for (const auto& text : frames.texts) {
      if (decoder.Decode({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}) != tw::decode::BinanceKind::kTrade) std::abort();
      const auto& trade = decoder.trade();
      std::int64_t price = 0;
      std::int64_t size = 0;
      if (!tw::decode::ParseScaledText(trade.price, kExponent, &price) || !tw::decode::ParseScaledText(trade.size, kExponent, &size)) std::abort();
      hash = Sum(hash, price, size, trade.id, trade.time, trade.buyer_is_maker, trade.symbol.size());
    }
  }
  return {rounds * frames.texts.size(), hash};
}

tw::bench::Run Theirs(const Frames& frames, std::size_t rounds) {
  simdjson::ondemand::parser parser;
  std::uint64_t hash = 0;
  for (std::size_t round = 0; round < rounds; ++round) {
    for (const auto& text : frames.texts) {
      auto document = parser.iterate(text);
      auto object = document.get_object();
      const std::string_view kind = object["e"].get_string();
      if (kind != "trade") std::abort();
      const std::string_view symbol = object["s"].get_string();
      const std::uint64_t id = object["t"].get_uint64();
      const std::string_view price_text = object["p"].get_string();
      const std::string_view size_text = object["q"].get_string();
      const std::uint64_t time = object["T"].get_uint64();
      const bool maker = object["m"].get_bool();
      std::int64_t price = 0;
      std::int64_t size = 0;
      if (!tw::decode::ParseScaledText(price_text, kExponent, &price) || !tw::decode::ParseScaledText(size_text, kExponent, &size)) std::abort();
      hash = Sum(hash, price, size, id, time, maker, symbol.size());
    }
  }
  return {rounds * frames.texts.size(), hash};
}

}  // namespace

int main() {
  const Frames frames = MakeFrames(4096);
  const auto rounds = static_cast<std::size_t>(300 * tw::bench::Scale()) + 1;
  return tw::bench::Compare("decode.binance-trade", "simdjson ondemand", false, [&] { return Ours(frames, rounds); }, [&] { return Theirs(frames, rounds); });
}
