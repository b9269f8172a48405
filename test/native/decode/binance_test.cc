#include "decode/binance.h"

#include <gtest/gtest.h>

#include "decode/describe.h"

namespace tw::decode {
namespace {

std::span<const std::uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

constexpr const char* kSpotTrade =
    R"({"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true})";
constexpr const char* kFrames[] = {
    kSpotTrade,
    R"({"e":"trade","E":1723161256322,"T":1723161256322,"s":"BTCUSDT","t":5266583935,"p":"61800.30","q":"0.006","X":"MARKET","m":false})",
    R"({"e":"aggTrade","E":1633998523963,"s":"NKNUSDT","a":15683430,"p":"0.35280000","q":"58.00000000","f":19862790,"l":19862792,"T":1633998523963,"m":false,"M":true})",
    R"({"e":"aggTrade","E":1626992741575,"a":16599292,"s":"CTKUSDT","p":"1.01100","q":"10","f":23961322,"l":23961322,"T":1626992741421,"m":false})",
    R"({"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"})",
    R"({"e":"bookTicker","u":5123107839020,"s":"BTCUSDT","b":"61800.20","B":"2.507","a":"61800.30","A":"2.510","T":1723161256313,"E":1723161256313})",
    R"({"u":1007198632021,"e":"bookTicker","s":"BTCUSD_PERP","ps":"BTCUSD","b":"61804.7","B":"35","a":"61804.8","A":"1645","T":1723161257465,"E":1723161257476})",
    R"({"e":"depthUpdate","E":1723161255308,"s":"BTCUSDT","U":50093239203,"u":50093239207,"b":[["55653.87000000","0.00000000"]],"a":[["61838.04000000","0.32332000"],["61844.30000000","0.40163000"]]})",
    R"({"e":"depthUpdate","E":1723161257440,"T":1723161257432,"s":"BTCUSD_PERP","ps":"BTCUSD","U":1007198631260,"u":1007198631565,"pu":1007198631198,"b":[["61773.6","1001"]],"a":[]})",
    R"({"lastUpdateId":50093239218,"bids":[["61837.63000000","3.78826000"]],"asks":[["61838.63000000","3.78826000"]]})",
    R"({"lastUpdateId":1007198635033,"E":1723161257835,"T":1723161257823,"symbol":"BTCUSD_PERP","pair":"BTCUSD","bids":[],"asks":[["61804.7","35"]]})",
    R"({"e":"kline","E":1626992741424,"s":"CTKUSDT","k":{"t":1626992700000,"T":1626992759999,"s":"CTKUSDT","i":"1m","f":23961275,"L":23961322,"o":"1.01000","c":"1.01100","h":"1.01100","l":"1.01000","v":"3917","n":48,"x":false,"q":"3957.89900","V":"1729","Q":"1748.01900","B":"0"}})"};

std::string Show(const BinanceDecoder& d) {
  std::string out = std::to_string(static_cast<int>(d.kind())) + ' ' + std::to_string(static_cast<int>(d.reason())) + ' ' +
                    std::string(d.stream());
  const auto add = [&](auto... parts) { ((out += ' ', out += std::string(parts)), ...); };
  const auto num = [](std::uint64_t n) { return std::to_string(n); };
  const BinanceTrade& t = d.trade();
  const BinanceAggTrade& a = d.agg_trade();
  const BinanceBookTicker& b = d.book_ticker();
  const BinanceDepth& p = d.depth();
  const BinanceKline& k = d.kline();
  switch (d.kind()) {
    case BinanceKind::kTrade:
      add(num(t.event_time), num(t.time), t.symbol, num(t.id), t.price, t.size, t.order_type, num(t.buyer_is_maker));
      break;
    case BinanceKind::kAggTrade:
      add(num(a.event_time), num(a.time), a.symbol, num(a.id), num(a.first_id), num(a.last_id), a.price, a.size,
          num(a.buyer_is_maker));
      break;
    case BinanceKind::kBookTicker:
      add(num(b.event_time), num(b.time), num(b.update_id), b.symbol, b.bid_price, b.bid_size, b.ask_price, b.ask_size);
      break;
    case BinanceKind::kDepthUpdate:
    case BinanceKind::kDepthSnapshot:
      add(num(p.event_time), num(p.time), p.symbol, num(p.first_id), num(p.last_id), num(p.previous_id), num(p.has_previous_id));
      for (const LevelText& level : d.bids()) add("b", level.price, level.size);
      for (const LevelText& level : d.asks()) add("a", level.price, level.size);
      break;
    case BinanceKind::kKline:
      add(num(k.event_time), num(k.start), num(k.end), k.symbol, k.interval, k.open, k.high, k.low, k.close, k.volume,
          k.quote_volume, k.buy_volume, k.buy_quote_volume, num(k.trades), num(k.closed));
      break;
    default: break;
  }
  return out;
}

