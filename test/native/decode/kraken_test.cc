#include "decode/kraken.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tw::decode {
namespace {

std::span<const std::uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

constexpr const char* kFrames[] = {
    R"({"channel":"book","type":"update","data":[{"symbol":"ETH/USD","bids":[{"price":1773.90,"qty":0.00000000},{"price":1773.70,"qty":28.18950592}],"asks":[],"checksum":188427729,"timestamp":"2026-07-07T23:00:04.000677Z"}]})",
    R"({"channel":"book","type":"snapshot","data":[{"symbol":"BTC/USD","bids":[{"price":63501.6,"qty":0.63889204}],"asks":[{"price":63501.9,"qty":0.00100000}],"checksum":423379305,"timestamp":"2026-07-07T23:00:03.947173Z"}]})",
    R"({"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"sell","price":63501.6,"qty":0.00185211,"ord_type":"limit","trade_id":103436769,"timestamp":"2026-07-07T23:00:05.562702Z"},{"symbol":"BTC/USD","side":"sell","price":63500.9,"qty":0.00005100,"ord_type":"limit","trade_id":103436771,"timestamp":"2026-07-07T23:00:05.562702Z"}]})",
    R"({"channel":"heartbeat"})"};

bool Same(const KrakenDecoder& a, const KrakenDecoder& b) {
  return a.kind() == b.kind() && a.snapshot() == b.snapshot() && std::ranges::equal(a.books(), b.books()) &&
         std::ranges::equal(a.levels(), b.levels()) && std::ranges::equal(a.trades(), b.trades());
}

TEST(Kraken, BookKeepsTheNumbersText) {
  KrakenDecoder decoder;
  ASSERT_EQ(decoder.Decode(Bytes(kFrames[0])), KrakenKind::kBook);
  EXPECT_FALSE(decoder.fell_back());
  EXPECT_FALSE(decoder.snapshot());
  ASSERT_EQ(decoder.books().size(), 1u);
  EXPECT_EQ(decoder.books()[0].bids, 2u);
  EXPECT_EQ(decoder.books()[0].checksum, 188427729u);
  EXPECT_EQ(decoder.levels()[0].price, "1773.90");
  EXPECT_EQ(decoder.levels()[0].size, "0.00000000");
}

TEST(Kraken, ScannerAndGeneralParserAgree) {
  std::size_t compared = 0;
  for (const std::string frame : kFrames) {
    KrakenDecoder scan, parse;
    ASSERT_TRUE(scan.Scan(Bytes(frame))) << frame;
    ASSERT_TRUE(parse.Parse(Bytes(frame))) << frame;
    EXPECT_TRUE(Same(scan, parse)) << frame;
    ++compared;
  }
  EXPECT_EQ(compared, 4u);
  std::printf("compared %zu frames\n", compared);
}

TEST(Kraken, ReorderedAndAddedKeysDecodeEqual) {
  KrakenDecoder scan, other;
  ASSERT_TRUE(scan.Scan(Bytes(kFrames[0])));
  EXPECT_EQ(
      other.Decode(Bytes(
          R"({"data":[{"timestamp":"2026-07-07T23:00:04.000677Z","checksum":188427729,"asks":[],"x":null,"bids":[{"qty":0.00000000 ,"price":1773.90},{"price":1773.70,"qty":28.18950592}],"symbol":"ETH\/USD"}],"type":"update","channel":"book"})")),
      KrakenKind::kBook);
  EXPECT_TRUE(other.fell_back());
  EXPECT_TRUE(Same(scan, other));
}

