#include "bars/aggregator.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "support.h"

namespace tw::bars {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

Options With(BarBasis basis, std::vector<std::uint32_t> intervals = {1000}, std::uint64_t lateness = 0) {
  Options options;
  options.intervals_ms = std::move(intervals);
  options.bases = BasisBit(basis);
  options.lateness_ns = lateness;
  return options;
}

TEST(Bars, OrderIsEventTimeThenWireOrder) {
  Fed fed(OneSecond());
  fed << MakeTrade(1, kBase + 500, 10, 1) << MakeTrade(2, kBase + 300, 20, 2) << MakeTrade(3, kBase + 300, 30, 3)
      << MakeTrade(4, kBase + 900, 5, 1, Side::kBuy) << MakeTrade(5, kBase + 900, 6, 1, Side::kSell) << MakeTrade(6, kBase + 700, 50, 1);
  EXPECT_TRUE(fed.kept.bars.empty());
  fed << MakeClock(1, kBase + 3 * kSecond);
  ASSERT_EQ(fed.kept.bars.size(), 1u);
  const Bar& bar = fed.kept.bars[0];
  EXPECT_EQ(bar.open, 20);  // Of two at 300 the first on the wire.
  EXPECT_EQ(bar.close, 6);  // Of two at 900 the last on the wire.
  EXPECT_EQ(bar.high, 50);
  EXPECT_EQ(bar.low, 5);
  EXPECT_EQ(bar.volume, 9);
  EXPECT_EQ(bar.turnover_low, 10u + 40 + 90 + 5 + 6 + 50);
  EXPECT_EQ(bar.vwap, 22);  // 201 / 9 = 22.33.
  EXPECT_EQ(bar.trades, 6u);
  EXPECT_EQ(bar.buy_volume, 1);
  EXPECT_EQ(bar.header.ts_event, kBase);
  EXPECT_EQ(bar.ts_end, kBase + kSecond);
  EXPECT_EQ(bar.header.ts_recv, kBase + 3 * kSecond);  // Of the record that closed it.
  EXPECT_EQ(bar.first, (1ull << 32) | 1);
  EXPECT_EQ(bar.last, (1ull << 32) | 6);
  EXPECT_EQ(bar.completeness, kBarStartUnseen);
  EXPECT_EQ(bar.cause.offset, 6u);
  EXPECT_EQ(bar.open_interest, kNoSize);
  EXPECT_EQ(bar.header.seq, 1u);
  EXPECT_EQ(bar.header.epoch, 1u);
}

TEST(Bars, AnEmptyIntervalInventsNothing) {
  Fed fed(OneSecond(0));
  fed << MakeTrade(1, kBase, 10) << MakeTrade(2, kBase + 5 * kSecond, 11) << MakeClock(1, kBase + 60 * kSecond);
  ASSERT_EQ(fed.kept.bars.size(), 2u);
  EXPECT_EQ(fed.kept.bars[1].header.ts_event, kBase + 5 * kSecond);
}

TEST(Bars, LateIsACorrectionAndBeyondSixtyFourTooLate) {
  Fed fed(OneSecond(0));
  std::uint32_t seq = 0;
  for (std::uint64_t s = 0; s < 65; ++s) fed << MakeTrade(++seq, kBase + s * kSecond, 10);
  EXPECT_EQ(fed.kept.bars.size(), 64u);
  fed << MakeTrade(++seq, kBase + kSecond + 5, 12);
  ASSERT_EQ(fed.kept.bars.size(), 65u);
  EXPECT_EQ(fed.kept.last().version, 2);
  EXPECT_EQ(fed.kept.last().reason, BarReason::kLate);
  EXPECT_EQ(fed.kept.last().close, 12);
  EXPECT_EQ(fed.kept.last().header.flags, kFlagCorrection);
  EXPECT_EQ(fed.kept.last().header.seq, 65u);
  fed << MakeTrade(++seq, kBase + 5, 12);
  EXPECT_EQ(fed.kept.bars.size(), 65u);
  EXPECT_EQ(fed.aggregator.stats().too_late, 1u);
}

TEST(Bars, RepairsOnlyMakeVersions) {
  Fed fed(OneSecond(0));
  fed << MakeTrade(1, kBase, 10) << MakeTrade(2, kBase + 2 * kSecond, 10);
  Trade repair = MakeTrade(1, kBase + 7, 15, 3, Side::kUnknown, 900, 7, kSourceBackfill);
  fed << repair;
  ASSERT_EQ(fed.kept.bars.size(), 2u);
  const Bar& bar = fed.kept.last();
  EXPECT_EQ(bar.version, 2);
  EXPECT_EQ(bar.reason, BarReason::kBackfill);
  EXPECT_EQ(bar.header.source, 0);
  EXPECT_EQ(bar.header.epoch, 1u);  // The repair's own epoch counts for nothing.
  EXPECT_EQ(bar.last, (1ull << 32) | 1);
  EXPECT_EQ(bar.volume, 4);
}

TEST(Bars, FinalClockCutsItsShardAndTheNextSessionGoesOn) {
  Fed fed(OneSecond(0));
  fed << MakeClock(1, kBase, false, 1, 0, 0) << MakeClock(1, kBase, false, 2, 0, 1);
  fed << MakeTrade(1, kBase + 1, 10, 1, Side::kUnknown, 1, 7) << MakeTrade(1, kBase + 2, 20, 1, Side::kUnknown, 2, 8);
  fed << MakeClock(2, kBase + 3, true, 1, 0, 0);
  ASSERT_EQ(fed.kept.bars.size(), 1u);
  EXPECT_EQ(fed.kept.last().header.instrument_id, 7u);
  EXPECT_EQ(fed.kept.last().completeness, kBarCut | kBarStartUnseen);
  EXPECT_EQ(fed.aggregator.watermark(), kBase + 2);
  fed << MakeClock(2, kBase + 3, true, 1, 0, 0);
  EXPECT_EQ(fed.aggregator.stats().clocks_repeated, 1u);
  fed << MakeTrade(1, kBase + 5, 11, 1, Side::kUnknown, 3, 7);
  EXPECT_EQ(fed.kept.bars.size(), 1u);
  fed << MakeClock(1, kBase + kSecond, false, 3, 0, 0);
  ASSERT_EQ(fed.kept.bars.size(), 3u);
  EXPECT_EQ(fed.kept.bars[1].version, 2);
  EXPECT_EQ(fed.kept.bars[1].close, 11);
  EXPECT_EQ(fed.kept.bars[1].completeness, kBarStartUnseen);
  EXPECT_EQ(fed.kept.bars[1].header.epoch, 3u);
  EXPECT_EQ(fed.kept.bars[1].header.seq, 1u);
}

TEST(Bars, HolesAreCountedInEveryIntervalTheyTouch) {
  Fed fed(OneSecond(0));
  fed << MakeTrade(1, kBase, 10) << MakeTrade(2, kBase + kSecond, 10);
  ASSERT_EQ(fed.kept.bars.size(), 1u);
  fed << MakeGap(3, kBase + kSecond, kBase + kSecond + 9, 4, GapCause::kRingFull);
  fed << MakeTrade(7, kBase + 3 * kSecond, 10) << MakeTrade(8, kBase + 4 * kSecond, 10) << MakeClock(1, kBase + 6 * kSecond);
  ASSERT_EQ(fed.kept.bars.size(), 4u);
  EXPECT_EQ(fed.kept.bars[1].gaps, 1u);
  EXPECT_EQ(fed.kept.bars[1].lost, 4u);
  EXPECT_EQ(fed.kept.bars[1].completeness, kBarGapInside);
  EXPECT_EQ(fed.kept.bars[2].gaps, 1u);
  EXPECT_EQ(fed.kept.bars[2].header.ts_event, kBase + 3 * kSecond);
  EXPECT_EQ(fed.kept.bars[3].gaps, 0u);
  fed << MakeGap(8, kBase + 5 * kSecond, kBase + 6 * kSecond, kUnknownCount);
  fed.aggregator.OnLogHole({99, 0, 0});
  EXPECT_EQ(fed.aggregator.stats().gaps, 3u);
  EXPECT_EQ(fed.kept.bars.size(), 5u);  // The last record's interval is closed and now has a hole of unknown size.
  EXPECT_EQ(fed.kept.last().completeness, kBarGapInside | kBarLossUnknown);
}

TEST(Bars, WhatIsLeftOutIsCountedAndMovesNothing) {
  Fed fed(OneSecond(0));
  fed << MakeTrade(1, kBase, 10);
  Trade suspect = MakeTrade(2, kBase + 100 * kSecond, 10);
  suspect.header.flags = kFlagSuspect;
  Trade off = MakeTrade(3, kBase + 1, 99);
  off.header.flags = kFlagOffMarket;
  fed << suspect << off << MakeTrade(3, kBase + 2, 98) << MakeTrade(4, 5, 97) << MakeTrade(5, ~0ull, 97) << MakeTrade(6, kBase + 3, kNoPrice)
      << MakeTrade(7, kBase + 3, 10, -1);
  EXPECT_TRUE(fed.kept.bars.empty());
  const Stats& stats = fed.aggregator.stats();
  EXPECT_EQ(stats.suspect, 1u);
  EXPECT_EQ(stats.off_market, 1u);
  EXPECT_EQ(stats.repeats, 1u);
  EXPECT_EQ(stats.bad_time, 2u);
  EXPECT_EQ(stats.bad_value, 2u);
  fed << MakeClock(1, kBase + kSecond);
  ASSERT_EQ(fed.kept.bars.size(), 1u);
  EXPECT_EQ(fed.kept.last().trades, 1u);
  Quote quote{};
  quote.header = {kBase, kBase, 1, 1, 7, RecordType::kQuote, 0, 0};
  fed << quote;
  EXPECT_EQ(stats.other_types, 1u);
}

TEST(Bars, OverflowLeavesTheTickOut) {
  Fed fed(OneSecond(0));
  fed << MakeTrade(1, kBase, kMax, kMax) << MakeTrade(2, kBase + 1, 1, 1) << MakeTrade(3, kBase + 2, 3, 0) << MakeClock(1, kBase + kSecond);
  ASSERT_EQ(fed.kept.bars.size(), 1u);
  EXPECT_EQ(fed.aggregator.stats().overflow, 1u);
  EXPECT_EQ(fed.kept.last().volume, kMax);
  EXPECT_EQ(fed.kept.last().vwap, kMax);
  EXPECT_EQ(fed.kept.last().trades, 2u);
  EXPECT_EQ(fed.kept.last().close, 3);
}

TEST(Bars, HalvesGoToTheEvenNeighbour) {
  EXPECT_EQ(Mid(1, 2), 2);
  EXPECT_EQ(Mid(2, 3), 2);
  EXPECT_EQ(Mid(-1, -2), -2);
  EXPECT_EQ(Mid(-3, -2), -2);
  EXPECT_EQ(Mid(kMax, kMax), kMax);
  EXPECT_EQ(Mid(kMax, kMax - 1), kMax - 1);
  EXPECT_EQ(Vwap(7, 2), 4);
  EXPECT_EQ(Vwap(5, 2), 2);
  EXPECT_EQ(Vwap(-5, 2), -2);
  EXPECT_EQ(Vwap(-7, 2), -4);
  EXPECT_EQ(Vwap(-8, 3), -3);
  EXPECT_EQ(Vwap(1, 0), kNoPrice);
}

TEST(Bars, QuotesMakeBidAskAndMid) {
  Options options = With(BarBasis::kBid);
  options.bases = BasisBit(BarBasis::kBid) | BasisBit(BarBasis::kAsk) | BasisBit(BarBasis::kMid);
  Fed fed(options);
  auto quote = [&](std::uint32_t seq, std::int64_t bid, std::int64_t ask) {
    Quote q{};
    q.header = {kBase + seq, kBase + seq, seq, 1, 7, RecordType::kQuote, 0, 0};
    q.bid_price = bid;
    q.ask_price = ask;
    fed << q;
  };
  quote(1, 10, 13);
  quote(2, 11, kNoPrice);
  quote(3, kNoPrice, kNoPrice);
  fed << MakeClock(1, kBase + kSecond);
  ASSERT_EQ(fed.kept.bars.size(), 3u);
  EXPECT_EQ(fed.kept.bars[0].basis, BarBasis::kBid);
  EXPECT_EQ(fed.kept.bars[0].close, 11);
  EXPECT_EQ(fed.kept.bars[0].trades, 2u);
  EXPECT_EQ(fed.kept.bars[1].close, 13);
  EXPECT_EQ(fed.kept.bars[2].close, 12);  // 11.5 to the even neighbour.
  EXPECT_EQ(fed.kept.bars[2].trades, 1u);
  EXPECT_EQ(fed.kept.bars[2].vwap, kNoPrice);
  EXPECT_EQ(fed.kept.bars[2].buy_volume, kNoSize);
}

TEST(Bars, CumulativeVolumeByDifferenceNeverNegative) {
  Fed fed(With(BarBasis::kTicker));
  std::uint32_t seq = 0;
  auto ticker = [&](std::uint64_t ts, std::int64_t price, std::int64_t volume, std::int64_t oi = kNoSize, std::uint32_t epoch = 1) {
    Ticker t{};
    t.header = {ts, ts, ++seq, epoch, 7, RecordType::kTicker, 0, kFlagSampled};
    t.last_price = price;
    t.volume = volume;
    t.open_interest = oi;
    fed << t;
  };
  ticker(kBase, 10, 1000);          // The base.
  ticker(kBase + 1, 11, 1005, 70);  // 5.
  ticker(kBase + 2, 12, 900, 71);   // The venue corrected: 0, counted.
  ticker(kBase + 3, 12, 910);       // 10.
  ticker(kBase + 4, 12, kNoSize);   // Not told.
  ticker(kBase + 5, 13, 912);       // 2.
  ticker(kBase + 86'400 * kSecond, 14, 30);  // The next day, same session: 30 since the day began.
  ticker(kBase + 2 * 86'400 * kSecond, 14, 20, kNoSize, static_cast<std::uint32_t>(kBase / kSecond + 2 * 86'400));  // Joined late: 0.
  fed << MakeClock(1, kBase + 3 * 86'400 * kSecond);
  ASSERT_EQ(fed.kept.bars.size(), 3u);
  EXPECT_EQ(fed.kept.bars[0].volume, 17);
  EXPECT_EQ(fed.kept.bars[0].turnover_low, 5u * 11 + 10 * 12 + 2 * 13);
  EXPECT_EQ(fed.kept.bars[0].open_interest, 71);
  EXPECT_EQ(fed.kept.bars[1].volume, 30);
  EXPECT_EQ(fed.kept.bars[2].volume, 0);
  EXPECT_EQ(fed.aggregator.stats().volume_resets, 3u);
}

Bar MakePart(std::uint32_t seq, std::uint64_t start, std::int64_t price, std::int64_t volume, std::uint16_t version = 1) {
  Bar bar{};
  bar.header = {start, start + kSecond, seq, 1, 7, RecordType::kBar, 0, 0};
  bar.open = bar.close = price;
  bar.high = price + 1;
  bar.low = price - 1;
  bar.volume = volume;
  bar.turnover_low = static_cast<std::uint64_t>(price * volume);
  bar.vwap = price;
  bar.buy_volume = bar.open_interest = kNoSize;
  bar.ts_end = start + kSecond;
  bar.interval_ms = 1000;
  bar.trades = 1;
  bar.version = version;
  bar.basis = BarBasis::kTrade;
  bar.reason = version > 1 ? BarReason::kBust : BarReason::kFirst;
  return bar;
}

TEST(Bars, SmallerBarsMakeBarsAndTheirVersionsPropagate) {
  constexpr std::uint64_t kMinute = kBase - kBase % (300 * kSecond);
  Fed fed(With(BarBasis::kBar, {60'000, 300'000}));
  std::uint32_t seq = 0;
  for (std::uint64_t s = 0; s < 200; ++s) fed << MakePart(++seq, kMinute + s * kSecond, 100 + static_cast<std::int64_t>(s), 2);
  ASSERT_EQ(fed.kept.bars.size(), 3u);
  EXPECT_EQ(fed.kept.bars[0].open, 100);
  EXPECT_EQ(fed.kept.bars[0].close, 159);
  EXPECT_EQ(fed.kept.bars[0].high, 160);
  EXPECT_EQ(fed.kept.bars[0].low, 99);
  EXPECT_EQ(fed.kept.bars[0].volume, 120);
  EXPECT_EQ(fed.kept.bars[0].trades, 60u);
  EXPECT_EQ(fed.kept.bars[0].basis, BarBasis::kBar);
  // The top of the last closed minute was busted: its high falls again.
  fed << MakePart(++seq, kMinute + 179 * kSecond, 50, 1, 2);
  ASSERT_EQ(fed.kept.bars.size(), 4u);
  EXPECT_EQ(fed.kept.last().version, 2);
  EXPECT_EQ(fed.kept.last().reason, BarReason::kBust);
  EXPECT_EQ(fed.kept.last().high, 279);
  EXPECT_EQ(fed.kept.last().low, 49);
  EXPECT_EQ(fed.kept.last().close, 50);
  EXPECT_EQ(fed.kept.last().volume, 119);
  fed << MakePart(seq + 1, kMinute + 179 * kSecond, 50, 1, 2) << MakePart(seq + 2, kMinute, 50, 1, 2);
  seq += 2;
  EXPECT_EQ(fed.aggregator.stats().repeats, 1u);
  EXPECT_EQ(fed.aggregator.stats().too_late, 1u);
  Bar crossing = MakePart(++seq, kMinute + 239 * kSecond + kSecond / 2, 5, 1);
  crossing.ts_end = kMinute + 241 * kSecond;
  fed << crossing;
  EXPECT_EQ(fed.aggregator.stats().misaligned, 1u);
}

TEST(Bars, SessionsAlignAndEndBars) {
  Options options = With(BarBasis::kTrade, {3'600'000, 86'400'000});
  SessionSpec india;
  india.zone = TimeZone({{0, 19'800}});
  india.open_s = 9 * 3600 + 15 * 60;
  india.close_s = 15 * 3600 + 30 * 60;
  options.sessions = {{3, india}};
  Fed fed(options);
  constexpr std::uint64_t kOpen = 1'699'933'500ull * kSecond;  // 2023-11-14 09:15 IST.
  constexpr std::uint32_t kId = 3u << 24 | 1;
  std::uint32_t seq = 0;
  auto trade = [&](std::uint64_t minutes) {
    ++seq;
    fed << MakeTrade(seq, kOpen + minutes * 60 * kSecond, 10 + static_cast<std::int64_t>(seq), 1, Side::kUnknown, 1, kId);
  };
  trade(0);
  trade(59);
  trade(60);
  trade(374);
  trade(375);  // 15:30: outside.
  trade(24 * 60 + 1);
  fed << MakeClock(1, kOpen + 40 * 3600 * kSecond);
  EXPECT_EQ(fed.aggregator.stats().outside_session, 1u);
  ASSERT_EQ(fed.kept.bars.size(), 6u);
  EXPECT_EQ(fed.kept.bars[0].header.ts_event, kOpen);
  EXPECT_EQ(fed.kept.bars[0].trades, 2u);
  EXPECT_EQ(fed.kept.bars[1].header.ts_event, kOpen + 3600 * kSecond);
  EXPECT_EQ(fed.kept.bars[2].header.ts_event, kOpen + 6 * 3600 * kSecond);  // 15:15 to 15:30.
  EXPECT_EQ(fed.kept.bars[2].ts_end, kOpen + 375 * 60 * kSecond);
  EXPECT_EQ(fed.kept.bars[3].interval_ms, 86'400'000u);
  EXPECT_EQ(fed.kept.bars[3].header.ts_event, kOpen);
  EXPECT_EQ(fed.kept.bars[3].trades, 4u);
}

TEST(Bars, ASessionOverMidnightIsOneDay) {
  Calendar chicago({TimeZone({{0, -18'000}}), 17 * 3600, 16 * 3600});
  constexpr std::uint64_t kOpen = 1'700'000'000ull * kSecond / (86'400 * kSecond) * 86'400 * kSecond + 22 * 3600 * kSecond;  // 17:00 local.
  ASSERT_TRUE(chicago.Find(kOpen));
  EXPECT_EQ(chicago.At(kOpen, kDayMs).start, kOpen);
  EXPECT_EQ(chicago.At(kOpen, kDayMs).end, kOpen + 23 * 3600 * kSecond);
  ASSERT_TRUE(chicago.Find(kOpen + 10 * 3600 * kSecond));
  EXPECT_EQ(chicago.At(kOpen + 10 * 3600 * kSecond, kDayMs).start, kOpen);
  EXPECT_EQ(chicago.DayOf(kOpen), chicago.DayOf(kOpen + 22 * 3600 * kSecond));
  EXPECT_FALSE(chicago.Find(kOpen + 23 * 3600 * kSecond));
  EXPECT_EQ(chicago.DayOpen(chicago.DayOf(kOpen)), kOpen);
}

TEST(Bars, OptionsAreChecked) {
  EXPECT_EQ(CheckOptions(OneSecond()), "");
  Options options = OneSecond();
  options.intervals_ms = {};
  EXPECT_NE(CheckOptions(options), "");
  options.intervals_ms = {5000, 1000};
  EXPECT_NE(CheckOptions(options), "");
  options.intervals_ms = {7000};
  EXPECT_NE(CheckOptions(options), "");
  options = OneSecond(61 * kSecond);
  EXPECT_NE(CheckOptions(options), "");
  options = With(BarBasis::kBar, {1000});
  EXPECT_NE(CheckOptions(options), "");
  options = OneSecond();
  options.bases = 0;
  EXPECT_NE(CheckOptions(options), "");
  options.bases = 1;
  EXPECT_NE(CheckOptions(options), "");
}

TEST(Bars, InstrumentsBeyondTheBoundAreRefused) {
  Options options = OneSecond();
  options.nodes_max = 2;
  Fed fed(options);
  for (std::uint32_t i = 1; i <= 4; ++i) fed << MakeTrade(1, kBase, 10, 1, Side::kUnknown, 1, i);
  EXPECT_EQ(fed.aggregator.nodes(), 2u);
  EXPECT_EQ(fed.aggregator.stats().refused_nodes, 2u);
}

TEST(BarsState, RefusesEveryCutAndEveryFlippedBit) {
  Fed fed(OneSecond());
  for (std::uint32_t i = 1; i < 9; ++i) fed << MakeTrade(i, kBase + i * kSecond / 2, 10);
  fed << MakeClock(1, kBase + 3 * kSecond);
  std::vector<std::uint8_t> state;
  fed.aggregator.Save(&state);
  Kept kept;
  Aggregator other(OneSecond(), &kept);
  for (std::size_t size = 0; size < state.size(); ++size) EXPECT_NE(other.Restore({state.data(), size}), "");
  for (std::size_t bit = 0; bit < state.size() * 8; ++bit) {
    state[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    EXPECT_NE(other.Restore(state), "") << bit;
    state[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
  }
  EXPECT_EQ(other.nodes(), 0u);
  Aggregator unlike(With(BarBasis::kTrade, {1000, 5000}), &kept);
  EXPECT_NE(unlike.Restore(state), "");
  EXPECT_EQ(other.Restore(state), "");
}

// Every basis at once, hostile values among them: split at every record gives the same bars.
TEST(BarsState, EveryBasisSurvivesEverySplit) {
  Options options;
  options.intervals_ms = {5000, 60'000};
  options.bases = 0x7e;
  std::mt19937 random(11);
  auto up_to = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  std::vector<AnyRecord> stream;
  std::uint64_t now = kBase;
  for (std::uint32_t i = 1; i < 1500; ++i) {
    now += up_to(800) * 1'000'000ull;
    const std::uint64_t ts = now - up_to(3) * kSecond;
    AnyRecord any = AnyRecord::Of(MakeTrade(i, ts, up_to(100), up_to(9)));
    if (up_to(50) == 0) {  // Any bytes behind the header.
      for (std::size_t b = sizeof(Header); b < sizeof any.bytes; ++b) any.bytes[b] = static_cast<std::uint8_t>(random());
    }
    const std::uint32_t what = up_to(4);
    if (what == 1) any.header().type = RecordType::kQuote;
    if (what == 2) any.header().type = RecordType::kTicker;
    if (what == 3) any = AnyRecord::Of(MakePart(i, ts / kSecond * kSecond, up_to(100), up_to(9), static_cast<std::uint16_t>(1 + up_to(3))));
    stream.push_back(any);
  }
  Kept whole;
  Aggregator one(options, &whole);
  for (std::size_t i = 0; i < stream.size(); ++i) one.OnRecord(stream[i].bytes, {i, 0, 0});
  Kept split;
  std::vector<std::uint8_t> state;
  auto running = std::make_unique<Aggregator>(options, &split);
  for (std::size_t i = 0; i < stream.size(); ++i) {
    running->Save(&state);
    running = std::make_unique<Aggregator>(options, &split);
    ASSERT_EQ(running->Restore(state), "");
    running->OnRecord(stream[i].bytes, {i, 0, 0});
  }
  ASSERT_GT(whole.bars.size(), 100u);
  ASSERT_EQ(split.bars.size(), whole.bars.size());
  EXPECT_EQ(std::memcmp(split.bars.data(), whole.bars.data(), whole.bars.size() * sizeof(Bar)), 0);
  std::printf("[ compared ] %zu bars of six bases over %zu splits\n", whole.bars.size(), stream.size());
}

}  // namespace
}  // namespace tw::bars
