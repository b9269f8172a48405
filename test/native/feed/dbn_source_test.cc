#include "feed/dbn_source.h"

#include <gtest/gtest.h>

#include "feed/vector_sink.h"

namespace tw::feed {
namespace {

constexpr std::uint64_t kDay = 1'719'792'000'000'000'000;  // 2024-07-01.

class Bytes {
 public:
  template <class T>
  Bytes& Put(T value) {
    const auto* p = reinterpret_cast<const char*>(&value);
    text.append(p, sizeof value);
    return *this;
  }
  Bytes& Text(std::string_view value, std::size_t size) {
    text.append(value);
    text.append(size - value.size(), '\0');
    return *this;
  }
  std::string text;
};

std::string File(std::uint16_t schema, const std::string& records) {
  Bytes m;
  m.Text("GLBX.MDP3", 16).Put(schema).Put(kDay).Put(kDay + 1).Put(std::uint64_t{0}).Put(std::uint64_t{0});
  m.Put(std::uint8_t{1}).Put(std::uint8_t{0}).Put(std::uint8_t{0}).Text("", 47);
  m.Put(0u).Put(1u).Text("ESU4", 22).Put(0u).Put(0u);
  m.Put(1u).Text("ESU4", 22).Put(1u).Put(20240701u).Put(20240702u).Text("118", 22);
  Bytes f;
  f.Text("DBN", 3).Put(std::uint8_t{1}).Put(static_cast<std::uint32_t>(m.text.size()));
  return f.text + m.text + records;
}

std::string RawTrade(std::int64_t price, char action, std::uint32_t id = 118) {
  Bytes r;
  r.Put(std::uint8_t{12}).Put(std::uint8_t{0}).Put(std::uint16_t{1}).Put(id).Put(kDay + 5).Put(price).Put(3u).Put(action).Put('B');
  r.Put(std::uint8_t{128}).Put(std::uint8_t{0}).Put(kDay + 7).Put(0).Put(9u);
  return r.text;
}

std::string Mbp1(char action, std::int64_t bid) {
  Bytes r;
  r.Put(std::uint8_t{20}).Put(std::uint8_t{1}).Put(std::uint16_t{1}).Put(118u).Put(kDay + 5).Put(std::int64_t{5'000'000'000}).Put(3u);
  r.Put(action).Put('A').Put(std::uint8_t{0}).Put(std::uint8_t{0}).Put(kDay + 8).Put(0).Put(9u);
  r.Put(bid).Put(std::int64_t{6'000'000'000}).Put(1u).Put(2u).Put(1u).Put(1u);
  return r.text;
}

struct Replay {
  InstrumentTable table;
  VectorSink sink;
  Session session{{.epoch = 1}, &sink};
  std::unique_ptr<RecordSource> source = MakeDbnSource({.bars = true}, &session);
  Replay() { session.AddInstrument(table.Add({.id = 0x11000001, .price_exponent = -9, .size_exponent = 0, .symbol = "ESU4"}), "ESU4", 0); }
  void Feed(std::string_view text, bool last) { source->Feed({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, last); }
};

const std::string kFile = File(1, RawTrade(5'528'750'000'000, 'T') + RawTrade(1, 'F') + Mbp1('T', 4) + Mbp1('A', INT64_MAX) + RawTrade(1, 'T', 77));

TEST(DbnSource, TradesAndQuotes) {
  Replay run;
  run.Feed(kFile, true);
  ASSERT_EQ(run.sink.size(), 4u);
  EXPECT_EQ(run.sink.As<Trade>(0).price, 5'528'750'000'000);
  EXPECT_EQ(run.sink.As<Trade>(0).side, Side::kBuy);
  EXPECT_EQ(run.sink.header(0).ts_recv, kDay + 7);
  EXPECT_EQ(run.sink.header(0).flags & kFlagLastOfUpdate, kFlagLastOfUpdate);
  EXPECT_EQ(run.sink.header(1).type, RecordType::kTrade);
  EXPECT_EQ(run.sink.header(2).type, RecordType::kQuote);
  EXPECT_EQ(run.sink.As<Quote>(3).bid_price, kNoPrice);
  EXPECT_EQ(run.session.stats().reasons[Reason::kNotMarketData], 1u);      // F is the resting order that T hit.
  EXPECT_EQ(run.session.stats().reasons[Reason::kUnknownInstrument], 1u);  // 77 has no mapping and no listing.
}

TEST(DbnSource, CutAtEveryByteIsTheWhole) {
  Replay whole;
  whole.Feed(kFile, true);
  for (std::size_t cut = 0; cut <= kFile.size(); ++cut) {
    Replay run;
    run.Feed(std::string_view(kFile).substr(0, cut), false);
    run.Feed(std::string_view(kFile).substr(cut), true);
    ASSERT_EQ(run.sink.bytes(), whole.sink.bytes()) << cut;
  }
  Replay bytes;
  for (std::size_t i = 0; i < kFile.size(); ++i) bytes.Feed(std::string_view(kFile).substr(i, 1), i + 1 == kFile.size());
  EXPECT_EQ(bytes.sink.bytes(), whole.sink.bytes());
  std::printf("dbn: %zu cuts compared\n", kFile.size() + 1);
}

TEST(DbnSource, RefusesWithAReason) {
  const auto reason = [](std::string text, Reason expected) {
    Replay run;
    run.Feed(text, true);
    EXPECT_EQ(run.session.stats().reasons[expected], 1u) << ReasonName(expected);
  };
  reason(std::string("\x51\x2a\x4d\x18 is how .dbz begins"), Reason::kUnknownType);
  reason("DBN\x09....", Reason::kUnknownType);
  reason(std::string("DBN\x01\xff\xff\xff\xff", 8), Reason::kBadLength);
  reason(kFile.substr(0, kFile.size() - 1), Reason::kTruncated);
  reason(File(1, std::string(20, '\0')), Reason::kBadLength);
  Bytes odd;
  odd.Put(std::uint8_t{4}).Put(std::uint8_t{250}).Text("", 14);
  reason(File(1, odd.text), Reason::kUnknownType);
}

}  // namespace
}  // namespace tw::feed
