#include <gtest/gtest.h>

#include "feed/recording.h"

namespace tw::feed {
namespace {

TEST(KrakenRecordings, EveryChecksumMatches) {
  if (SharedData().empty()) GTEST_SKIP() << "no recorded data beside the repository";
  const Outcome out = Replay("kraken", {"flashbook/kraken_v2_live-btc-eth.ndjson.gz"});
  EXPECT_EQ(out.trades, 17u);
  EXPECT_EQ(out.books.checks, 2'962u);  // 2 snapshots, 2,960 updates.
  EXPECT_EQ(out.books.mismatches, 0u);
  EXPECT_EQ(out.gaps, 0u);
  EXPECT_EQ(out.stats.reasons[Reason::kHeartbeat], 23u);
}

}  // namespace
}  // namespace tw::feed