TEST(Kraken, CutAtEveryByteIsRefused) {
  KrakenDecoder decoder;
  std::size_t cuts = 0;
  for (const std::string frame : kFrames) {
    for (std::size_t size = 0; size < frame.size(); ++size) {
      const std::vector<std::uint8_t> cut(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_EQ(decoder.Decode(cut), KrakenKind::kNone);
      ++cuts;
    }
  }
  std::printf("cut %zu times\n", cuts);
}

// Found by fuzzing: asking such a value whether it is null threw.
TEST(Kraken, AnswerWithAWordThatIsNoValue) {
  KrakenDecoder decoder;
  EXPECT_EQ(decoder.Decode(Bytes(
                R"({"method":"subscribe","result":ncenh{a"l":"trade",+snapshot":false,"symbol":"ETH/USD"},"success":true,t"})")),
            KrakenKind::kNone);
  EXPECT_EQ(decoder.reason(), Reason::kBadJson);
  EXPECT_EQ(decoder.Decode(Bytes(R"({"method":"subscribe","result":null,"error":null,"success":false})")), KrakenKind::kAnswer);
}

// Found by fuzzing: the scanner took a power of ten that the general parser refuses.
TEST(Kraken, PowersOfTenAreTheGeneralParsers) {
  const std::string head = R"({"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":)";
  const std::string tail = R"(,"qty":0.1,"ord_type":"limit","trade_id":1,"timestamp":"2026-07-07T23:00:10.859059Z"}]})";
  KrakenDecoder decoder;
  EXPECT_EQ(decoder.Decode(Bytes(head + "6e99999999" + tail)), KrakenKind::kNone);
  EXPECT_EQ(decoder.Decode(Bytes(head + "6.5e-7" + tail)), KrakenKind::kTrade);
  EXPECT_TRUE(decoder.fell_back());
  EXPECT_EQ(decoder.trades()[0].price, "6.5e-7");
  EXPECT_EQ(decoder.Decode(Bytes(head + "6.5" + tail)), KrakenKind::kTrade);
  EXPECT_FALSE(decoder.fell_back());
}

TEST(Kraken, AnswersStatusAndUnknown) {
  KrakenDecoder decoder;
  EXPECT_EQ(
      decoder.Decode(Bytes(
          R"({"method":"subscribe","result":{"channel":"book","depth":10,"snapshot":true,"symbol":"BTC/USD"},"success":true,"time_in":"a","time_out":"b"})")),
      KrakenKind::kAnswer);
  EXPECT_TRUE(decoder.answer().success);
  EXPECT_EQ(decoder.answer().depth, 10u);
  EXPECT_EQ(decoder.answer().symbol, "BTC/USD");
  EXPECT_EQ(
      decoder.Decode(Bytes(R"({"error":"Currency pair not supported","method":"subscribe","success":false,"symbol":"X/Y"})")),
      KrakenKind::kAnswer);
  EXPECT_FALSE(decoder.answer().success);
  EXPECT_EQ(decoder.answer().error, "Currency pair not supported");
  EXPECT_EQ(decoder.Decode(Bytes(
                R"({"channel":"status","type":"update","data":[{"version":"2.0.10","connection_id":4421894013101914413}]})")),
            KrakenKind::kStatus);
  EXPECT_EQ(decoder.Decode(Bytes(R"({"channel":"ohlc","type":"update","data":[]})")), KrakenKind::kNone);
  EXPECT_EQ(decoder.reason(), Reason::kUnknownType);
  for (
      const char* bad :
      {"", "[]", "{}", R"({"channel":"book","type":"update","data":[]})",
       R"({"channel":"book","type":"update","data":[{"symbol":1}]})",
       R"({"channel":"book","type":"x","data":[{"symbol":"A","bids":[],"asks":[]}]})",
       R"({"channel":"trade","type":"update","data":[{"symbol":"A","bids":[],"asks":[]}]})",
       R"({"channel":"book","type":"update","data":[{"symbol":"A","bids":[{"price":01,"qty":1}],"asks":[],"checksum":1,"timestamp":"x"}]})"}) {
    EXPECT_EQ(decoder.Decode(Bytes(bad)), KrakenKind::kNone) << bad;
    EXPECT_EQ(decoder.reason(), Reason::kBadJson) << bad;
  }
}

}  // namespace
}  // namespace tw::decode
