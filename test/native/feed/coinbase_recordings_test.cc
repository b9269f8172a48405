#include <gtest/gtest.h>

#include "feed/recording.h"

namespace tw::feed {
namespace {

TEST(CoinbaseRecordings, MatchesTickersAndBooks) {
  if (SharedData().empty()) GTEST_SKIP() << "no recorded data beside the repository";
  const Outcome out = Replay("coinbase", {"cryptofeed/COINBASE.ws.28.0.gz"});
  EXPECT_EQ(out.trades, 97u);  // 10 last_match are echoes.
  EXPECT_EQ(out.quotes, 107u);
  EXPECT_EQ(out.gaps, 0u);
  EXPECT_GT(out.depths, 100u);
  EXPECT_EQ(out.stats.reasons[Reason::kFiltered], 10u);
  EXPECT_EQ(out.stats.reasons[Reason::kSequence], 0u);
}

}  // namespace
}  // namespace tw::feed
