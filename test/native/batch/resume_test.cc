#include "feed/resume.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "batch/batcher.h"
#include "batch/scan.h"
#include "feed/vector_sink.h"
#include "wire/batch.h"

namespace tw::batch {
namespace {

constexpr std::uint64_t kStart = 1'700'000'000'000'000'000;
const std::vector<std::string> kTopics = {"market.crypto.trades.x", "market.crypto.quotes.x"};

class ResumeTest : public ::testing::Test {
 protected:
  ResumeTest() {
    static int number = 0;
    directory_ =
        std::filesystem::temp_directory_path() / ("tw-resume-" + std::to_string(::getpid()) + "-" + std::to_string(number++));
    std::string error;
    log_ = journal::Log::Open(directory_, {}, &error);
    EXPECT_NE(log_, nullptr) << error;
    for (const auto& topic : kTopics)
      EXPECT_EQ(log_->EnsureTopic({.name = topic, .partitions = 3, .segment_bytes = 1u << 20}, &error), journal::Status::kOk)
          << error;
    for (std::uint32_t i = 1; i <= 5; ++i)
      instruments_->Add({.id = 0x01000000 | i, .symbol = "S" + std::to_string(i), .key_hash = 0});
  }
  ~ResumeTest() override { std::filesystem::remove_all(directory_); }

  // Plays `count` records of the same recording; returns the filter's counters.
  struct Played {
    std::uint64_t skipped;
    std::uint32_t refused;
    std::uint64_t unrouted;
  };
  Played Play(int count, std::uint32_t epoch, std::uint32_t second_epoch = 0, std::uint8_t source = 0) {
    Batcher batcher(log_, instruments_, {.records_max = 64});
    std::string error;
    EXPECT_TRUE(batcher.AddRoute({1, DataType::kTrades, kTopics[0]}, &error)) << error;
    EXPECT_TRUE(batcher.AddRoute({1, DataType::kQuotes, kTopics[1]}, &error)) << error;
    batcher.Start();
    auto ring = batcher.Attach({.policy = ring::Policy::kBlock, .slots = 1024});
    feed::ResumeFilter filter(ring.get());
    filter.Load(ScanSource(*log_, kTopics, source));
    feed::Session session({.source = source, .epoch = epoch}, &filter);
    std::vector<feed::FeedInstrument*> list;
    for (const Instrument* instrument : instruments_->List(1)) {
      list.push_back(session.AddInstrument(instrument, instrument->symbol, 0));
      ring->List(instrument->id);
    }
    for (int i = 0; i < count; ++i) {
      if (i == 500 && second_epoch != 0) session.Open(second_epoch);
      session.BeginFrame(kStart + static_cast<std::uint64_t>(i) * 1'000'000);
      Trade trade{};
      trade.price = i;
      if (i % 50 == 0)
        session.EmitVenueGap(*list[static_cast<std::size_t>(i % 5)], RecordType::kTrade, GapCause::kVenueSequence, 1, i, i);
      session.Emit(trade, RecordType::kTrade, *list[static_cast<std::size_t>(i % 5)]);
      Quote quote{};
      quote.bid_price = i;
      if (i % 3 == 0) session.Emit(quote, RecordType::kQuote, *list[static_cast<std::size_t>(i % 5)]);
    }
    session.Finish();
    ring->Flush();
    batcher.Stop();
    return {filter.skipped(), filter.refused_epoch(), batcher.stats().unrouted.value()};
  }
  std::pair<std::string, std::uint64_t> Hash(std::uint64_t* repeats) const {
    wire::RecordHash hash;
    for (const auto& topic : kTopics) {
      for (std::uint32_t partition = 0; partition < 3; ++partition) {
        journal::Status status;
        const auto reader = log_->OpenReader(topic, partition, &status);
        journal::MessageView message;
        while (reader->Next(&message) == journal::Status::kOk) {
          wire::BatchView view;
          EXPECT_EQ(wire::BatchView::Parse(message.value, &view), wire::BatchError::kNone);
          for (std::uint32_t i = 0; i < view.size(); ++i) hash.Add(view[i]);
        }
      }
    }
    *repeats = hash.repeats();
    return {hash.Digest(), hash.records()};
  }

  std::filesystem::path directory_;
  std::shared_ptr<journal::Log> log_;
  std::shared_ptr<InstrumentTable> instruments_ = std::make_shared<InstrumentTable>();
};

TEST_F(ResumeTest, ACutReplayResumesToTheSameHash) {
  std::uint64_t repeats = 0;
  Play(1000, 1'700'000'000, 1'700'000'400);
  const auto [whole, records] = Hash(&repeats);
  EXPECT_EQ(repeats, 0u);
  std::string error;
  for (const int cut : {1, 99, 499, 501, 777, 1000}) {
    std::filesystem::remove_all(directory_);
    log_ = journal::Log::Open(directory_, {}, &error);
    for (const auto& topic : kTopics) log_->EnsureTopic({.name = topic, .partitions = 3, .segment_bytes = 1u << 20}, &error);
    Play(cut, 1'700'000'000, 1'700'000'400);
    const Played again = Play(1000, 1'700'000'000, 1'700'000'400);
    EXPECT_EQ(again.refused, 0u);
    EXPECT_GE(again.skipped, static_cast<std::uint64_t>(cut));
    EXPECT_EQ(Hash(&repeats), std::make_pair(whole, records)) << "cut at " << cut;
    EXPECT_EQ(repeats, 0u);
  }
  std::printf("records compared: %llu in 6 resumed replays\n", static_cast<unsigned long long>(records));
}

TEST_F(ResumeTest, AReplayBelowWhatTheLogHoldsIsRefused) {
  Play(100, 1'700'000'000);
  std::uint64_t repeats = 0;
  const auto before = Hash(&repeats);
  EXPECT_EQ(Play(100, 1'600'000'000).refused, 1'600'000'000u);
  EXPECT_EQ(Hash(&repeats), before);
  EXPECT_EQ(Play(100, 1'600'000'000, 0, 1).refused, 0u);  // Another source has epochs of its own.
  EXPECT_EQ(Play(100, 1'800'000'000).refused, 0u);        // Above: a new session.
  EXPECT_EQ(Hash(&repeats).second, before.second * 3);
}

}  // namespace
}  // namespace tw::batch
