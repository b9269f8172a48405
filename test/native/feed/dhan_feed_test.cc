#include <gtest/gtest.h>

#include <cmath>

#include "feed/vector_sink.h"
#include "feed/venue_feed.h"

namespace tw::feed {
namespace {

class DhanFeedTest : public ::testing::Test {
 protected:
  DhanFeedTest() {
    session_.AddInstrument(table_.Add({.id = 0x06000001, .price_exponent = -4, .size_exponent = 0, .symbol = "RELIANCE"}), "",
                           (1ull << 32) | 2885);
    session_.BeginFrame(1'786'002'660'000'000'000);
  }
  static std::vector<std::uint8_t> Packet(std::uint8_t code, std::size_t size) {
    std::vector<std::uint8_t> bytes(size);
    bytes[0] = code;
    bytes[1] = static_cast<std::uint8_t>(size);
    bytes[3] = 1;
    bytes[4] = 0x45, bytes[5] = 0x0b;  // 2885.
    return bytes;
  }
  template <class T>
  static void Put(std::vector<std::uint8_t>* bytes, std::size_t at, T value) {
    std::memcpy(bytes->data() + at, &value, sizeof value);
  }
  void Send(const std::vector<std::uint8_t>& frame) { feed_->OnFrame(frame, FrameKind::kBinary, ""); }

  InstrumentTable table_;
  VectorSink sink_;
  Session session_{{.epoch = 1, .sampled = true}, &sink_};
  std::unique_ptr<VenueFeed> feed_ = MakeVenueFeed("dhan", {}, &session_);
};

TEST_F(DhanFeedTest, TheRecordedTicker) {
  Send({0x02, 0x10, 0x00, 0x01, 0x45, 0x0b, 0x00, 0x00, 0x9a, 0x19, 0xa5, 0x44, 0x39, 0x8a, 0x74, 0x6a});
  ASSERT_EQ(sink_.size(), 1u);
  const auto& ticker = sink_.As<Ticker>(0);
  EXPECT_EQ(ticker.last_price, 13'208'000);  // 1320.8, not 1320.800048828125.
  EXPECT_EQ(ticker.header.ts_event, (1'786'022'457ull - 19'800) * 1'000'000'000);
  EXPECT_EQ(ticker.volume, kNoPrice);
}

TEST_F(DhanFeedTest, PiecesCarryTheirFieldAlone) {
  auto close = Packet(6, 16);
  Put(&close, 8, 1280.0f);
  Put(&close, 12, 55u);
  Send(close);
  auto interest = Packet(5, 12);
  Put(&interest, 8, 4'000'000'000u);
  Send(interest);
  ASSERT_EQ(sink_.size(), 2u);
  EXPECT_EQ(sink_.As<Ticker>(0).previous_close, 12'800'000);
  EXPECT_EQ(sink_.As<Ticker>(0).open_interest, kNoPrice);
  EXPECT_EQ(sink_.As<Ticker>(1).open_interest, 4'000'000'000);
  EXPECT_EQ(sink_.As<Ticker>(1).last_price, kNoPrice);
  EXPECT_NE(sink_.As<Ticker>(1).header.flags & kFlagEventTimeOurs, 0);
}

TEST_F(DhanFeedTest, FullIsTickerQuoteAndDepth) {
  auto full = Packet(8, 162);
  Put(&full, 8, 1320.8f);
  Put(&full, 26, 111u);  // Sell comes first.
  Put(&full, 30, 222u);
  Put(&full, 46, 1.5f), Put(&full, 50, 2.5f), Put(&full, 54, 3.5f), Put(&full, 58, 0.5f);
  Put(&full, 62, 7u);
  Put(&full, 74, 1320.75f);
  Send(full);
  ASSERT_EQ(sink_.size(), 3u);
  const auto& ticker = sink_.As<Ticker>(0);
  EXPECT_EQ(ticker.sell_quantity, 111);
  EXPECT_EQ(ticker.buy_quantity, 222);
  EXPECT_EQ(ticker.open, 15'000);
  EXPECT_EQ(ticker.previous_close, 25'000);
  EXPECT_EQ(ticker.high, 35'000);
  EXPECT_EQ(ticker.low, 5'000);
  EXPECT_EQ(sink_.As<Quote>(1).bid_price, 13'207'500);
  EXPECT_EQ(sink_.As<Quote>(1).ask_price, kNoPrice);
  EXPECT_EQ(sink_.As<Depth5>(2).bids[0].size, 7);
}

TEST_F(DhanFeedTest, NotANumberLeavesAGap) {
  for (const float bad : {NAN, INFINITY, 1e30f}) {
    auto ticker = Packet(2, 16);
    Put(&ticker, 8, bad);
    Send(ticker);
  }
  EXPECT_EQ(sink_.count(RecordType::kTicker), 0u);
  EXPECT_EQ(sink_.count(RecordType::kGap), 3u);
  EXPECT_EQ(session_.stats().reasons[Reason::kBadNumber], 2u);
  EXPECT_EQ(session_.stats().reasons[Reason::kOverflow], 1u);
}

TEST_F(DhanFeedTest, CountsWhatIsNotTaken) {
  Send(std::vector<std::uint8_t>(16));
  Send(Packet(7, 8));
  Send(Packet(1, 40));
  auto gone = Packet(50, 10);
  Put(&gone, 8, std::uint16_t{805});
  Send(gone);
  auto segment = Packet(2, 16);
  segment[3] = 6;
  Send(segment);
  const auto& reasons = session_.stats().reasons;
  for (const Reason reason : {Reason::kHeartbeat, Reason::kNotMarketData, Reason::kUnknownType, Reason::kTextMessage, Reason::kBadEnum}) {
    EXPECT_EQ(reasons[reason], 1u) << ReasonName(reason);
  }
  EXPECT_EQ(feed_->TakeTexts(), std::vector<std::string>{"disconnect 805: too many connections"});
}

}  // namespace
}  // namespace tw::feed
