#include <gtest/gtest.h>

#include <random>

#include "decode/json_scanner.h"
#include "decode/describe.h"
#include "model/decimal.h"

namespace tw::decode {
namespace {

std::span<const std::uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(Scanner, ScaledTextEqualsTheModelsParser) {
  std::mt19937_64 random(7);
  const std::string alphabet = "0000123456789.";
  std::size_t compared = 0, read = 0;
  for (int i = 0; i < 300'000; ++i) {
    std::string text;
    const std::size_t whole = random() % 10, fraction = random() % 11;
    for (std::size_t k = 0; k < whole; ++k) text += static_cast<char>('0' + random() % 10);
    if (fraction != 0) text += '.';
    for (std::size_t k = 0; k < fraction; ++k) text += random() % 3 == 0 ? static_cast<char>('0' + random() % 10) : '0';
    if (random() % 8 == 0 && !text.empty())
      text[random() % text.size()] = static_cast<char>(random() % 4 == 0 ? random() : "+-eE. /:"[random() % 8]);
    const int exponent = -static_cast<int>(random() % 19);
    std::int64_t ours = 0, theirs = 0;
    const bool a = ParseScaledText(text, exponent, &ours);
    const bool b = ParseScaled(text, exponent, &theirs);
    ASSERT_EQ(a, b) << text << " at " << exponent;
    if (a) {
      ASSERT_EQ(ours, theirs) << text << " at " << exponent;
    }
    ++compared;
    read += a ? 1 : 0;
  }
  EXPECT_GT(read, 50'000u);
  std::printf("compared %zu texts, %zu of them numbers\n", compared, read);
}

TEST(Scanner, ScaledTextKnown) {
  std::int64_t value = 0;
  EXPECT_TRUE(ParseScaledText("61837.63000000", -4, &value));
  EXPECT_EQ(value, 618376300);
  EXPECT_TRUE(ParseScaledText("0.02000000", -8, &value));
  EXPECT_EQ(value, 2000000);
  EXPECT_TRUE(ParseScaledText("0.00000000", -8, &value));
  EXPECT_EQ(value, 0);
  EXPECT_TRUE(ParseScaledText("35", 0, &value));
  EXPECT_EQ(value, 35);
  EXPECT_FALSE(ParseScaledText("61837.63100000", -2, &value));
  EXPECT_FALSE(ParseScaledText("99999999999999999999", 0, &value));
  EXPECT_FALSE(ParseScaledText("", -2, &value));
  EXPECT_FALSE(ParseScaledText("12345678.12345678", -18, &value));
}

TEST(Scanner, UintEveryLengthAndPlace) {
  std::size_t compared = 0;
  for (std::size_t digits = 0; digits <= 18; ++digits) {
    for (std::size_t behind = 0; behind <= 20; ++behind) {
      std::string text = std::string("9876543210123456789").substr(0, digits) + std::string(behind, ',');
      Scanner in(Bytes(text));
      std::uint64_t value = 0;
      const bool ok = in.Uint(&value);
      ASSERT_EQ(ok, digits >= 1 && digits <= 16) << text;
      if (ok) {
        ASSERT_EQ(std::to_string(value), text.substr(0, digits));
        ASSERT_EQ(in.AtEnd(), behind == 0);
      }
      ++compared;
    }
  }
  for (const char* bad : {"01,                  ", "00000000001,         ", "-1,                  ", "01"}) {
    Scanner in(Bytes(bad));
    std::uint64_t value = 0;
    EXPECT_FALSE(in.Uint(&value)) << bad;
    ++compared;
  }
  std::printf("compared %zu\n", compared);
}

TEST(Scanner, StringStopsAtAnythingUnusual) {
  for (std::size_t before = 0; before < 40; ++before) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text(before, 'x');
      text += static_cast<char>(byte);
      text += "y\"                 ";
      Scanner in(Bytes(text));
      std::string_view value;
      const bool ok = in.String(&value);
      ASSERT_EQ(ok, byte >= 0x20 && byte <= 0x7f && byte != '\\') << before << ' ' << byte;
    }
  }
}

TEST(Scanner, IsoTimes) {
  std::uint64_t ns = 0;
  EXPECT_TRUE(ParseIsoTime("2021-04-17T16:43:37.089723Z", &ns));
  EXPECT_EQ(ns, 1618677817089723000ULL);
  EXPECT_TRUE(ParseIsoTime("2000-02-29T00:00:00Z", &ns));
  EXPECT_EQ(ns, 951782400000000000ULL);
  EXPECT_TRUE(ParseIsoTime("2026-07-07T23:00:03.123456789Z", &ns));
  EXPECT_EQ(ns % 1'000'000'000, 123456789u);
  for (const char* bad : {"", "2021-04-17T16:43:37.Z", "2021-02-29T16:43:37Z", "2021-13-01T00:00:00Z", "2021-04-17 16:43:37Z",
                          "2021-04-17T24:00:00Z", "1889-04-17T16:43:37Z", "2021-04-17T16:43:37", "2021-04-17T16:43:3xZ",
                          "2021-04-17T16:43:37.1234567890Z"}) {
    EXPECT_FALSE(ParseIsoTime(bad, &ns)) << bad;
  }
}

TEST(Scanner, UnixTimes) {
  std::uint64_t ns = 0;
  EXPECT_TRUE(UnixToNs(1723161255343, &ns));
  EXPECT_EQ(ns, 1723161255343000000ULL);
  EXPECT_TRUE(UnixToNs(1723161255343123, &ns));
  EXPECT_EQ(ns, 1723161255343123000ULL);
  EXPECT_FALSE(UnixToNs(0, &ns));
  EXPECT_FALSE(UnixToNs(1723161255, &ns));
  EXPECT_FALSE(UnixToNs(9'000'000'000'000'000ULL, &ns));
}

TEST(Scanner, JsonNumbersAndLines) {
  for (const char* good : {"0", "-0", "12", "1.50", "1e-7", "63501.6", "-1.5E+3"}) EXPECT_TRUE(IsJsonNumber(good)) << good;
  for (const char* bad : {"", "-", "01", "1.", ".5", "1e", "+1", "1.5.2", "1e5e"}) EXPECT_FALSE(IsJsonNumber(bad)) << bad;
  std::string out;
  EXPECT_TRUE(AppendJsonLine(Bytes("{ \"a b\" : [1.50, 2 ] }"), &out));
  EXPECT_EQ(out, "{\"a b\":[1.50,2]}\n");
  EXPECT_FALSE(AppendJsonLine(Bytes("{\"a\":1"), &out));
  EXPECT_EQ(out, "{\"a b\":[1.50,2]}\n");
}

}  // namespace
}  // namespace tw::decode

// A file of many messages is described line by line, the receive times of captures left out.
TEST(DescribeJson, LinesWithAndWithoutTimes) {
  const std::string file =
      "{\"a\": 1}\n1723161254087896568 {\"b\":[2]}\r\n\n1633998512.0633569: {\"c\":\"x\"}\nwss://v <-> 1633998511.1\n[3]";
  std::string out;
  tw::ReasonCounters counts;
  ASSERT_TRUE(tw::decode::AppendPacketsJson("binance", {reinterpret_cast<const std::uint8_t*>(file.data()), file.size()}, false, &out, &counts));
  EXPECT_EQ(out, "{\"a\":1}\n{\"b\":[2]}\n{\"c\":\"x\"}\n[3]\n");
  EXPECT_EQ(counts[tw::Reason::kBadJson], 1u);
  out.clear();
  const std::string one = "{\n  \"a\": 1\n}\n";
  ASSERT_TRUE(tw::decode::AppendPacketsJson("kraken", {reinterpret_cast<const std::uint8_t*>(one.data()), one.size()}, false, &out, &counts));
  EXPECT_EQ(out, "{\"a\":1}\n");
}
