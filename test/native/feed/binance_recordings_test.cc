// Recorded sessions through the feeds: no false gap, books equal to the venue's own prices, every trade.
#include <gtest/gtest.h>

#include "feed/recording.h"

namespace tw::feed {
namespace {

class BinanceRecordings : public ::testing::Test {
 protected:
  void SetUp() override {
    if (SharedData().empty()) GTEST_SKIP() << "no recorded data beside the repository";
  }
};

TEST_F(BinanceRecordings, SpotTwoFilesAreOneSession) {
  const Outcome both = Replay("binance", {"hftbacktest/spot_btcusdt_20240808.gz", "hftbacktest/spot_btcusdt_20240809.gz"});
  EXPECT_EQ(both.trades, 9'757u + 10'147u);
  EXPECT_EQ(both.quotes, 28'040u + 45'134u);
  EXPECT_EQ(both.gaps, 0u);
  EXPECT_GE(both.books.checks, 1'072u);
  EXPECT_EQ(both.books.mismatches, 0u);
  EXPECT_EQ(both.stats.reasons[Reason::kSequence], 0u);
}

TEST_F(BinanceRecordings, UsdMargined) {
  const Outcome out = Replay("binance_usdm", {"hftbacktest/usdm_btcusdt_20240808.gz"});
  EXPECT_EQ(out.trades, 21'313u);
  EXPECT_EQ(out.quotes, 66'089u);
  EXPECT_EQ(out.gaps, 0u);
  EXPECT_GE(out.books.checks, 629u);
  EXPECT_EQ(out.books.mismatches, 0u);
  EXPECT_EQ(out.stats.reasons[Reason::kSequence], 0u);
}

TEST_F(BinanceRecordings, CoinMargined) {
  const Outcome out = Replay("binance_coinm", {"hftbacktest/cm_btcusd_perp_20240808.gz"});
  EXPECT_EQ(out.trades, 2'286u);
  EXPECT_EQ(out.quotes, 19'136u);
  EXPECT_EQ(out.gaps, 0u);
  EXPECT_GT(out.books.checks, 0u);
  EXPECT_EQ(out.books.mismatches, 0u);
}

TEST_F(BinanceRecordings, CryptofeedCaptures) {
  const Outcome spot = Replay("binance", {"cryptofeed/BINANCE.http.0.0.gz", "cryptofeed/BINANCE.ws.1.0.gz"});
  EXPECT_EQ(spot.trades, 2u);
  EXPECT_EQ(spot.gaps, 0u);
  const Outcome futures =
      Replay("binance_usdm", {"cryptofeed/BINANCE_FUTURES.http.0.0.gz", "cryptofeed/BINANCE_FUTURES.ws.1.0.gz"});
  EXPECT_EQ(futures.trades, 91u);
  EXPECT_EQ(futures.gaps, 0u);
}

}  // namespace
}  // namespace tw::feed
