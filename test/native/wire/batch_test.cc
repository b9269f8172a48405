#include "wire/batch.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "wire/crc32c.h"
#include "wire/generated/tickwire_generated.h"
#include "wire/record_hash.h"

namespace tw::wire {
namespace {

constexpr RecordType kTypes[] = {RecordType::kTrade,  RecordType::kQuote,   RecordType::kTicker,  RecordType::kIndex,
                                 RecordType::kDepth5, RecordType::kDepth10, RecordType::kDepth20, RecordType::kLevel,
                                 RecordType::kBar,    RecordType::kGap,     RecordType::kClock,   RecordType::kStatus};

std::vector<std::uint64_t> MakeRecord(RecordType type, std::uint32_t seq) {
  std::vector<std::uint64_t> words(RecordSize(type) / 8);
  for (std::size_t i = 4; i < words.size(); ++i) words[i] = seq * 1000003ull + i;
  auto* header = reinterpret_cast<Header*>(words.data());
  *header = Header{100 + seq, 200 + seq, seq, 7, 9, type, 3, 0};
  return words;
}

TEST(Batch, EveryTypeRoundTripsAndVerifies) {
  BatchBuilder builder(1000);
  for (const RecordType type : kTypes) {
    for (const std::uint32_t count : {0u, 1u, 2u, 7u, 257u}) {
      builder.Begin(type, 42);
      for (std::uint32_t i = 0; i < count; ++i) ASSERT_TRUE(builder.Add(MakeRecord(type, i + 1).data()));
      const auto bytes = builder.Finish(99);
      ASSERT_EQ(bytes.size() % 8, 0u);
      ASSERT_EQ(std::memcmp(bytes.data() + 4, "TWB1", 4), 0);
      BatchView view;
      ASSERT_EQ(BatchView::Parse(bytes, &view), BatchError::kNone) << static_cast<int>(type) << " x " << count;
      ASSERT_EQ(view.size(), count);
      ASSERT_EQ(view.info().origin, 42u);
      ASSERT_EQ(view.info().ts_append, 99u);
      if (count > 0) {
        ASSERT_EQ(view.info().ts_recv_first, 201u);
        ASSERT_EQ(view.info().ts_event_max, 100u + count);
        ASSERT_EQ(builder.position_max(), (7ull << 32) | count);
      }
      for (std::uint32_t i = 0; i < count; ++i) {
        ASSERT_EQ(std::memcmp(view[i], MakeRecord(type, i + 1).data(), RecordSize(type)), 0);
      }
    }
  }
}

TEST(Batch, RefusesWhenFull) {
  BatchBuilder builder(3);
  builder.Begin(RecordType::kTrade, 1);
  const auto record = MakeRecord(RecordType::kTrade, 1);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(builder.Add(record.data()));
  EXPECT_TRUE(builder.full());
  EXPECT_FALSE(builder.Add(record.data()));
}

TEST(Batch, TruncatedAndFlippedBytesNeverPointOutside) {
  BatchBuilder builder(16);
  builder.Begin(RecordType::kQuote, 1);
  for (std::uint32_t i = 0; i < 5; ++i) builder.Add(MakeRecord(RecordType::kQuote, i + 1).data());
  const auto whole = builder.Finish(1);
  std::vector<std::uint64_t> copy(whole.size() / 8);
  auto* bytes = reinterpret_cast<std::uint8_t*>(copy.data());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::memcpy(bytes, whole.data(), whole.size());
    BatchView view;
    EXPECT_NE(BatchView::Parse({bytes, size}, &view), BatchError::kNone) << size;
  }
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::memcpy(bytes, whole.data(), whole.size());
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    BatchView view;
    if (BatchView::Parse({bytes, whole.size()}, &view) != BatchError::kNone) continue;
    ASSERT_LE(view.data() + view.size() * view.record_size(), bytes + whole.size());
    ASSERT_GE(view.data(), bytes);
  }
}