TEST(Binance, SpotTradeFields) {
  BinanceDecoder decoder;
  ASSERT_EQ(decoder.Decode(Bytes(kSpotTrade)), BinanceKind::kTrade);
  EXPECT_FALSE(decoder.fell_back());
  const BinanceTrade expected{1723161255343, 1723161255342, "BTCUSDT", 3735683259, "61837.63000000", "0.02000000", "", true};
  EXPECT_EQ(decoder.trade(), expected);
}

TEST(Binance, ScannerAndGeneralParserAgreeOnEveryKindBareAndCombined) {
  BinanceDecoder scan, parse;
  std::size_t compared = 0;
  for (const std::string bare : kFrames) {
    for (const std::string& frame : {bare, "{\"stream\":\"btcusdt@x\",\"data\":" + bare + "}"}) {
      ASSERT_TRUE(scan.Scan(Bytes(frame))) << frame;
      ASSERT_TRUE(parse.Parse(Bytes(frame))) << frame;
      EXPECT_EQ(Show(scan), Show(parse));
      ++compared;
    }
  }
  EXPECT_EQ(compared, 24u);
  std::printf("compared %zu frames\n", compared);
}

TEST(Binance, ReorderedAddedAndSpacedKeysDecodeEqual) {
  BinanceDecoder scan, other;
  ASSERT_TRUE(scan.Scan(Bytes(kSpotTrade)));
  for (
      const char* frame :
      {R"({"M":true,"m":true,"T":1723161255342,"q":"0.02000000","p":"61837.63000000","t":3735683259,"s":"BTCUSDT","E":1723161255343,"e":"trade"})",
       R"({"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","b":88,"a":50,"T":1723161255342,"m":true,"M":true})",
       R"( {"e": "trade", "E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true,"z":{"a":[1,{"e":2}]}} )",
       R"({"e":"tr\u0061de","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true})"}) {
    EXPECT_EQ(other.Decode(Bytes(frame)), BinanceKind::kTrade) << frame;
    EXPECT_TRUE(other.fell_back());
    EXPECT_EQ(other.trade(), scan.trade()) << frame;
  }
}

TEST(Binance, CutAtEveryByteIsRefused) {
  BinanceDecoder decoder;
  std::size_t cuts = 0;
  for (const std::string frame : kFrames) {
    for (std::size_t size = 0; size < frame.size(); ++size) {
      const std::vector<std::uint8_t> cut(
          frame.begin(),
          frame.begin() + static_cast<std::ptrdiff_t>(size));  // Its own allocation: a read beyond it shows under ASan.
      EXPECT_EQ(decoder.Decode(cut), BinanceKind::kNone);
      EXPECT_EQ(decoder.reason(), Reason::kBadJson);
      ++cuts;
    }
  }
  std::printf("cut %zu times\n", cuts);
}

TEST(Binance, AnswersErrorsAndUnknownKinds) {
  BinanceDecoder decoder;
  EXPECT_EQ(decoder.Decode(Bytes(R"({"result":null,"id":1})")), BinanceKind::kAnswer);
  EXPECT_EQ(decoder.Decode(Bytes(R"({"error":{"code":2,"msg":"Invalid request"},"id":1})")), BinanceKind::kError);
  EXPECT_EQ(decoder.Decode(Bytes(R"({"code":-1121,"msg":"Invalid symbol."})")), BinanceKind::kError);
  EXPECT_EQ(decoder.Decode(Bytes(R"({"e":"24hrTicker","E":1,"s":"BTCUSDT"})")), BinanceKind::kNone);
  EXPECT_EQ(decoder.reason(), Reason::kUnknownType);
  EXPECT_EQ(decoder.Decode(Bytes(R"({"e":"trade","E":1.5,"s":"BTCUSDT"})")), BinanceKind::kNone);
  EXPECT_EQ(decoder.reason(), Reason::kBadJson);
  for (const char* bad : {"", "[]", "null", "{}", "[1,2]", "{\"e\":\"trade\"}", "\xff\xfe", "{\"u\":1,\"s\":2}"}) {
    EXPECT_EQ(decoder.Decode(Bytes(bad)), BinanceKind::kNone) << bad;
    EXPECT_EQ(decoder.reason(), Reason::kBadJson) << bad;
  }
}

TEST(Binance, DescribesOneLinePerMessage) {
  for (const char* venue : {"binance", "binance_usdm", "binance_coinm", "coinbase", "kraken"}) {
    std::string out;
    ReasonCounters counters;
    EXPECT_TRUE(AppendPacketsJson(venue, Bytes(kSpotTrade), false, &out, &counters));
    EXPECT_EQ(out, std::string(kSpotTrade) + "\n");
    EXPECT_TRUE(AppendPacketsJson(venue, Bytes("{"), false, &out, &counters));
    EXPECT_EQ(counters[Reason::kBadJson], 1u);
  }
}

}  // namespace
}  // namespace tw::decode
