#include "ring/feed_ring.h"

#include <gtest/gtest.h>

#include <thread>
#include <unordered_map>

#include "wire/record_hash.h"

namespace tw::ring {
namespace {

Quote MakeQuote(std::uint32_t instrument, std::uint32_t seq, std::uint32_t epoch = 1) {
  Quote quote{};
  quote.header = {.ts_event = 1000 + seq,
                  .ts_recv = 1000 + seq,
                  .seq = seq,
                  .epoch = epoch,
                  .instrument_id = instrument,
                  .type = RecordType::kQuote,
                  .source = 0,
                  .flags = 0};
  quote.bid_price = seq;
  return quote;
}
Trade MakeTrade(std::uint32_t instrument, std::uint32_t seq) {
  Trade trade{};
  trade.header = {.ts_event = 1,
                  .ts_recv = 1,
                  .seq = seq,
                  .epoch = 1,
                  .instrument_id = instrument,
                  .type = RecordType::kTrade,
                  .source = 0,
                  .flags = 0};
  return trade;
}

TEST(FeedRing, DropRefusesWhenFull) {
  FeedRing ring({.policy = Policy::kDrop, .slots = 64}, std::make_shared<WakeFlag>());
  for (std::uint32_t i = 1; i <= 64; ++i) {
    const Trade trade = MakeTrade(1, i);
    EXPECT_TRUE(ring.Push(&trade, sizeof trade));
  }
  const Trade trade = MakeTrade(1, 65);
  EXPECT_FALSE(ring.Push(&trade, sizeof trade));
  EXPECT_EQ(ring.pushed(), 64u);
  EXPECT_EQ(ring.refused(), 1u);
}

TEST(FeedRing, BlockLosesNothingAndWakesBothSides) {
  const auto wake = std::make_shared<WakeFlag>();
  FeedRing ring({.policy = Policy::kBlock, .slots = 64}, wake);
  constexpr std::uint32_t kCount = 50'000;
  std::thread producer([&] {
    for (std::uint32_t i = 1; i <= kCount; ++i) {
      const Trade trade = MakeTrade(1, i);
      ASSERT_TRUE(ring.Push(&trade, sizeof trade));
      if (i % 7 == 0) ring.Flush();
    }
    ring.Flush();
  });
  std::uint32_t next = 1;
  while (next <= kCount) {
    const std::size_t taken = ring.Drain(13, [&](const Header* header) { EXPECT_EQ(header->seq, next++); });
    if (taken != 0) continue;
    wake->Arm();
    // A lost wake-up would show as a test that takes minutes: the time-out is longer than the whole run.
    if (ring.empty()) wake->Wait(60'000'000'000);
    wake->Disarm();
  }
  producer.join();
  EXPECT_EQ(ring.refused(), 0u);
}

TEST(FeedRing, CloseEndsABlockedPush) {
  FeedRing ring({.policy = Policy::kBlock, .slots = 64}, std::make_shared<WakeFlag>());
  std::thread producer([&] {
    std::uint32_t seq = 0;
    Trade trade = MakeTrade(1, 1);
    while (ring.Push(&trade, sizeof trade)) trade = MakeTrade(1, ++seq);
  });
  while (ring.blocked() == 0) std::this_thread::yield();
  ring.Close();
  producer.join();
  EXPECT_EQ(ring.refused(), 1u);
}

TEST(FeedRing, ConflateKeepsTheNewestBehindAnExactGap) {
  FeedRing ring({.policy = Policy::kConflate, .slots = 64}, std::make_shared<WakeFlag>());
  for (std::uint32_t i = 1; i <= 64; ++i) {
    const Quote quote = MakeQuote(1, i);
    ring.Push(&quote, sizeof quote);
  }
  for (std::uint32_t i = 65; i <= 70; ++i) {
    const Quote quote = MakeQuote(1, i);
    EXPECT_TRUE(ring.Push(&quote, sizeof quote));
  }
  const Quote alone = MakeQuote(2, 1);
  EXPECT_TRUE(ring.Push(&alone, sizeof alone));
  const Trade trade = MakeTrade(1, 1);
  EXPECT_FALSE(ring.Push(&trade, sizeof trade));  // Not a type that conflates.
  EXPECT_EQ(ring.waiting(), 2u);
  EXPECT_EQ(ring.conflated(), 5u);
  EXPECT_EQ(ring.Drain(100, [](const Header*) {}), 64u);
  ring.Flush();
  std::vector<std::vector<std::uint8_t>> out;
  ring.Drain(100, [&](const Header* header) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(header);
    out.emplace_back(bytes, bytes + RecordSize(header->type));
  });
  ASSERT_EQ(out.size(), 3u);
  Gap gap;
  std::memcpy(&gap, out[0].data(), sizeof gap);
  EXPECT_EQ(gap.cause, GapCause::kConflated);
  EXPECT_EQ(gap.header.seq, 65u);
  EXPECT_EQ(gap.count, 5u);
  Quote newest;
  std::memcpy(&newest, out[1].data(), sizeof newest);
  EXPECT_EQ(newest.header.seq, 70u);
  EXPECT_EQ(newest.header.flags, kFlagGapBefore);
  std::memcpy(&newest, out[2].data(), sizeof newest);
  EXPECT_EQ(newest.header.instrument_id, 2u);
  EXPECT_EQ(newest.header.flags, 0);
}

TEST(FeedRing, ConflationAcrossEpochsStaysExact) {
  FeedRing ring({.policy = Policy::kConflate, .slots = 64}, std::make_shared<WakeFlag>());
  std::uint64_t produced = 0, delivered = 0, lost = 0, newest = 0;
  StreamCursor cursor;
  const auto drain = [&](std::size_t limit) {
    ring.Drain(limit, [&](const Header* header) {
      EXPECT_TRUE(cursor.Accept(header));
      if (header->type == RecordType::kGap) {
        lost += reinterpret_cast<const Gap*>(header)->count;
      } else {
        ++delivered;
        newest = header->position();
      }
    });
  };
  Quote quote{};
  for (std::uint32_t epoch = 1; epoch <= 50; ++epoch) {
    for (std::uint32_t seq = 1; seq <= 40; ++seq) {
      quote = MakeQuote(1, seq, epoch);
      EXPECT_TRUE(ring.Push(&quote, sizeof quote));
      ++produced;
      if (seq % 9 == 0) drain(3);
    }
  }
  while (ring.waiting() != 0 || !ring.empty()) {
    ring.Flush();
    drain(100);
  }
  EXPECT_EQ(delivered + lost, produced);
  EXPECT_GT(lost, 0u);
  EXPECT_EQ(newest, quote.header.position());  // The last value always arrives.
}

TEST(Histogram, PercentilesAreWithinAStep) {
  Histogram histogram;
  EXPECT_EQ(histogram.Percentile(0.5), 0u);
  for (std::uint64_t i = 1; i <= 100'000; ++i) histogram.Add(i * 10);
  EXPECT_EQ(histogram.count(), 100'000u);
  EXPECT_NEAR(static_cast<double>(histogram.Percentile(0.5)), 500'000, 500'000 / 15.0);
  EXPECT_NEAR(static_cast<double>(histogram.Percentile(0.99)), 990'000, 990'000 / 15.0);
  EXPECT_EQ(histogram.Percentile(1), 1'000'000u);
  for (std::uint64_t value : {0ull, 15ull, 16ull, 17ull, 31ull, 32ull, 12345ull, (1ull << 43) - 1}) {
    EXPECT_LE(value, Histogram::UpperEdge(Histogram::Index(value))) << value;
    if (Histogram::Index(value) > 0) {
      EXPECT_GT(value, Histogram::UpperEdge(Histogram::Index(value) - 1)) << value;
    }
  }
  histogram.Add(~0ull);  // Beyond the range: the last bucket.
  EXPECT_EQ(histogram.max(), ~0ull);
}

}  // namespace
}  // namespace tw::ring
