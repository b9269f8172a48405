#include <gtest/gtest.h>

#include <random>

#include "model/decimal.h"
#include "model/instrument.h"
#include "model/stream.h"
#include "model/time_zone.h"

namespace tw {
namespace {

std::string Text(std::int64_t mantissa, int exponent) {
  std::string out;
  AppendDecimal(mantissa, exponent, &out);
  return out;
}

TEST(Decimal, ScalesExactly) {
  std::int64_t out = 0;
  EXPECT_TRUE(ParseScaled("61837.63000000", -4, &out));
  EXPECT_EQ(out, 618376300);
  EXPECT_TRUE(ParseScaled("-0.001", -3, &out));
  EXPECT_EQ(out, -1);
  EXPECT_TRUE(ParseScaled("1e-7", -8, &out));
  EXPECT_EQ(out, 10);
  EXPECT_TRUE(ParseScaled("5", 0, &out));
  EXPECT_EQ(out, 5);
  EXPECT_TRUE(ParseScaled("0.00000000000000000000000000", -2, &out));
  EXPECT_EQ(out, 0);
  EXPECT_TRUE(ParseScaled("9223372036854775807", 0, &out));
  EXPECT_TRUE(ParseScaled("1000000000000000000000", 4, &out));
  EXPECT_EQ(out, 100000000000000000);
}

TEST(Decimal, RefusesWhatIsNotExact) {
  std::int64_t out = 0;
  for (const char* text : {"", "-", ".", "1.2.3", "1,5", "NaN", "inf", " 1", "1 ", "0x10", "1e", "1e99999", "9223372036854775808", "--1"}) {
    EXPECT_FALSE(ParseScaled(text, 0, &out)) << text;
  }
  EXPECT_FALSE(ParseScaled("1.23", -1, &out));                  // A digit would be lost.
  EXPECT_FALSE(ParseScaled("92233720368547758.08", -3, &out));  // Overflow.
}

TEST(Decimal, FloatsAreTheShortestDecimal) {
  Decimal d;
  ASSERT_TRUE(FromFloatShortest(1320.800048828125f, &d));
  std::int64_t out = 0;
  ASSERT_TRUE(Rescale(d, -2, &out));
  EXPECT_EQ(out, 132080);
  EXPECT_FALSE(FromFloatShortest(std::numeric_limits<float>::quiet_NaN(), &d));
  EXPECT_FALSE(FromFloatShortest(std::numeric_limits<float>::infinity(), &d));
  ASSERT_TRUE(FromFloatShortest(1e30f, &d));
  EXPECT_FALSE(Rescale(d, -2, &out));
}

TEST(Decimal, TextHasNoTrailingZeros) {
  EXPECT_EQ(Text(6183763, -2), "61837.63");
  EXPECT_EQ(Text(6183700, -2), "61837");
  EXPECT_EQ(Text(0, -8), "0");
  EXPECT_EQ(Text(-5, -3), "-0.005");
  EXPECT_EQ(Text(12, 3), "12000");
  EXPECT_EQ(Text(std::numeric_limits<std::int64_t>::min() + 1, -18), "-9.223372036854775807");
  std::string wide;
  AppendDecimal128(static_cast<__int128>(1) << 100, -11, &wide);
  EXPECT_EQ(wide, "12676506002282294014.96703205376");
}

TEST(Decimal, RoundTrip) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const auto mantissa = static_cast<std::int64_t>(random() >> (random() % 63)) * ((random() & 1) ? 1 : -1);
    const int exponent = -static_cast<int>(random() % 19);
    std::int64_t out = 0;
    ASSERT_TRUE(ParseScaled(Text(mantissa, exponent), exponent, &out)) << mantissa << " " << exponent;
    ASSERT_EQ(out, mantissa);
  }
}

TEST(Murmur2, MatchesKafka) {
  // Values of org.apache.kafka.common.utils.UtilsTest.
  EXPECT_EQ(static_cast<std::int32_t>(Murmur2("21")), -973932308);
  EXPECT_EQ(static_cast<std::int32_t>(Murmur2("foobar")), -790332482);
  EXPECT_EQ(static_cast<std::int32_t>(Murmur2("a-little-bit-long-string")), -985981536);
  EXPECT_EQ(static_cast<std::int32_t>(Murmur2("a-little-bit-longer-string")), -1486304829);
  EXPECT_EQ(static_cast<std::int32_t>(Murmur2("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8")), -58897971);
  EXPECT_EQ(static_cast<std::int32_t>(Murmur2("abc")), 479470107);
}

