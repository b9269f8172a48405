#include "feed/session.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "feed/vector_sink.h"
#include "model/stream.h"
#include "wire/record_hash.h"

namespace tw::feed {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kStart = 1'700'000'000'000 * kMs;

class SessionTest : public ::testing::Test {
 public:
  void Make(SessionOptions options = {.source = 2, .shard = 3, .epoch = 1'700'000'000}) {
    session_ = std::make_unique<Session>(options, &sink_);
    instrument_ = session_->AddInstrument(
        table_.Add({.id = 0x02000001, .price_exponent = -2, .size_exponent = -8, .symbol = "BTCUSDT"}), "btcusdt", 77);
    other_ = session_->AddInstrument(
        table_.Add({.id = 0x02000002, .price_exponent = -2, .size_exponent = -8, .symbol = "ETHUSDT"}), "ethusdt", 78);
  }
  bool EmitTrade(std::uint64_t ts_event, FeedInstrument* instrument = nullptr) {
    Trade trade{};
    trade.header.ts_event = ts_event;
    trade.price = 100;
    trade.size = 1;
    return session_->Emit(trade, RecordType::kTrade, instrument == nullptr ? *instrument_ : *instrument);
  }
  bool EmitQuote(std::uint64_t ts_event) {
    Quote quote{};
    quote.header.ts_event = ts_event;
    return session_->Emit(quote, RecordType::kQuote, *instrument_);
  }
  InstrumentTable table_;
  VectorSink sink_;
  std::unique_ptr<Session> session_;
  FeedInstrument* instrument_ = nullptr;
  FeedInstrument* other_ = nullptr;
};

TEST_F(SessionTest, IdentityRisesPerStream) {
  Make();
  session_->BeginFrame(kStart + 1);
  EXPECT_TRUE(EmitTrade(kStart));
  EXPECT_TRUE(EmitTrade(0));
  EXPECT_TRUE(EmitQuote(kStart));
  EXPECT_TRUE(EmitTrade(kStart, other_));
  ASSERT_EQ(sink_.size(), 4u);
  EXPECT_EQ(sink_.header(0).seq, 1u);
  EXPECT_EQ(sink_.header(1).seq, 2u);
  EXPECT_EQ(sink_.header(2).seq, 1u);
  EXPECT_EQ(sink_.header(3).seq, 1u);
  EXPECT_EQ(sink_.header(0).epoch, 1'700'000'000u);
  EXPECT_EQ(sink_.header(0).source, 2);
  EXPECT_EQ(sink_.header(0).ts_recv, kStart + 1);
  EXPECT_EQ(sink_.header(1).ts_event, kStart + 1);
  EXPECT_EQ(sink_.header(1).flags, kFlagEventTimeOurs);
  EXPECT_EQ(sink_.header(3).instrument_id, 0x02000002u);
}

TEST_F(SessionTest, BarsAreStreamsByIntervalAndBasis) {
  Make();
  session_->BeginFrame(kStart + 1);
  const auto emit = [&](std::uint32_t interval_ms, BarBasis basis) {
    Bar bar{};
    bar.header.ts_event = kStart;
    bar.interval_ms = interval_ms;
    bar.basis = basis;
    EXPECT_TRUE(session_->Emit(bar, RecordType::kBar, *instrument_));
    return sink_.last().seq;
  };
  EXPECT_EQ(emit(1'000, BarBasis::kTrade), 1u);
  EXPECT_EQ(emit(60'000, BarBasis::kTrade), 1u);
  EXPECT_EQ(emit(60'000, BarBasis::kBid), 1u);
  EXPECT_EQ(emit(1'000, BarBasis::kTrade), 2u);
  Bar lost{};
  lost.header.ts_event = kStart;
  lost.interval_ms = 60'000;
  lost.basis = BarBasis::kBid;
  session_->EmitLost(*instrument_, lost, GapCause::kOverflow);
  EXPECT_EQ(sink_.last().type, RecordType::kGap);
  EXPECT_EQ(sink_.last().seq, 2u);
  EXPECT_EQ(sink_.As<Gap>(sink_.size() - 1).of_basis, BarBasis::kBid);
  EXPECT_EQ(emit(60'000, BarBasis::kBid), 3u);
  session_->NewEpoch(1'800'000'000);
  session_->BeginFrame(kStart + 2);
  EXPECT_EQ(emit(1'000, BarBasis::kTrade), 1u);
}

TEST_F(SessionTest, ReceiveTimeNeverGoesBack) {
  Make();
  session_->BeginFrame(kStart + 500);
  session_->BeginFrame(kStart + 100);
  EmitTrade(kStart);
  EXPECT_EQ(sink_.header(0).ts_recv, kStart + 500);
  session_->Tick(kStart + 250 * kMs);
  session_->BeginFrame(kStart + 150 * kMs);  // Behind the clock that stands already.
  EmitTrade(kStart);
  EXPECT_EQ(sink_.last().ts_recv, kStart + 200 * kMs);
}

TEST_F(SessionTest, ClocksStandAtMultiplesBeforeTheFirstRecordBehind) {
  Make();
  session_->BeginFrame(kStart + 50 * kMs);
  EmitTrade(kStart + 20 * kMs);  // 30 ms behind us.
  session_->BeginFrame(kStart + 350 * kMs);
  EmitTrade(kStart + 340 * kMs);
  session_->BeginFrame(kStart + 400 * kMs);  // Exactly at a multiple.
  EmitTrade(kStart + 399 * kMs);
  std::vector<std::uint64_t> recv, event;
  for (std::size_t i = 0; i < sink_.size(); ++i) {
    if (sink_.header(i).type != RecordType::kClock) continue;
    recv.push_back((sink_.header(i).ts_recv - kStart) / kMs);
    event.push_back((sink_.header(i).ts_event - kStart) / kMs);
    EXPECT_EQ(sink_.As<Clock>(i).shard, 3);
    EXPECT_EQ(sink_.header(i).instrument_id, 0u);
  }
  EXPECT_EQ(recv, (std::vector<std::uint64_t>{100, 200, 300, 400}));
  EXPECT_EQ(event, (std::vector<std::uint64_t>{70, 170, 270, 390}));  // -30 ms, then -10 ms.
  EXPECT_EQ(sink_.header(1).type, RecordType::kClock);
  EXPECT_EQ(sink_.header(5).type, RecordType::kClock);  // Before the record at 400.
  EXPECT_TRUE(session_->Finish());
  EXPECT_EQ(sink_.last().flags, kFlagFinal);
  EXPECT_EQ(sink_.last().seq, 5u);
  EXPECT_TRUE(session_->Finish());
  EXPECT_EQ(session_->stats().clocks, 5u);
}

TEST_F(SessionTest, TimerAndReplayGiveTheSameClocks) {
  Make();
  session_->BeginFrame(kStart + 50 * kMs);
  EmitTrade(kStart + 20 * kMs);
  for (int i = 1; i < 30; ++i) session_->Tick(kStart + (50 + i * 37) * kMs);
  session_->BeginFrame(kStart + 1333 * kMs);
  EmitTrade(kStart + 1320 * kMs);
  session_->Finish();
  const auto live = sink_.bytes();
  sink_.clear();
  Make();
  session_->BeginFrame(kStart + 50 * kMs);
  EmitTrade(kStart + 20 * kMs);
  session_->BeginFrame(kStart + 1333 * kMs);
  EmitTrade(kStart + 1320 * kMs);
  session_->Finish();
  EXPECT_EQ(sink_.bytes(), live);
}

TEST_F(SessionTest, ADamagedReceiveTimeCostsOneClock) {
  Make();
  session_->BeginFrame(kStart);
  EmitTrade(kStart);
  session_->BeginFrame(kStart + 50ull * 365 * 86'400 * 1000 * kMs);
  EXPECT_EQ(session_->stats().clocks, 1u);
}

TEST_F(SessionTest, AnEventTimeFarAheadIsSuspectAndMovesNothing) {
  Make();
  session_->BeginFrame(kStart + 10 * kMs);
  EmitTrade(kStart + 3600'000 * kMs);  // No clock yet: against ts_recv.
  EXPECT_EQ(sink_.last().flags, kFlagSuspect);
  EmitTrade(kStart);
  session_->BeginFrame(kStart + 110 * kMs);
  EXPECT_EQ(sink_.last().ts_event, kStart + 90 * kMs);
  EmitTrade(kStart + 90 * kMs + kSuspectAheadNs);
  EXPECT_EQ(sink_.last().flags, 0);
  EmitTrade(kStart + 91 * kMs + kSuspectAheadNs);
  EXPECT_EQ(sink_.last().flags, kFlagSuspect);
  EXPECT_EQ(session_->stats().suspect, 2u);
}

TEST_F(SessionTest, WithoutReceiveTimesTheEventTimesLeadAndAPauseGetsOneClock) {
  Make({.source = 1, .epoch = 5, .has_receive_times = false});
  session_->BeginFrame(0);
  EmitTrade(kStart + 30 * kMs);
  session_->BeginFrame(0);
  EmitTrade(kStart + 20 * kMs);  // Back: ts_recv stays.
  EXPECT_EQ(sink_.last().ts_recv, kStart + 30 * kMs);
  session_->BeginFrame(0);
  EmitTrade(kStart + 60'050 * kMs);  // A minute later.
  ASSERT_EQ(sink_.size(), 4u);
  EXPECT_EQ(sink_.header(2).type, RecordType::kClock);
  EXPECT_EQ(sink_.header(2).ts_recv, kStart + 60'000 * kMs);
  EXPECT_EQ(sink_.header(2).ts_event, kStart + 60'000 * kMs);
  EXPECT_EQ(sink_.header(3).flags, 0);
  EXPECT_EQ(sink_.header(3).ts_recv, kStart + 60'050 * kMs);
  EXPECT_TRUE(session_->Finish());
  EXPECT_EQ(sink_.last().flags, kFlagFinal);
}

TEST_F(SessionTest, RefusedRecordsBecomeOneExactGap) {
  Make();
  session_->BeginFrame(kStart);
  EmitTrade(kStart);
  sink_.full = true;
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(EmitTrade(kStart + i));
  sink_.full = false;
  EmitTrade(kStart + 9);
  ASSERT_EQ(sink_.size(), 3u);
  const Gap gap = sink_.As<Gap>(1);
  EXPECT_EQ(gap.header.type, RecordType::kGap);
  EXPECT_EQ(gap.cause, GapCause::kRingFull);
  EXPECT_EQ(gap.header.seq, 2u);
  EXPECT_EQ(gap.count, 5u);
  EXPECT_EQ(gap.ts_from, kStart);
  EXPECT_EQ(gap.of_type, RecordType::kTrade);
  EXPECT_EQ(sink_.header(2).seq, 7u);
  EXPECT_EQ(sink_.header(2).flags, kFlagGapBefore);
  EmitTrade(kStart + 10);
  EXPECT_EQ(sink_.last().flags, 0);
}

TEST_F(SessionTest, FinishLeavesNoLossSilent) {
  Make();
  session_->BeginFrame(kStart);
  sink_.full = true;
  EmitTrade(kStart);
  EXPECT_FALSE(session_->Finish());
  sink_.full = false;
  EXPECT_TRUE(session_->Finish());
  ASSERT_EQ(sink_.size(), 2u);
  EXPECT_EQ(sink_.As<Gap>(0).count, 1u);
  EXPECT_EQ(sink_.header(1).type, RecordType::kClock);
}

TEST_F(SessionTest, VenueGapCarriesThePositionBeforeTheHole) {
  Make();
  session_->BeginFrame(kStart);
  EmitTrade(kStart);
  session_->EmitVenueGap(*instrument_, RecordType::kTrade, GapCause::kVenueSequence, 4, 101, 104);
  EmitTrade(kStart + 1);
  const Gap gap = sink_.As<Gap>(1);
  EXPECT_EQ(gap.header.seq, 1u);
  EXPECT_EQ(gap.count, 4u);
  EXPECT_EQ(gap.venue_from, 101u);
  EXPECT_EQ(gap.venue_to, 104u);
  EXPECT_FALSE(gap.ours());
  EXPECT_EQ(sink_.last().flags, kFlagGapBefore);
  EXPECT_EQ(sink_.last().seq, 2u);
}

TEST_F(SessionTest, AValueThatDoesNotFitIsAGapOfOne) {
  Make();
  session_->BeginFrame(kStart);
  session_->EmitLost(*instrument_, RecordType::kTrade, GapCause::kOverflow, kStart);
  EmitTrade(kStart + 1);
  const Gap gap = sink_.As<Gap>(0);
  EXPECT_EQ(gap.header.seq, 1u);
  EXPECT_EQ(gap.count, 1u);
  EXPECT_EQ(gap.cause, GapCause::kOverflow);
  EXPECT_EQ(sink_.last().seq, 2u);
  EXPECT_EQ(sink_.last().flags, kFlagGapBefore);
}

TEST_F(SessionTest, AReconnectLeavesAGapUnlessTheVenueSaysMore) {
  Make();
  session_->BeginFrame(kStart);
  EmitTrade(kStart);
  EmitTrade(kStart);
  EmitQuote(kStart);
  EmitTrade(kStart, other_);
  session_->NewEpoch(1'600'000'000);  // Not above: raised.
  EXPECT_EQ(session_->epoch(), 1'700'000'001u);
  sink_.clear();
  EmitQuote(kStart + 5);
  EXPECT_EQ(sink_.As<Gap>(0).cause, GapCause::kReconnect);
  EXPECT_EQ(sink_.As<Gap>(0).count, kUnknownCount);
  EXPECT_EQ(sink_.header(0).position(), (1'700'000'000ull << 32) | 1);
  EXPECT_EQ(sink_.header(1).position(), (1'700'000'001ull << 32) | 1);
  sink_.clear();
  session_->EmitVenueGap(*instrument_, RecordType::kTrade, GapCause::kReconnect, 7, 1, 7);
  EmitTrade(kStart + 5);
  ASSERT_EQ(sink_.size(), 2u);
  EXPECT_EQ(sink_.As<Gap>(0).count, 7u);
  EXPECT_EQ(sink_.header(0).position(), (1'700'000'000ull << 32) | 2);
  sink_.clear();
  session_->Continuous(*other_, RecordType::kTrade);
  EmitTrade(kStart + 5, other_);
  ASSERT_EQ(sink_.size(), 1u);
  EXPECT_EQ(sink_.last().flags, 0);
}

TEST_F(SessionTest, SeqNearItsEndOpensANewEpochWithoutAGap) {
  Make();
  session_->BeginFrame(kStart);
  EmitTrade(kStart);
  instrument_->seq[1] = kSeqMax - 1;
  EmitTrade(kStart);
  EXPECT_EQ(sink_.last().seq, kSeqMax);
  EmitTrade(kStart);
  EXPECT_EQ(sink_.last().seq, 1u);
  EXPECT_EQ(sink_.last().epoch, 1'700'000'001u);
  EXPECT_EQ(session_->stats().gaps, 0u);
}

TEST_F(SessionTest, UnknownNamesAreCountedAndListedOnce) {
  Make();
  EXPECT_EQ(session_->FindSymbol("btcusdt"), instrument_);
  EXPECT_EQ(session_->FindKey(77), instrument_);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(session_->FindSymbol("nope"), nullptr);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(session_->FindKey(5), nullptr);
  for (int i = 0; i < 3000; ++i) session_->FindSymbol("n" + std::to_string(i));
  EXPECT_EQ(session_->stats().reasons[Reason::kUnknownInstrument], 3006u);
  EXPECT_LE(session_->unknown_symbols().size(), 1001u);
  EXPECT_EQ(session_->unknown_symbols()[0], "nope");
  EXPECT_EQ(session_->unknown_symbols()[1], "5");
}

TEST_F(SessionTest, ListOnSightIsAskedOncePerName) {
  Make();
  struct Context {
    SessionTest* test;
    int calls = 0;
  } context{this};
  session_->set_list_on_sight(
      [](void* c, std::string_view symbol) -> FeedInstrument* {
        auto* context = static_cast<Context*>(c);
        ++context->calls;
        if (symbol != "SOLUSDT") return nullptr;
        auto* self = context->test;
        return self->session_->AddInstrument(self->table_.Add({.id = 0x02000003, .symbol = "SOLUSDT"}), symbol, 0);
      },
      &context);
  EXPECT_NE(session_->FindSymbol("SOLUSDT"), nullptr);
  EXPECT_NE(session_->FindSymbol("SOLUSDT"), nullptr);
  EXPECT_EQ(session_->FindSymbol("bad"), nullptr);
  EXPECT_EQ(session_->FindSymbol("bad"), nullptr);
  EXPECT_EQ(context.calls, 2);
}

// Whatever the sink refuses, and whenever: per stream, delivered + gaps = produced, and every reader accepts all of it.
TEST_F(SessionTest, DeliveredPlusGapsIsProduced) {
  std::size_t compared = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    sink_.clear();
    sink_.full = false;
    Make();
    std::mt19937 random(seed);
    std::uint64_t produced = 0, produced_other = 0, lost = 0;
    for (int i = 0; i < 400; ++i) {
      session_->BeginFrame(kStart + i * 7 * kMs);
      sink_.full = random() % 3 == 0 ? !sink_.full : sink_.full;
      switch (random() % 12) {
        case 0: session_->NewEpoch(0); break;
        case 1: session_->EmitVenueGap(*instrument_, RecordType::kTrade, GapCause::kVenueSequence, 2, i, i + 1); break;
        case 2: session_->EmitLost(*instrument_, RecordType::kTrade, GapCause::kOverflow, kStart), ++produced, ++lost; break;
        case 3:
        case 4: EmitTrade(kStart, other_), ++produced_other; break;
        default: EmitTrade(kStart), ++produced;
      }
    }
    sink_.full = false;
    ASSERT_TRUE(session_->Finish());
    std::unordered_map<StreamKey, StreamCursor, StreamKeyHash> cursors;
    std::unordered_map<std::uint32_t, std::uint64_t> sum;
    for (std::size_t i = 0; i < sink_.size(); ++i) {
      const Header& header = sink_.header(i);
      if (!HasStream(header.type)) continue;
      ASSERT_TRUE(cursors[StreamOf(&header)].Accept(&header)) << "seed " << seed << " record " << i;
      if (header.type == RecordType::kTrade) ++sum[header.instrument_id];
      if (header.type == RecordType::kGap && sink_.As<Gap>(i).ours()) sum[header.instrument_id] += sink_.As<Gap>(i).count;
      ++compared;
    }
    ASSERT_EQ(sum[0x02000001], produced) << "seed " << seed;
    ASSERT_EQ(sum[0x02000002], produced_other) << "seed " << seed;
  }
  std::printf("records compared: %zu\n", compared);
  EXPECT_GT(compared, 10'000u);
}

}  // namespace
}  // namespace tw::feed
