#include "feed/book.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "feed/vector_sink.h"
#include "feed/venue_feed.h"

namespace tw::feed {
namespace {

TEST(Book, EqualsAnOrderedMap) {
  std::mt19937_64 random(11);
  std::size_t compared = 0;
  for (const BookSide side : {BookSide::kBid, BookSide::kAsk}) {
    BookHalf half(side);
    std::map<std::int64_t, std::int64_t> model;
    for (int i = 0; i < 20'000; ++i) {
      const std::int64_t price = static_cast<std::int64_t>(random() % 300) + 1, size = static_cast<std::int64_t>(random() % 3);
      const auto before = model;
      if (size == 0) {
        model.erase(price);
      } else {
        model[price] = size;
      }
      ASSERT_EQ(half.Set(price, size), model != before);
      ASSERT_EQ(half.size(), model.size());
      if (i % 100 != 0) continue;
      std::size_t at = 0;
      const auto check = [&](const auto& entry) {
        ASSERT_EQ(half[at].price, entry.first);
        ASSERT_EQ(half[at].size, entry.second);
        ++at, ++compared;
      };
      if (side == BookSide::kAsk) {
        for (const auto& entry : model) check(entry);
      } else {
        for (auto it = model.rbegin(); it != model.rend(); ++it) check(*it);
      }
    }
  }
  EXPECT_GT(compared, 10'000u);
  std::printf("compared %zu levels\n", compared);
}

TEST(Book, LoadSortsAndTheLastOfEqualPricesCounts) {
  BookHalf half(BookSide::kBid);
  const BookLevel levels[] = {{5, 1}, {9, 2}, {7, 3}, {9, 4}, {6, 0}};
  half.Load(levels);
  ASSERT_EQ(half.size(), 3u);
  EXPECT_EQ(half[0], (BookLevel{9, 4}));
  EXPECT_EQ(half[2], (BookLevel{5, 1}));
  half.KeepBest(1);
  ASSERT_EQ(half.size(), 1u);
  EXPECT_EQ(half[0].price, 9);
}

TEST(Book, BoundDropsTheFarthest) {
  BookHalf half(BookSide::kAsk);
  for (std::int64_t price = 1; price <= static_cast<std::int64_t>(kBookLevelsMax); ++price) half.Set(price * 2, 1);
  EXPECT_FALSE(half.Set(1'000'000, 1));
  EXPECT_TRUE(half.Set(3, 7));
  EXPECT_EQ(half.size(), kBookLevelsMax);
  EXPECT_EQ(half[1], (BookLevel{3, 7}));
  EXPECT_EQ(half[kBookLevelsMax - 1].price, static_cast<std::int64_t>(kBookLevelsMax - 1) * 2);
}

// 500 symbols; the diff of one of them is lost, then its book contradicts the venue. Records of every other symbol must be the
// same.
class Market {
 public:
  static constexpr std::size_t kSymbols = 500;
  static constexpr std::size_t kBad = 123;
  static constexpr int kRounds = 30;

  explicit Market(bool corrupt) : session_({.epoch = 1'700'000'000}, &sink_) {
    for (std::size_t i = 0; i < kSymbols; ++i) {
      symbols_.push_back("S" + std::to_string(i) + "USDT");
      session_.AddInstrument(table_.Add({.id = 0x01000001 + static_cast<std::uint32_t>(i),
                                         .price_exponent = -4,
                                         .size_exponent = -4,
                                         .symbol = symbols_[i]}),
                             symbols_[i], 0);
    }
    feed_ = MakeVenueFeed("binance", {.depth_levels = 5, .book_levels = true}, &session_);
    for (std::size_t i = 0; i < kSymbols; ++i) Snapshot(i, 100);
    for (int round = 0; round < kRounds; ++round) {
      now_ += 1'000'000;  // By rounds: a frame more or less must not move the others' receive times.
      for (std::size_t i = 0; i < kSymbols; ++i) {
        if (corrupt && i == kBad && round == 10) continue;  // Lost.
        Diff(i, round, corrupt && i == kBad && round == 20);
      }
      if (corrupt && round == 15) Snapshot(kBad, 100 + round);
      if (corrupt && round == 25) Snapshot(kBad, 100 + round);
      if (round == 22) {
        for (std::size_t i = 0; i < kSymbols; ++i) BookTicker(i, round);
      }
    }
    requests_ = feed_->TakeRequests();
  }
  // Level and depth records of all symbols but the bad one.
  std::string Others() const {
    std::string bytes;
    for (std::size_t i = 0; i < sink_.size(); ++i) {
      const Header& header = sink_.header(i);
      if (header.instrument_id == 0x01000001 + kBad || header.instrument_id == 0) continue;
      bytes.append(reinterpret_cast<const char*>(&header), RecordSize(header.type));
    }
    return bytes;
  }
  const VectorSink& sink() const { return sink_; }
  BookStats stats() const { return feed_->book_stats(); }
  const std::vector<FeedRequest>& requests() const { return requests_; }

 private:
  void Send(const std::string& text) {
    session_.BeginFrame(now_);
    feed_->OnFrame({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, FrameKind::kText, "");
  }
  void Snapshot(std::size_t i, int id) {
    const std::string text = "{\"lastUpdateId\":" + std::to_string(id) + ",\"bids\":[[\"10.00\",\"" +
                             std::to_string(id == 100 ? 1 : id - 99) + ".00\"]],\"asks\":[[\"11.00\",\"1.00\"]]}";
    session_.BeginFrame(now_);
    feed_->OnFrame({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, FrameKind::kRest,
                   "https://api.binance.com/api/v3/depth?symbol=" + symbols_[i] + "&limit=1000");
  }
  // The best bid's size is round + 2; a wrong one is what a venue's best price would give away.
  void Diff(std::size_t i, int round, bool wrong) {
    const std::string id = std::to_string(101 + round);
    Send("{\"e\":\"depthUpdate\",\"E\":" + std::to_string(1'700'000'000'000 + round) + ",\"s\":\"" + symbols_[i] +
         "\",\"U\":" + id + ",\"u\":" + id + ",\"b\":[[\"10.00\",\"" + std::to_string(round + 2) + ".00\"]" +
         (wrong ? ",[\"10.50\",\"1.00\"]" : "") + "],\"a\":[]}");
  }
  void BookTicker(std::size_t i, int round) {
    Send("{\"u\":" + std::to_string(101 + round) + ",\"s\":\"" + symbols_[i] + "\",\"b\":\"10.00\",\"B\":\"" +
         std::to_string(round + 2) + ".00\",\"a\":\"11.00\",\"A\":\"1.00\"}");
  }

  InstrumentTable table_;
  VectorSink sink_;
  Session session_;
  std::vector<std::string> symbols_;
  std::unique_ptr<VenueFeed> feed_;
  std::vector<FeedRequest> requests_;
  std::uint64_t now_ = 1'700'000'000'000'000'000;
};

TEST(Book, OneBadBookLeavesAllOthersBitIdentical) {
  const Market whole(false), hurt(true);
  EXPECT_EQ(whole.stats().checks, Market::kSymbols);
  EXPECT_EQ(whole.stats().mismatches, 0u);
  const std::string others = whole.Others();
  EXPECT_GT(others.size(), 1'000'000u);
  EXPECT_TRUE(others == hurt.Others());
  std::printf("compared %zu bytes of %zu books\n", others.size(), Market::kSymbols - 1);

  // The bad one: lost a diff, resynced, contradicted the venue, resynced again.
  EXPECT_EQ(hurt.stats().mismatches, 1u);
  EXPECT_EQ(hurt.stats().resyncs, 2u);
  EXPECT_EQ(hurt.stats().quarantined, 0u);
  std::size_t gaps = 0, stale = 0, snapshots = 0;
  for (std::size_t i = 0; i < hurt.sink().size(); ++i) {
    const Header& header = hurt.sink().header(i);
    if (header.instrument_id != 0x01000001 + Market::kBad) continue;
    if (header.type == RecordType::kGap) {
      const Gap& gap = hurt.sink().As<Gap>(i);
      EXPECT_EQ(gap.cause, gaps < 2 ? GapCause::kVenueSequence : GapCause::kChecksum);
      EXPECT_EQ(gap.count, kUnknownCount);
      if (gaps == 0) {
        EXPECT_EQ(gap.venue_from, 111u);
        EXPECT_EQ(gap.venue_to, 111u);
      }
      ++gaps;
    }
    if (header.type != RecordType::kDepth5) continue;
    stale += (header.flags & kFlagStale) != 0 ? 1 : 0;
    snapshots += (header.flags & kFlagSnapshot) != 0 ? 1 : 0;
  }
  EXPECT_EQ(gaps, 4u);  // Of depth and of level, twice.
  EXPECT_EQ(stale, 2u);
  EXPECT_EQ(snapshots, 3u);
  ASSERT_EQ(hurt.requests().size(), whole.requests().size() + 2);
}

}  // namespace
}  // namespace tw::feed
