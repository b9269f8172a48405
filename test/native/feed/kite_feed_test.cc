#include <gtest/gtest.h>

#include "feed/vector_sink.h"
#include "feed/venue_feed.h"

namespace tw::feed {
namespace {

constexpr std::uint64_t kNow = 1'612'777'256'000'000'000;

void Put32(std::vector<std::uint8_t>* bytes, std::size_t at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) (*bytes)[at + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}

class KiteFeedTest : public ::testing::Test {
 protected:
  KiteFeedTest() {
    session_.AddInstrument(table_.Add({.id = 0x06000001, .price_exponent = -4, .size_exponent = 0, .symbol = "INFY"}), "", 408065);
    session_.AddInstrument(table_.Add({.id = 0x0a000001, .price_exponent = -7, .size_exponent = 0, .symbol = "USDINR"}), "", (7u << 8) | 3);
    session_.BeginFrame(kNow);
  }
  static std::vector<std::uint8_t> Packet(std::size_t length, std::uint32_t token, std::uint32_t price) {
    std::vector<std::uint8_t> frame(4 + length);
    frame[1] = 1;
    frame[3] = static_cast<std::uint8_t>(length);
    Put32(&frame, 4, token);
    Put32(&frame, 8, price);
    return frame;
  }
  void Send(const std::vector<std::uint8_t>& frame) { feed_->OnFrame(frame, FrameKind::kBinary, ""); }

  InstrumentTable table_;
  VectorSink sink_;
  Session session_{{.epoch = 1, .sampled = true}, &sink_};
  std::unique_ptr<VenueFeed> feed_ = MakeVenueFeed("kite", {}, &session_);
};

TEST_F(KiteFeedTest, FullIsTickerQuoteAndDepth) {
  auto frame = Packet(184, 408065, 129905);
  Put32(&frame, 4 + 16, 6'065'675);
  Put32(&frame, 4 + 44, 1'612'777'250);
  Put32(&frame, 4 + 60, 1'612'777'255);
  Put32(&frame, 4 + 64, 2098);
  Put32(&frame, 4 + 68, 129900);
  frame[4 + 73] = 10;
  Send(frame);
  ASSERT_EQ(sink_.size(), 3u);
  const auto& ticker = sink_.As<Ticker>(0);
  EXPECT_EQ(ticker.header.ts_event, 1'612'777'255'000'000'000u);
  EXPECT_EQ(ticker.ts_last_trade, 1'612'777'250'000'000'000u);
  EXPECT_EQ(ticker.last_price, 12'990'500);
  EXPECT_EQ(ticker.volume, 6'065'675);
  EXPECT_EQ(ticker.open, kNoPrice);
  EXPECT_NE(ticker.header.flags & kFlagSampled, 0);
  const auto& quote = sink_.As<Quote>(1);
  EXPECT_EQ(quote.bid_price, 12'990'000);
  EXPECT_EQ(quote.bid_size, 2098);
  EXPECT_EQ(quote.ask_price, kNoPrice);  // That side is zeros after the close.
  const auto& depth = sink_.As<Depth5>(2);
  EXPECT_EQ(depth.bids[0].orders, 10u);
  EXPECT_EQ(depth.bids[1].price, kNoPrice);
}

TEST_F(KiteFeedTest, LtpKnowsItsPriceAlone) {
  Send(Packet(8, 408065, 100));
  ASSERT_EQ(sink_.size(), 1u);
  const auto& ticker = sink_.As<Ticker>(0);
  EXPECT_EQ(ticker.last_price, 10'000);
  EXPECT_EQ(ticker.volume, kNoPrice);
  EXPECT_NE(ticker.header.flags & kFlagEventTimeOurs, 0);
}

TEST_F(KiteFeedTest, CurrencyDivisor) {
  Send(Packet(8, (7u << 8) | 3, 834'512'500));
  EXPECT_EQ(sink_.As<Ticker>(0).last_price, 834'512'500);
}

TEST_F(KiteFeedTest, CountsWhatIsNotTaken) {
  Send({0});
  Send(Packet(164, 408065, 1));
  Send(Packet(9, 408065, 1));
  Send(Packet(8, 999, 1));
  Send({0, 5, 0});
  const std::string text = R"({"type":"error","data":"x"})";
  feed_->OnFrame({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, FrameKind::kText, "");
  auto late = Packet(184, 408065, 1);
  Put32(&late, 4 + 60, 0xfffffff0u);
  Send(late);
  const auto& reasons = session_.stats().reasons;
  for (const Reason reason : {Reason::kHeartbeat, Reason::kLegacyPacket, Reason::kBadLength, Reason::kUnknownInstrument, Reason::kTruncated,
                              Reason::kTextMessage, Reason::kBadTime}) {
    EXPECT_EQ(reasons[reason], 1u) << ReasonName(reason);
  }
  EXPECT_EQ(feed_->TakeTexts(), std::vector<std::string>{text});
  EXPECT_TRUE(feed_->TakeTexts().empty());
}

}  // namespace
}  // namespace tw::feed
