#include "decode/csv.h"

#include <gtest/gtest.h>

#include "decode/csv_program.h"
#include "decode/csv_time.h"

namespace tw::decode {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::span<const std::uint8_t> Bytes(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

struct Reader {
  CsvRows rows{','};
  Rows out;
  std::vector<Reason> refused;
  std::string scratch;
  std::vector<std::string_view> fields;
  void Feed(std::string_view text, bool last) {
    rows.Feed(
        Bytes(text), last,
        [&](std::string_view row) {
          SplitCsvRow(row, ',', &scratch, &fields);
          out.emplace_back(fields.begin(), fields.end());
        },
        [&](Reason reason) { refused.push_back(reason); });
  }
};

constexpr std::string_view kText =
    "a,b,c\r\n1,\"two, with \"\"quotes\"\"\",3\n\n\r\n,,\n\"line\r\nbreak\",x,\"\"\n5\" disk,\"a\"b,\"\"\"\"\nlast,row,no end";

const Rows kRows = {{"a", "b", "c"}, {"1", "two, with \"quotes\"", "3"}, {"", "", ""}, {"line\r\nbreak", "x", ""},
                    {"5\" disk", "ab", "\""}, {"last", "row", "no end"}};

TEST(Csv, RowsAndQuotes) {
  Reader reader;
  reader.Feed(kText, true);
  EXPECT_EQ(reader.out, kRows);
}

TEST(Csv, CutAnywhereIsTheWhole) {
  std::size_t compared = 0;
  for (std::size_t a = 0; a <= kText.size(); ++a) {
    for (std::size_t b = a; b <= kText.size(); ++b, ++compared) {
      Reader reader;
      reader.Feed(kText.substr(0, a), false);
      reader.Feed(kText.substr(a, b - a), false);
      reader.Feed(kText.substr(b), true);
      ASSERT_EQ(reader.out, kRows) << a << ' ' << b;
    }
  }
  std::printf("csv: %zu ways to cut\n", compared);
}

TEST(Csv, ARowTooLongIsSteppedOver) {
  Reader reader;
  const std::string huge = "\"" + std::string(kCsvRowMax + 10, 'x');
  reader.Feed("a,b\n" + huge.substr(0, 1000), false);
  reader.Feed(huge.substr(1000) + "\nc,d\n", true);
  EXPECT_EQ(reader.out.front(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(reader.refused, std::vector<Reason>{Reason::kBadLength});
  EXPECT_EQ(reader.out.size(), 1u);  // The open quote reached the end of the chunk: that much was one row.
  Reader other;
  other.Feed("a,b\n" + std::string(kCsvRowMax + 10, 'x'), false);
  other.Feed("\nc,d\n", true);
  EXPECT_EQ(other.out.size(), 2u);
}

TEST(CsvTime, Formats) {
  std::int64_t ns = 0;
  bool zone = false;
  EXPECT_TRUE(ParseTime("03/10/2014 05:43:45.676", "%m/%d/%Y %H:%M:%S.%f", &ns, &zone));
  EXPECT_EQ(ns, 1394430225676000000);
  EXPECT_FALSE(zone);
  EXPECT_TRUE(ParseTime("2013-01-01 22:00:00.295000+00:00", "%Y-%m-%d %H:%M:%S.%f%z", &ns, &zone));
  EXPECT_EQ(ns, 1357077600295000000);
  EXPECT_TRUE(zone);
  EXPECT_TRUE(ParseTime("2022-12-26 09:15:00+05:30", "%Y-%m-%d %H:%M:%S%z", &ns, &zone));
  EXPECT_EQ(ns, 1672026300000000000);
  EXPECT_TRUE(ParseTime("2013-01-01 22:00:00+00:00", "%Y-%m-%d %H:%M:%S.%f%z", &ns, &zone));
  EXPECT_EQ(ns, 1357077600000000000);
  EXPECT_TRUE(ParseTime("29-Feb-2024", "%d-%b-%Y", &ns, &zone));
  EXPECT_EQ(ns, 1709164800000000000);
  for (const char* bad : {"", "2023-02-29", "2023-13-01", "2023-00-01", "2023-01-32", "2023-1-1x", "23-01-01", "-023-01-01"}) {
    EXPECT_FALSE(ParseTime(bad, "%Y-%m-%d", &ns, &zone)) << bad;
  }
  EXPECT_FALSE(ParseTime("24:00", "%H:%M", &ns, &zone));
  EXPECT_FALSE(ParseTime("5", "%Q", &ns, &zone));
}

TEST(CsvTime, Units) {
  std::int64_t ns = 0;
  EXPECT_TRUE(ParseUnits("34200.004241176", 0, &ns));
  EXPECT_EQ(ns, 34200004241176);
  EXPECT_TRUE(ParseUnits("14430270", -3, &ns));
  EXPECT_EQ(ns, 14430270000000);
  EXPECT_FALSE(ParseUnits("1.0000000001", 0, &ns));  // Finer than a nanosecond.
  EXPECT_FALSE(ParseUnits("99999999999999999", 0, &ns));
  EXPECT_FALSE(ParseUnits("x", 0, &ns));
}

TEST(CsvFilterTest, Operators) {
  const std::vector<std::string_view> row = {"5", "X", "", "0.50"};
  const auto filter = [](int column, CsvFilter::Op op, std::vector<std::string> values) {
    CsvFilter f;
    f.op = op;
    f.column.index = column;
    f.values = std::move(values);
    return f;
  };
  using Op = CsvFilter::Op;
  EXPECT_TRUE(PassesCsvFilter(filter(0, Op::kIn, {"4", "5"}), row));
  EXPECT_FALSE(PassesCsvFilter(filter(0, Op::kIn, {"4", "6"}), row));
  EXPECT_TRUE(PassesCsvFilter(filter(2, Op::kEqual, {""}), row));
  EXPECT_FALSE(PassesCsvFilter(filter(1, Op::kEqual, {""}), row));
  EXPECT_TRUE(PassesCsvFilter(filter(3, Op::kEqual, {".5"}), row));
  EXPECT_TRUE(PassesCsvFilter(filter(3, Op::kMore, {"0"}), row));
  EXPECT_FALSE(PassesCsvFilter(filter(1, Op::kMore, {"0"}), row));
  EXPECT_FALSE(PassesCsvFilter(filter(9, Op::kNotEqual, {"0"}), row));  // No such column.
  CsvFilter any;
  any.op = Op::kAny;
  any.parts = {filter(0, Op::kLess, {"5"}), filter(0, Op::kMoreOrEqual, {"5"})};
  EXPECT_TRUE(PassesCsvFilter(any, row));
  CsvFilter all = any;
  all.op = Op::kAll;
  EXPECT_FALSE(PassesCsvFilter(all, row));
  EXPECT_TRUE(PassesCsvFilter(CsvFilter{}, row));
}

TEST(CsvProgramTest, RefusesWithAReason) {
  const std::string good =
      R"({"kind":"trade","symbol":"X","time":{"columns":[0],"unitExponent":-3},"fields":{"price":{"column":1},"size":{"column":2}}})";
  CsvProgram program;
  std::string error;
  EXPECT_TRUE(ParseCsvProgram(good, &program, &error)) << error;
  for (const char* bad :
       {"", "[]", "{}", R"({"kind":"gap"})", R"({"kind":"trade","symbol":"X"})",
        R"({"kind":"trade","symbol":"X","time":{"columns":[]},"fields":{}})",
        R"({"kind":"trade","symbol":"X","time":{"columns":[0]},"fields":{"price":{"column":-1},"size":{"column":2}}})",
        R"({"kind":"trade","symbol":"X","time":{"columns":[0]},"fields":{"price":{"column":1}}})",
        R"({"kind":"trade","symbol":"X","time":{"columns":[0],"zone":[[2,0],[1,0]]},"fields":{"price":{"column":1},"size":{"column":2}}})",
        R"({"kind":"bar","symbol":"X","time":{"columns":[0]},"fields":{"open":{"column":1},"high":{"column":1},"low":{"column":1},"close":{"column":1}}})"}) {
    CsvProgram refused;
    EXPECT_FALSE(ParseCsvProgram(bad, &refused, &error)) << bad;
    EXPECT_FALSE(error.empty()) << bad;
  }
}

}  // namespace
}  // namespace tw::decode