TEST(InstrumentTable, AddsOnceAndFinds) {
  InstrumentTable table;
  const Instrument* a = table.Add({.id = (3u << 24) | 1, .price_exponent = -4, .size_exponent = -7, .symbol = "BTCUSDT"});
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(table.Find(a->id), a);
  EXPECT_EQ(table.FindSymbol(3, "BTCUSDT"), a);
  EXPECT_EQ(table.Add({.id = a->id, .price_exponent = -4, .size_exponent = -7, .symbol = "BTCUSDT"}), a);
  EXPECT_EQ(table.Add({.id = a->id, .price_exponent = -5, .size_exponent = -7, .symbol = "BTCUSDT"}), nullptr);
  EXPECT_EQ(table.Add({.id = 3u << 24, .symbol = "X"}), nullptr);
  EXPECT_EQ(table.Find(12345), nullptr);
  EXPECT_EQ(a->key_hash, KeyHash("BTCUSDT"));
}

Trade MakeTrade(std::uint32_t epoch, std::uint32_t seq) {
  Trade t{};
  t.header = Header{1, 1, seq, epoch, 5, RecordType::kTrade, 0, 0};
  return t;
}
Gap MakeGap(GapCause cause, std::uint32_t epoch, std::uint32_t seq, std::uint64_t count, std::uint64_t from = 0) {
  Gap g{};
  g.header = Header{1, 1, seq, epoch, 5, RecordType::kGap, 0, 0};
  g.cause = cause, g.count = count, g.of_type = RecordType::kTrade, g.venue_from = from, g.version = 1;
  return g;
}

TEST(StreamCursor, DedupAndGaps) {
  StreamCursor cursor;
  Trade t = MakeTrade(1, 1);
  EXPECT_TRUE(cursor.Accept(&t));
  EXPECT_FALSE(cursor.Accept(&t));
  Gap ours = MakeGap(GapCause::kRingFull, 1, 2, 3);
  EXPECT_TRUE(cursor.Accept(&ours));
  EXPECT_FALSE(cursor.Accept(&ours));
  t = MakeTrade(1, 4);
  EXPECT_FALSE(cursor.Accept(&t));  // Inside the gap.
  t = MakeTrade(1, 5);
  EXPECT_TRUE(cursor.Accept(&t));
  Gap venue = MakeGap(GapCause::kVenueSequence, 1, 5, 10, 77);
  EXPECT_TRUE(cursor.Accept(&venue));
  EXPECT_FALSE(cursor.Accept(&venue));
  Gap other = MakeGap(GapCause::kVenueSequence, 1, 5, 10, 99);
  EXPECT_TRUE(cursor.Accept(&other));
  t = MakeTrade(2, 1);
  EXPECT_TRUE(cursor.Accept(&t));
  EXPECT_FALSE(cursor.Accept(&venue));
}

TEST(TimeZone, LocalAndBack) {
  // Sydney 2024: +11 h until 2024-04-07 03:00 local (2024-04-06T16:00Z), then +10 h.
  const TimeZone sydney({{1696089600, 39600}, {1712419200, 36000}});
  const std::int64_t before = 1712400000LL * kNsPerSecond;
  const std::int64_t after = 1712500000LL * kNsPerSecond;
  EXPECT_EQ(sydney.UtcToLocalNs(before) - before, 39600 * kNsPerSecond);
  EXPECT_EQ(sydney.UtcToLocalNs(after) - after, 36000 * kNsPerSecond);
  EXPECT_EQ(sydney.LocalToUtcNs(sydney.UtcToLocalNs(before)), before);
  EXPECT_EQ(sydney.LocalToUtcNs(sydney.UtcToLocalNs(after)), after);
  EXPECT_EQ(TimeZone().LocalToUtcNs(5), 5);
}

TEST(TimeZone, SkippedAndRepeatedHoursTakeTheOffsetBefore) {
  // New York 2024: -4 h from 2024-03-10T07:00Z, -5 h from 2024-11-03T06:00Z.
  const TimeZone new_york({{1699164000, -18000}, {1710054000, -14400}, {1730613600, -18000}});
  EXPECT_EQ(new_york.LocalToUtcNs(1710037800 * kNsPerSecond), 1710055800 * kNsPerSecond);  // 02:30, which never was.
  EXPECT_EQ(new_york.LocalToUtcNs(1730597400 * kNsPerSecond), 1730611800 * kNsPerSecond);  // 01:30, which was twice.
}

}  // namespace
}  // namespace tw
