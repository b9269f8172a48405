#include "batch/batcher.h"

#include <gtest/gtest.h>

#include <thread>
#include <utility>

#include "batch/memory_log.h"
#include "feed/session.h"
#include "model/stream.h"

namespace tw::batch {
namespace {

constexpr std::uint64_t kStart = 1'700'000'000'000'000'000;
constexpr std::uint8_t kExchange = 2;

class BatcherTest : public ::testing::Test {
 protected:
  BatcherTest() {
    for (std::uint32_t i = 1; i <= 20; ++i) {
      instruments_->Add({.id = (std::uint32_t{kExchange} << 24) | i,
                         .price_exponent = -2,
                         .size_exponent = -2,
                         .symbol = "S" + std::to_string(i)});
    }
  }
  std::unique_ptr<Batcher> Make(MemoryLog& log, BatcherOptions options = {}) {
    std::shared_ptr<journal::Log> shared(&log, [](journal::Log*) {});
    auto batcher = std::make_unique<Batcher>(shared, instruments_, options);
    const std::pair<DataType, std::uint32_t> topics[] = {
        {DataType::kTrades, 4}, {DataType::kQuotes, 2}, {DataType::kDepth, 3}, {DataType::kGaps, 1}, {DataType::kStatus, 1}};
    for (const auto& [type, partitions] : topics) {
      const std::string topic = std::string("market.crypto.") + kDataTypeNames[static_cast<std::size_t>(type)] + ".binance";
      std::string error;
      log.EnsureTopic({.name = topic, .partitions = partitions}, &error);
      EXPECT_TRUE(batcher->AddRoute({kExchange, type, topic}, &error)) << error;
    }
    return batcher;
  }
  // A market of 20 instruments over a ring, the same for every seed: trades, quotes, depth, holes of the venue.
  void Produce(ring::FeedRing* ring, std::uint8_t source, int records) {
    feed::Session session({.source = source, .epoch = 1'700'000'000}, ring);
    std::vector<feed::FeedInstrument*> list;
    for (const Instrument* instrument : instruments_->List(kExchange)) {
      list.push_back(session.AddInstrument(instrument, instrument->symbol, 0));
      ring->List(instrument->id);
    }
    for (int i = 0; i < records; ++i) {
      session.BeginFrame(kStart + static_cast<std::uint64_t>(i) * 1'000'000);
      feed::FeedInstrument& at = *list[static_cast<std::size_t>(i * 7 % 20)];
      Trade trade{};
      Quote quote{};
      Depth5 depth{};
      trade.header.ts_event = quote.header.ts_event = depth.header.ts_event = kStart + static_cast<std::uint64_t>(i) * 1'000'000;
      trade.price = i;
      if (i % 97 == 0) session.EmitVenueGap(at, RecordType::kTrade, GapCause::kVenueSequence, 3, i, i + 2);
      if (i % 3 == 0) {
        session.Emit(quote, RecordType::kQuote, at);
      } else if (i % 11 == 0) {
        session.Emit(depth, RecordType::kDepth5, at);
      } else {
        session.Emit(trade, RecordType::kTrade, at);
      }
      if (i % 16 == 0) ring->Flush();
    }
    session.Finish();
    ring->Flush();
    produced_ += session.stats().records - session.stats().clocks;
  }
  std::shared_ptr<InstrumentTable> instruments_ = std::make_shared<InstrumentTable>();
  std::uint64_t produced_ = 0;
};

TEST_F(BatcherTest, EveryBatchSizeGivesOneHash) {
  std::string first;
  std::uint64_t compared = 0;
  for (const std::size_t size : {1, 7, 256, 4096}) {
    MemoryLog log;
    auto batcher = Make(log, {.records_max = size});
    auto ring = batcher->Attach({.policy = ring::Policy::kBlock, .slots = 1024});
    batcher->Start();
    produced_ = 0;
    Produce(ring.get(), 0, 20'000);
    batcher->Stop();
    std::uint64_t records = 0;
    log.Each([&](const MemoryLog::Partition& partition, const Header* record) {
      if (HasStream(record->type) && partition.first.find(".gaps.") == std::string::npos) ++records;
    });
    EXPECT_EQ(records, produced_);
    compared += records;
    if (first.empty()) first = log.Hash();
    EXPECT_EQ(log.Hash(), first) << "batch size " << size;
    EXPECT_EQ(batcher->stats().lost.value(), 0u);
    EXPECT_EQ(batcher->stats().unrouted.value(), 0u);
    for (const auto& [partition, messages] : log.messages) {
      for (const auto& message : messages) {
        wire::BatchView view;
        ASSERT_EQ(wire::BatchView::Parse(message.bytes(), &view), wire::BatchError::kNone);
        ASSERT_LE(view.size(), size);
      }
    }
  }
  std::printf("records compared: %llu, hash %s\n", static_cast<unsigned long long>(compared), first.c_str());
}

TEST_F(BatcherTest, RecordsLandInTheirPartitionAndOrder) {
  MemoryLog log;
  auto batcher = Make(log);
  auto ring = batcher->Attach({.policy = ring::Policy::kBlock, .slots = 4096});
  batcher->Start();
  Produce(ring.get(), 0, 5'000);
  batcher->Stop();
  std::unordered_map<StreamKey, StreamCursor, StreamKeyHash> cursors;
  std::uint64_t gaps = 0, copies = 0, checked = 0;
  std::map<MemoryLog::Partition, std::uint64_t> clocks;
  log.Each([&](const MemoryLog::Partition& partition, const Header* record) {
    if (record->type == RecordType::kClock) {
      EXPECT_EQ(record->seq, ++clocks[partition]);  // Each one, in every partition.
      return;
    }
    if (partition.first.find(".gaps.") != std::string::npos) {
      ++copies;
      return;
    }
    ++checked;
    gaps += record->type == RecordType::kGap ? 1 : 0;
    EXPECT_EQ(instruments_->Find(record->instrument_id)->key_hash % log.topics[partition.first].partitions, partition.second);
    EXPECT_TRUE(cursors[StreamOf(record)].Accept(record));
  });
  EXPECT_GT(checked, 5'000u);
  EXPECT_EQ(gaps, copies);
  EXPECT_EQ(gaps, 52u);
  EXPECT_EQ(clocks.size(), 4u + 2 + 3);  // Trades, quotes and depth; not gaps, not status.
  for (const auto& [partition, count] : clocks) EXPECT_EQ(count, clocks.begin()->second) << partition.first;
  const auto& gap_messages = log.messages[{"market.crypto.gaps.binance", 0}];
  EXPECT_EQ(gap_messages.size(), copies);
  EXPECT_EQ(gap_messages[0].key.substr(0, 2), "x-");
}

TEST_F(BatcherTest, SeveralFeedsShareIt) {
  MemoryLog log;
  auto batcher = Make(log, {.records_max = 64});
  batcher->Start();
  std::vector<std::thread> feeds;
  std::mutex mutex;
  for (int i = 0; i < 3; ++i) {
    auto ring = batcher->Attach({.policy = ring::Policy::kBlock, .slots = 256});
    feeds.emplace_back([this, ring, i] {
      feed::Session session({.source = static_cast<std::uint8_t>(i), .epoch = 5}, ring.get());
      auto* at = session.AddInstrument(instruments_->Find((std::uint32_t{kExchange} << 24) | 1), "S1", 0);
      for (int n = 0; n < 20'000; ++n) {
        session.BeginFrame(kStart + static_cast<std::uint64_t>(n));
        Trade trade{};
        session.Emit(trade, RecordType::kTrade, *at);
        ring->Flush();
      }
    });
  }
  for (auto& feed : feeds) feed.join();
  batcher->Stop();
  wire::RecordHash hash;
  log.Each([&](const MemoryLog::Partition&, const Header* record) { hash.Add(record); });
  EXPECT_EQ(hash.records(), 60'000u);
  EXPECT_EQ(hash.repeats(), 0u);
  EXPECT_EQ(hash.streams(), 3u);
}

TEST_F(BatcherTest, AFullDiskIsBackpressureAndPassesAway) {
  MemoryLog log;
  auto batcher = Make(log);
  auto ring = batcher->Attach({.policy = ring::Policy::kBlock, .slots = 64});
  log.answer = journal::Status::kDiskFull;
  batcher->Start();
  std::thread feed([&] { Produce(ring.get(), 0, 2'000); });
  while (batcher->stats().disk_full.value() < 2 || ring->blocked() == 0) std::this_thread::yield();
  EXPECT_EQ(batcher->stats().refusing.load(), journal::Status::kDiskFull);
  log.answer = journal::Status::kBusy;
  while (batcher->stats().busy.value() < 2) std::this_thread::yield();
  log.answer = journal::Status::kOk;
  feed.join();
  while (!ring->flushed()) std::this_thread::yield();
  EXPECT_EQ(batcher->stats().refusing.load(), journal::Status::kOk);
  batcher->Stop();
  std::uint64_t records = 0;
  log.Each([&](const MemoryLog::Partition& partition, const Header* record) {
    if (HasStream(record->type) && partition.first.find(".gaps.") == std::string::npos) ++records;
  });
  EXPECT_EQ(records, produced_);
  EXPECT_EQ(batcher->stats().lost.value(), 0u);
}

TEST_F(BatcherTest, StopWhileTheLogRefusesCountsWhatIsLost) {
  MemoryLog log;
  auto batcher = Make(log, {.records_max = 1});
  auto ring = batcher->Attach({.policy = ring::Policy::kDrop, .slots = 64});
  log.answer = journal::Status::kIoError;
  for (std::uint32_t i = 1; i <= 10; ++i) {
    Trade trade{};
    trade.header = {.ts_event = 1,
                    .ts_recv = 1,
                    .seq = i,
                    .epoch = 1,
                    .instrument_id = (std::uint32_t{kExchange} << 24) | 1,
                    .type = RecordType::kTrade,
                    .source = 0,
                    .flags = 0};
    ring->Push(&trade, sizeof trade);
  }
  ring->Flush();
  batcher->Start();
  while (batcher->stats().errors.value() == 0) std::this_thread::yield();
  batcher->Stop();
  EXPECT_EQ(batcher->stats().lost.value(), 10u);
  EXPECT_FALSE(ring->Push("", 0));
}

TEST_F(BatcherTest, ABatchTooLargeForASegmentIsSplit) {
  MemoryLog log;
  log.records_max = 3;
  auto batcher = Make(log, {.records_max = 256});
  auto ring = batcher->Attach({.policy = ring::Policy::kBlock, .slots = 4096});
  Produce(ring.get(), 0, 1'000);
  batcher->Start();
  batcher->Stop();
  std::uint64_t records = 0;
  log.Each([&](const MemoryLog::Partition& partition, const Header* record) {
    if (HasStream(record->type) && partition.first.find(".gaps.") == std::string::npos) ++records;
  });
  EXPECT_EQ(records, produced_);
}

TEST_F(BatcherTest, WhatHasNoRouteIsCounted) {
  MemoryLog log;
  auto batcher = Make(log);
  auto ring = batcher->Attach({.policy = ring::Policy::kBlock, .slots = 4096});
  Ticker ticker{};
  ticker.header = {.ts_event = 1,
                   .ts_recv = 1,
                   .seq = 1,
                   .epoch = 1,
                   .instrument_id = (std::uint32_t{kExchange} << 24) | 1,
                   .type = RecordType::kTicker,
                   .source = 0,
                   .flags = 0};
  ring->Push(&ticker, sizeof ticker);
  Trade trade{};
  trade.header = {.ts_event = 1,
                  .ts_recv = 1,
                  .seq = 1,
                  .epoch = 1,
                  .instrument_id = 0x05000001,
                  .type = RecordType::kTrade,
                  .source = 0,
                  .flags = 0};
  ring->Push(&trade, sizeof trade);
  std::string error;
  EXPECT_FALSE(batcher->AddRoute({kExchange, DataType::kTickers, "market.crypto.tickers.nowhere"}, &error));
  EXPECT_NE(error.find("does not exist"), std::string::npos);
  batcher->Start();
  batcher->Stop();
  EXPECT_EQ(batcher->stats().unrouted.value(), 2u);
}

TEST_F(BatcherTest, ADetachedRingIsWrittenToItsEnd) {
  MemoryLog log;
  auto batcher = Make(log);
  batcher->Start();
  auto ring = batcher->Attach({.policy = ring::Policy::kBlock, .slots = 65'536});
  Produce(ring.get(), 0, 3'000);
  batcher->Detach(ring);
  while (!batcher->detached(ring)) std::this_thread::yield();
  EXPECT_TRUE(ring->flushed());
  batcher->Stop();
  std::uint64_t records = 0;
  log.Each([&](const MemoryLog::Partition& partition, const Header* record) {
    if (HasStream(record->type) && partition.first.find(".gaps.") == std::string::npos) ++records;
  });
  EXPECT_EQ(records, produced_);
}

// A route that came while batches of others were open took them off the list of what is to be written.
TEST_F(BatcherTest, ARouteAddedInMidStreamKeepsOpenBatches) {
  MemoryLog log;
  std::unique_ptr<Batcher> batcher;
  bool added = false;
  BatcherOptions options{.age_max_ns = 3'600'000'000'000};
  options.now = [&]() -> std::uint64_t {  // First called when the first batch opens, on the batcher's thread.
    std::string error;
    if (!std::exchange(added, true)) {
      EXPECT_TRUE(batcher->AddRoute({kExchange, DataType::kTickers, "market.crypto.tickers.binance"}, &error)) << error;
    }
    return kStart;
  };
  std::string error;
  log.EnsureTopic({.name = "market.crypto.tickers.binance", .partitions = 1}, &error);
  batcher = Make(log, options);
  auto ring = batcher->Attach({.policy = ring::Policy::kBlock, .slots = 64});
  feed::Session session({.epoch = 1'700'000'000}, ring.get());
  const Instrument* instrument = instruments_->List(kExchange).front();
  feed::FeedInstrument& at = *session.AddInstrument(instrument, instrument->symbol, 0);
  session.BeginFrame(kStart);
  Trade trade{};
  ASSERT_TRUE(session.Emit(trade, RecordType::kTrade, at));
  ring->Flush();
  batcher->Start();
  batcher->Stop();
  std::uint64_t records = 0;
  log.Each([&](const MemoryLog::Partition&, const Header*) { ++records; });
  EXPECT_EQ(records, 1u);
  EXPECT_TRUE(added);
}

// A feed could not end while another one always had something in its ring.
TEST_F(BatcherTest, ARingIsDetachedBesideABusyOne) {
  MemoryLog log;
  constexpr int kPassesMax = 1'000;
  std::unique_ptr<Batcher> batcher;
  std::shared_ptr<ring::FeedRing> quiet;
  std::shared_ptr<ring::FeedRing> busy;
  int passes = 0;
  Trade trade{};
  trade.header.type = RecordType::kTrade;
  trade.header.instrument_id = instruments_->List(kExchange).front()->id;
  BatcherOptions options{.age_max_ns = 3'600'000'000'000};
  options.now = [&]() -> std::uint64_t {  // The busy feed, on the batcher's thread: one more record before each pass ends.
    if (!batcher->detached(quiet) && ++passes < kPassesMax) busy->Push(&trade, sizeof trade);
    return kStart;
  };
  batcher = Make(log, options);
  quiet = batcher->Attach({.policy = ring::Policy::kDrop, .slots = 64});
  busy = batcher->Attach({.policy = ring::Policy::kDrop, .slots = 64});
  busy->Push(&trade, sizeof trade);
  batcher->Detach(quiet);
  batcher->Start();
  batcher->Stop();
  EXPECT_TRUE(batcher->detached(quiet));
  EXPECT_LT(passes, kPassesMax);
}

}  // namespace
}  // namespace tw::batch