// The schema's generated accessors read what the plain structs wrote: same offsets, same widths.
TEST(Layout, PlainStructsMatchTheSchema) {
  Bar bar{};
  bar.header = Header{1, 2, 3, 4, 5, RecordType::kBar, 6, 7};
  bar.open = 10, bar.high = 11, bar.low = 12, bar.close = 13, bar.volume = 14, bar.turnover_low = 15, bar.turnover_high = 16;
  bar.vwap = 17, bar.first = 18, bar.last = 19, bar.buy_volume = 20, bar.open_interest = 21, bar.ts_end = 22, bar.interval_ms = 23;
  bar.trades = 24, bar.gaps = 25, bar.lost = 26, bar.version = 27, bar.basis = BarBasis::kMid, bar.reason = BarReason::kLate;
  bar.completeness = 28, bar.price_kind = 29, bar.cause = Cause{30, 31, 32, 33};
  fb::Bar out;
  std::memcpy(static_cast<void*>(&out), &bar, sizeof bar);
  EXPECT_EQ(out.header().ts_event(), 1u);
  EXPECT_EQ(out.header().ts_recv(), 2u);
  EXPECT_EQ(out.header().seq(), 3u);
  EXPECT_EQ(out.header().epoch(), 4u);
  EXPECT_EQ(out.header().instrument_id(), 5u);
  EXPECT_EQ(out.header().type(), 9);
  EXPECT_EQ(out.header().source(), 6);
  EXPECT_EQ(out.header().flags(), 7);
  EXPECT_EQ(out.open(), 10);
  EXPECT_EQ(out.close(), 13);
  EXPECT_EQ(out.turnover_low(), 15u);
  EXPECT_EQ(out.turnover_high(), 16);
  EXPECT_EQ(out.vwap(), 17);
  EXPECT_EQ(out.first(), 18u);
  EXPECT_EQ(out.buy_volume(), 20);
  EXPECT_EQ(out.open_interest(), 21);
  EXPECT_EQ(out.ts_end(), 22u);
  EXPECT_EQ(out.interval_ms(), 23u);
  EXPECT_EQ(out.trades(), 24u);
  EXPECT_EQ(out.gaps(), 25u);
  EXPECT_EQ(out.lost(), 26u);
  EXPECT_EQ(out.version(), 27);
  EXPECT_EQ(out.basis(), 5);
  EXPECT_EQ(out.reason(), 1);
  EXPECT_EQ(out.completeness(), 28);
  EXPECT_EQ(out.price_kind(), 29);
  EXPECT_EQ(out.cause().offset(), 30u);
  EXPECT_EQ(out.cause().input(), 33);

  Trade trade{};
  trade.price = 1, trade.size = 2, trade.trade_id = 3, trade.conditions = 4, trade.fills = 5, trade.side = Side::kSell;
  fb::Trade trade_out;
  std::memcpy(static_cast<void*>(&trade_out), &trade, sizeof trade);
  EXPECT_EQ(trade_out.price(), 1);
  EXPECT_EQ(trade_out.size(), 2);
  EXPECT_EQ(trade_out.trade_id(), 3u);
  EXPECT_EQ(trade_out.conditions(), 4u);
  EXPECT_EQ(trade_out.fills(), 5);
  EXPECT_EQ(trade_out.side(), 2);

  Gap gap{};
  gap.count = 1, gap.venue_from = 2, gap.venue_to = 3, gap.ts_from = 4, gap.of_type = RecordType::kLevel, gap.cause = GapCause::kChecksum;
  gap.version = 6, gap.state = GapState::kRepaired, gap.of_basis = BarBasis::kAsk;
  fb::Gap gap_out;
  std::memcpy(static_cast<void*>(&gap_out), &gap, sizeof gap);
  EXPECT_EQ(gap_out.count(), 1u);
  EXPECT_EQ(gap_out.venue_to(), 3u);
  EXPECT_EQ(gap_out.ts_from(), 4u);
  EXPECT_EQ(gap_out.of_type(), 8);
  EXPECT_EQ(gap_out.cause(), 4);
  EXPECT_EQ(gap_out.version(), 6);
  EXPECT_EQ(gap_out.state(), 1);
  EXPECT_EQ(gap_out.of_basis(), 4);
}

TEST(Crc32c, KnownAnswersAndPortableAgree) {
  EXPECT_EQ(Crc32c("123456789", 9), 0xe3069283u);  // RFC 3720 B.4.
  std::string bytes(20'000, '\0');
  EXPECT_EQ(Crc32c(bytes.data(), 32), 0x8a9136aau);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 131 + (i >> 7));
  for (std::size_t size = 0; size < bytes.size(); size = size * 3 / 2 + 1) {
    for (std::size_t start = 0; start < 9; ++start) {
      if (start + size > bytes.size()) break;
      ASSERT_EQ(Crc32c(bytes.data() + start, size, 5), Crc32cPortable(bytes.data() + start, size, 5)) << start << " " << size;
    }
  }
}

TEST(RecordHash, InterleavingDoesNotMatterOrderDoes) {
  const auto trade = [](std::uint32_t instrument, std::uint32_t seq) {
    Trade t{};
    t.header = Header{1, 1, seq, 1, instrument, RecordType::kTrade, 0, 0};
    t.price = seq;
    return t;
  };
  RecordHash a;
  RecordHash b;
  RecordHash c;
  for (std::uint32_t seq = 1; seq <= 5; ++seq) {
    for (std::uint32_t instrument = 1; instrument <= 2; ++instrument) {
      const Trade t = trade(instrument, seq);
      a.Add(&t);
    }
  }
  for (std::uint32_t instrument = 2; instrument >= 1; --instrument) {
    for (std::uint32_t seq = 1; seq <= 5; ++seq) {
      const Trade t = trade(instrument, seq);
      b.Add(&t);
      b.Add(&t);  // A repeat is dropped.
      if (seq != 3) c.Add(&t);
    }
  }
  EXPECT_EQ(a.Digest(), b.Digest());
  EXPECT_NE(a.Digest(), c.Digest());
  EXPECT_EQ(b.repeats(), 10u);
}

}  // namespace
}  // namespace tw::wire
