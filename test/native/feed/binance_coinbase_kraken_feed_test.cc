#include <gtest/gtest.h>

#include "feed/recording.h"
#include "feed/trade_ids.h"

namespace tw::feed {
namespace {

class VenueFixture : public ::testing::Test {
 protected:
  void Make(const char* venue) {
    session_ = std::make_unique<Session>(SessionOptions{.epoch = 1'700'000'000}, &sink_);
    listing_ = {&table_, session_.get(), -8, -8};
    session_->set_list_on_sight(&TestListing::List, &listing_);
    feed_ = MakeVenueFeed(venue, {.depth_levels = 5}, session_.get());
  }
  void Send(std::string_view text) {
    session_->BeginFrame(now_ += 1000);
    feed_->OnFrame({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, FrameKind::kText, "");
  }
  void Reconnect() {
    session_->NewEpoch(1'800'000'000);
    feed_->OnReconnect();
  }
  std::vector<const Gap*> Gaps(RecordType of) const {
    std::vector<const Gap*> out;
    for (std::size_t i = 0; i < sink_.size(); ++i) {
      if (sink_.header(i).type == RecordType::kGap && sink_.As<Gap>(i).of_type == of) out.push_back(&sink_.As<Gap>(i));
    }
    return out;
  }

  InstrumentTable table_;
  VectorSink sink_;
  TestListing listing_{};
  std::unique_ptr<Session> session_;
  std::unique_ptr<VenueFeed> feed_;
  std::uint64_t now_ = 1'783'465'300'000'000'000;  // Not before any of the messages: none is suspect.
};

class KrakenFeedTest : public VenueFixture {};
class CoinbaseFeedTest : public VenueFixture {};
class BinanceFeedTest : public VenueFixture {};

// The recorded BTC/USD snapshot's shape with its trailing zeros gone: 1.50 and 2.0 at two and three decimals.
constexpr const char* kBook =
    R"({"channel":"book","type":"%s","data":[{"symbol":"A/B","bids":[%s],"asks":[%s],"checksum":%u,"timestamp":"2026-07-07T23:00:03.947173Z"}]})";

std::string BookMessage(const char* type, const char* bids, const char* asks, std::uint32_t checksum) {
  char text[1024];
  std::snprintf(text, sizeof text, kBook, type, bids, asks, checksum);
  return text;
}
// CRC32, bit by bit: the slow and obvious one.
std::uint32_t Crc(std::string_view text) {
  std::uint32_t crc = 0xffffffffu;
  for (const char c : text) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int k = 0; k < 8; ++k) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0u);
  }
  return ~crc;
}

TEST_F(KrakenFeedTest, DecimalsAreLearnedWhereZerosWereDropped) {
  Make("kraken");
  // Decimals 2 and 3: ask 2 × 0.5 is 200, 500; bid 1.5 × 1 is 150, 1000.
  Send(BookMessage("snapshot", R"({"price":1.5,"qty":1})", R"({"price":2,"qty":0.5})", Crc("2005001501000")));
  EXPECT_EQ(feed_->book_stats().checks, 1u);
  EXPECT_EQ(feed_->book_stats().mismatches, 0u);
  Send(BookMessage("update", R"({"price":1.51,"qty":2})", "", Crc("20050015120001501000")));
  EXPECT_EQ(feed_->book_stats().mismatches, 0u);
  EXPECT_EQ(sink_.count(RecordType::kDepth5), 2u);
}

TEST_F(KrakenFeedTest, AWrongChecksumQuarantinesUntilTheNextSnapshot) {
  Make("kraken");
  const std::string snapshot =
      BookMessage("snapshot", R"({"price":1.50,"qty":1.000})", R"({"price":2.00,"qty":0.500})", Crc("2005001501000"));
  Send(snapshot);
  EXPECT_TRUE(feed_->TakeRequests().empty());
  Send(BookMessage("update", R"({"price":1.51,"qty":2.000})", "", 12345));
  EXPECT_EQ(feed_->book_stats().mismatches, 1u);
  EXPECT_EQ(feed_->book_stats().quarantined, 1u);
  Send(BookMessage("update", R"({"price":1.52,"qty":2.000})", "", 12345));
  const auto requests = feed_->TakeRequests();
  ASSERT_EQ(requests.size(), 1u);  // Asked once.
  EXPECT_EQ(requests[0].kind, FeedRequest::Kind::kResubscribe);
  EXPECT_EQ(requests[0].venue_symbol, "A/B");
  ASSERT_EQ(Gaps(RecordType::kDepth5).size(), 1u);
  EXPECT_EQ(Gaps(RecordType::kDepth5)[0]->cause, GapCause::kChecksum);
  Send(snapshot);
  EXPECT_EQ(feed_->book_stats().quarantined, 0u);
  EXPECT_EQ(feed_->book_stats().resyncs, 1u);
  EXPECT_EQ(sink_.last().flags, kFlagSnapshot | kFlagLastOfUpdate | kFlagGapBefore);
  // Snapshot, stale, snapshot; nothing from the two bad updates.
  EXPECT_EQ(sink_.count(RecordType::kDepth5), 3u);
}

constexpr const char* kKrakenTrade =
    R"({"channel":"trade","type":"%s","data":[{"symbol":"A/B","side":"sell","price":1.5,"qty":2,"ord_type":"limit","trade_id":%d,"timestamp":"2026-07-07T23:00:%02d.5Z"}]})";

TEST_F(KrakenFeedTest, TradeIdsGiveExactHolesAlsoAcrossAReconnect) {
  Make("kraken");
  const auto trade = [&](const char* type, int id) {
    char text[512];
    std::snprintf(text, sizeof text, kKrakenTrade, type, id, id);
    Send(text);
  };
  trade("snapshot", 9);  // Not live.
  EXPECT_EQ(sink_.count(RecordType::kTrade), 0u);
  trade("update", 10);
  trade("update", 11);
  trade("update", 11);  // A repeat.
  EXPECT_EQ(sink_.count(RecordType::kTrade), 2u);
  EXPECT_EQ(Gaps(RecordType::kTrade).size(), 0u);
  trade("update", 15);
  ASSERT_EQ(Gaps(RecordType::kTrade).size(), 1u);
  EXPECT_EQ(Gaps(RecordType::kTrade)[0]->count, 3u);
  EXPECT_EQ(Gaps(RecordType::kTrade)[0]->venue_from, 12u);
  EXPECT_EQ(Gaps(RecordType::kTrade)[0]->venue_to, 14u);
  EXPECT_EQ(Gaps(RecordType::kTrade)[0]->cause, GapCause::kVenueSequence);
  Reconnect();
  trade("update", 16);  // Nothing was missed.
  EXPECT_EQ(Gaps(RecordType::kTrade).size(), 1u);
  Reconnect();
  trade("update", 20);
  ASSERT_EQ(Gaps(RecordType::kTrade).size(), 2u);
  EXPECT_EQ(Gaps(RecordType::kTrade)[1]->count, 3u);
  EXPECT_EQ(Gaps(RecordType::kTrade)[1]->cause, GapCause::kReconnect);
}

TEST_F(CoinbaseFeedTest, MakerSideTurnsAndEchoesAreNoTrades) {
  Make("coinbase");
  const auto match = [&](const char* type, int id) {
    char text[512];
    std::snprintf(
        text, sizeof text,
        R"({"type":"%s","trade_id":%d,"maker_order_id":"x","taker_order_id":"y","side":"sell","size":"985","price":"0.00001305","product_id":"SKL-BTC","sequence":%d,"time":"2021-04-17T16:43:37.0897%02dZ"})",
        type, id, id * 100, id);
    Send(text);
  };
  match("last_match", 10);
  EXPECT_EQ(sink_.count(RecordType::kTrade), 0u);
  match("match", 11);
  ASSERT_EQ(sink_.last().type, RecordType::kTrade);
  const Trade& trade = sink_.As<Trade>(sink_.size() - 1);
  EXPECT_EQ(trade.side, Side::kBuy);
  EXPECT_EQ(trade.price, 1305);
  EXPECT_EQ(trade.size, 985'0000'0000);
  EXPECT_EQ(trade.trade_id, 11u);
  EXPECT_EQ(trade.header.ts_event, 1618677817089711000u);
  Reconnect();
  match("last_match", 14);
  match("match", 15);
  ASSERT_EQ(Gaps(RecordType::kTrade).size(), 1u);
  EXPECT_EQ(Gaps(RecordType::kTrade)[0]->count, 3u);  // 12, 13, 14.
  EXPECT_EQ(Gaps(RecordType::kTrade)[0]->cause, GapCause::kReconnect);
  EXPECT_EQ(sink_.count(RecordType::kTrade), 2u);
}

TEST_F(CoinbaseFeedTest, AnUpdateWithoutASnapshotAsksForOne) {
  Make("coinbase");
  Send(R"({"type":"l2update","product_id":"A-B","changes":[["buy","1.5","2"]],"time":"2021-04-17T16:43:37.075687Z"})");
  ASSERT_EQ(feed_->TakeRequests().size(), 1u);
  Send(R"({"type":"snapshot","product_id":"A-B","asks":[["2","1"]],"bids":[["1.5","1"]]})");
  Send(
      R"({"type":"l2update","product_id":"A-B","changes":[["buy","1.5","0"],["sell","1.9","3"]],"time":"2021-04-17T16:43:37.075687Z"})");
  ASSERT_EQ(sink_.count(RecordType::kDepth5), 2u);
  const auto& depth = sink_.As<Depth5>(sink_.size() - 1);
  EXPECT_EQ(depth.bids[0].price, kNoPrice);
  EXPECT_EQ(depth.asks[0].price, 190'000'000);
  EXPECT_EQ(depth.asks[1].price, 200'000'000);
}

TEST_F(BinanceFeedTest, FieldsOfATradeAndTheKindsDoNotMix) {
  Make("binance");
  Send(
      R"({"e":"aggTrade","E":1633998523963,"s":"NKNUSDT","a":5,"p":"0.35280000","q":"58.00000000","f":10,"l":12,"T":1633998523963,"m":false,"M":true})");
  ASSERT_EQ(sink_.last().type, RecordType::kTrade);
  const Trade trade = sink_.As<Trade>(sink_.size() - 1);
  EXPECT_EQ(trade.fills, 3u);
  EXPECT_EQ(trade.side, Side::kBuy);
  EXPECT_EQ(trade.price, 35'280'000);
  EXPECT_EQ(trade.header.ts_event, 1633998523963000000u);
  Send(
      R"({"e":"trade","E":1633998523963,"s":"NKNUSDT","t":12,"p":"0.35280000","q":"58.00000000","T":1633998523963,"m":false,"M":true})");
  EXPECT_EQ(sink_.count(RecordType::kTrade), 1u);
  EXPECT_EQ(session_->stats().reasons[Reason::kFiltered], 1u);
}

TEST_F(BinanceFeedTest, WhatDoesNotFitIsALossWithItsNumber) {
  Make("binance");
  const auto trade = [&](const char* id, const char* price) {
    Send(std::string(R"({"e":"trade","E":1633998523963,"s":"X","t":)") + id + R"(,"p":")" + price +
         R"(","q":"1","T":1633998523963,"m":false,"M":true})");
  };
  trade("1", "1.5");
  trade("2", "0.123456789");  // A ninth decimal.
  trade("3", "nonsense");
  trade("4", "1.5");
  const auto gaps = Gaps(RecordType::kTrade);
  ASSERT_EQ(gaps.size(), 2u);
  EXPECT_EQ(gaps[0]->cause, GapCause::kOverflow);
  EXPECT_EQ(gaps[0]->count, 1u);
  EXPECT_EQ(gaps[1]->cause, GapCause::kVenueSequence);  // The unreadable one shows as a hole in the venue's numbers.
  EXPECT_EQ(gaps[1]->count, 1u);
  EXPECT_EQ(session_->stats().reasons[Reason::kOverflow], 1u);
  EXPECT_EQ(session_->stats().reasons[Reason::kBadNumber], 1u);
}

TEST_F(BinanceFeedTest, FuturesLiquidationsAreOffMarket) {
  Make("binance_usdm");
  Send(
      R"({"e":"trade","E":1723161256322,"T":1723161256322,"s":"BTCUSDT","t":1,"p":"61800.30","q":"0.006","X":"INSURANCE_FUND","m":false})");
  EXPECT_EQ(sink_.last().flags & kFlagOffMarket, kFlagOffMarket);
  EXPECT_EQ(sink_.As<Trade>(sink_.size() - 1).conditions, 1u);
}

TEST_F(BinanceFeedTest, ClosedKlinesWhenAsked) {
  Make("binance");
  feed_ = MakeVenueFeed("binance", {.bars = true}, session_.get());
  const std::string open =
      R"({"e":"kline","E":1633998523963,"s":"NKNUSDT","k":{"t":1633998480000,"T":1633998539999,"s":"NKNUSDT","i":"1m","f":19862761,"L":19862790,"o":"0.35270000","c":"0.35280000","h":"0.35280000","l":"0.35220000","v":"25877.00000000","n":30,"x":false,"q":"9116.04600000","V":"58.00000000","Q":"20.46240000","B":"0"}})";
  Send(open);
  EXPECT_EQ(sink_.count(RecordType::kBar), 0u);
  std::string closed = open;
  closed.replace(closed.find("\"x\":false"), 9, "\"x\":true");
  Send(closed);
  ASSERT_EQ(sink_.count(RecordType::kBar), 1u);
  const Bar& bar = sink_.As<Bar>(sink_.size() - 1);
  EXPECT_EQ(bar.interval_ms, 60'000u);
  EXPECT_EQ(bar.ts_end - bar.header.ts_event, 60'000'000'000u);
  EXPECT_EQ(bar.volume, 2'587'700'000'000);
  const unsigned __int128 turnover = static_cast<unsigned __int128>(9'116'046) * 10'000'000'000'000u;  // 9116.046 at 1e-16.
  EXPECT_EQ(bar.turnover_low, static_cast<std::uint64_t>(turnover));
  EXPECT_EQ(bar.turnover_high, static_cast<std::uint64_t>(turnover >> 64));
  EXPECT_EQ(bar.vwap, 35'228'373);
  EXPECT_EQ(bar.trades, 30u);
}

}  // namespace
}  // namespace tw::feed
