#include "decode/coinbase.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tw::decode {
namespace {

std::span<const std::uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

constexpr const char* kMatch =
    R"({"type":"match","trade_id":280232,"maker_order_id":"2a0d","taker_order_id":"3c82","side":"sell","size":"985","price":"0.00001305","product_id":"SKL-BTC","sequence":177100030,"time":"2021-04-17T16:43:37.089723Z"})";
constexpr const char* kFrames[] = {
    kMatch,
    R"({"type":"last_match","trade_id":280232,"maker_order_id":"2a0d","taker_order_id":"3c82","side":"buy","size":"985","price":"0.00001305","product_id":"SKL-BTC","sequence":177100030,"time":"2021-04-17T16:43:37.089723Z"})",
    R"({"type":"ticker","sequence":333938798,"product_id":"BAND-GBP","price":"14.7775","open_24h":"14.6647","volume_24h":"94381.28000000","low_24h":"14.3691","high_24h":"16.55","volume_30d":"2295579.57000000","best_bid":"14.7550","best_ask":"14.8060","side":"buy","time":"2021-04-17T16:43:30.244075Z","trade_id":881613,"last_size":"0.04"})",
    R"({"type":"ticker","sequence":333938798,"product_id":"BAND-GBP","price":"14.7775","open_24h":"14.6647","volume_24h":"94381.28000000","low_24h":"14.3691","high_24h":"16.55","volume_30d":"2295579.57000000","best_bid":"14.7550","best_bid_size":"1.5","best_ask":"14.8060","best_ask_size":"2.5","side":"buy","time":"2021-04-17T16:43:30.244075Z","trade_id":881613,"last_size":"0.04"})",
    R"({"type":"heartbeat","last_trade_id":20,"product_id":"BTC-USD","sequence":90,"time":"2014-11-07T08:19:28.464459Z"})",
    R"({"type":"snapshot","product_id":"BAND-GBP","asks":[["14.8024","12.77"],["14.8069","12.49"]],"bids":[["14.7","1"]]})",
    R"({"type":"snapshot","product_id":"BAND-GBP","asks":[],"bids":[],"time":"2014-11-07T08:19:28.464459Z"})",
    R"({"type":"l2update","product_id":"SKL-BTC","changes":[["sell","0.00001306","660.5"],["buy","0.00001300","0"]],"time":"2021-04-17T16:43:37.075687Z"})"};

bool Same(const CoinbaseDecoder& a, const CoinbaseDecoder& b) {
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case CoinbaseKind::kMatch:
    case CoinbaseKind::kLastMatch: return a.match() == b.match();
    case CoinbaseKind::kTicker: return a.ticker() == b.ticker();
    case CoinbaseKind::kHeartbeat: return a.heartbeat() == b.heartbeat();
    case CoinbaseKind::kSnapshot:
      return a.level2() == b.level2() && std::ranges::equal(a.bids(), b.bids()) && std::ranges::equal(a.asks(), b.asks());
    case CoinbaseKind::kL2Update: return a.level2() == b.level2() && std::ranges::equal(a.changes(), b.changes());
    default: return true;
  }
}

TEST(Coinbase, MatchFields) {
  CoinbaseDecoder decoder;
  ASSERT_EQ(decoder.Decode(Bytes(kMatch)), CoinbaseKind::kMatch);
  EXPECT_FALSE(decoder.fell_back());
  const CoinbaseMatch expected{280232, 177100030, "SKL-BTC", "0.00001305", "985", "2021-04-17T16:43:37.089723Z", "sell"};
  EXPECT_EQ(decoder.match(), expected);
}

TEST(Coinbase, ScannerAndGeneralParserAgree) {
  std::size_t compared = 0;
  for (const std::string frame : kFrames) {
    CoinbaseDecoder scan, parse;
    ASSERT_TRUE(scan.Scan(Bytes(frame))) << frame;
    ASSERT_TRUE(parse.Parse(Bytes(frame))) << frame;
    EXPECT_TRUE(Same(scan, parse)) << frame;
    ++compared;
  }
  EXPECT_EQ(compared, 8u);
  std::printf("compared %zu frames\n", compared);
}

TEST(Coinbase, ReorderedAndAddedKeysDecodeEqual) {
  CoinbaseDecoder scan, other;
  ASSERT_TRUE(scan.Scan(Bytes(kMatch)));
  ASSERT_EQ(
      other.Decode(Bytes(
          R"({"new":{"x":[1]},"time":"2021-04-17T16:43:37.089723Z","sequence":177100030,"product_id":"SKL-BTC","price":"0.00001305","size":"985","side":"sell","trade_id":280232,"type":"match"})")),
      CoinbaseKind::kMatch);
  EXPECT_TRUE(other.fell_back());
  EXPECT_TRUE(Same(scan, other));
}

TEST(Coinbase, CutAtEveryByteIsRefused) {
  CoinbaseDecoder decoder;
  std::size_t cuts = 0;
  for (const std::string frame : kFrames) {
    for (std::size_t size = 0; size < frame.size(); ++size) {
      const std::vector<std::uint8_t> cut(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_EQ(decoder.Decode(cut), CoinbaseKind::kNone);
      ++cuts;
    }
  }
  std::printf("cut %zu times\n", cuts);
}

TEST(Coinbase, ControlAndUnknown) {
  CoinbaseDecoder decoder;
  EXPECT_EQ(decoder.Decode(Bytes(R"({"type":"subscriptions","channels":[{"name":"level2","product_ids":["BAND-GBP"]}]})")),
            CoinbaseKind::kSubscriptions);
  EXPECT_EQ(decoder.Decode(Bytes(R"({"type":"error","message":"Failed to subscribe","reason":"x"})")), CoinbaseKind::kError);
  EXPECT_EQ(decoder.Decode(Bytes(R"({"type":"received"})")), CoinbaseKind::kNone);
  EXPECT_EQ(decoder.reason(), Reason::kUnknownType);
  for (const char* bad : {"", "[]", "{}", R"({"type":"match"})",
                          R"({"type":"l2update","product_id":"A","changes":[["hold","1","2"]],"time":"x"})"}) {
    EXPECT_EQ(decoder.Decode(Bytes(bad)), CoinbaseKind::kNone) << bad;
    EXPECT_EQ(decoder.reason(), Reason::kBadJson) << bad;
  }
}

}  // namespace
}  // namespace tw::decode
