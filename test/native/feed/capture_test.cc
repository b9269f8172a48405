#include "feed/capture.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "feed/capture_player.h"
#include "feed/capture_recorder.h"
#include "feed/vector_sink.h"

namespace tw::feed {
namespace {

struct Collector : CaptureHandler {
  void OnOpening(const CaptureOpening& opening) override {
    text += "open " + std::to_string(opening.ts_recv) + " " + std::to_string(opening.epoch) + " " +
            std::to_string(opening.source) + " " + std::to_string(opening.shard) + " " + std::to_string(opening.exchange) + " " +
            std::string(opening.venue) + "\n";
  }
  void OnFrame(const CaptureFrame& frame) override {
    ++frames;
    text += std::to_string(frame.ts_recv) + " " + std::to_string(static_cast<int>(frame.kind)) + " [" + std::string(frame.about) +
            "] " + std::string(reinterpret_cast<const char*>(frame.bytes.data()), frame.bytes.size()) + "\n";
  }
  void OnSkipped(Reason reason) override { text += std::string("skip ") + ReasonName(reason) + "\n"; }
  void OnListing(std::string_view listing) override { text += "list " + std::string(listing) + "\n"; }
  std::string text;
  std::size_t frames = 0;
};

std::span<const std::uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string ReadAll(CaptureFormat format, std::string_view bytes) {
  Collector collector;
  MakeCaptureReader(format, &collector)->Feed(Bytes(bytes), true);
  return collector.text;
}

void ExpectSplitAnywhere(CaptureFormat format, std::string_view bytes) {
  const std::string whole = ReadAll(format, bytes);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    Collector collector;
    auto reader = MakeCaptureReader(format, &collector);
    reader->Feed(Bytes(bytes.substr(0, cut)), false);
    reader->Feed(Bytes(bytes.substr(cut)), true);
    ASSERT_EQ(collector.text, whole) << "cut at " << cut;
  }
  Collector collector;
  auto reader = MakeCaptureReader(format, &collector);
  for (std::size_t i = 0; i < bytes.size(); ++i) reader->Feed(Bytes(bytes.substr(i, 1)), false);
  reader->Feed({}, true);
  EXPECT_EQ(collector.text, whole);
}

std::string Recorded() {
  std::vector<std::uint8_t> out;
  CaptureWriter::Begin(&out);
  CaptureWriter::Opening(
      {.ts_recv = 1'700'000'000'000'000'000, .epoch = 1'700'000'000, .shard = 3, .source = 2, .exchange = 7, .venue = "binance"},
      &out);
  CaptureWriter::Frame({1'700'000'000'100'000'000, FrameKind::kText, {}, Bytes("{\"a\":1}")}, &out);
  CaptureWriter::Frame({1'700'000'000'200'000'000, FrameKind::kRest, "https://x/y", Bytes("TWF1 inside")}, &out);
  CaptureWriter::Frame({1'700'000'000'300'000'000, FrameKind::kBinary, {}, Bytes("TTTWF1")}, &out);
  return {out.begin(), out.end()};
}

TEST(Capture, RecorderKeepsFramesAndOpenings) {
  const std::string bytes = Recorded();
  EXPECT_EQ(ReadAll(CaptureFormat::kRecorder, bytes),
            "open 1700000000000000000 1700000000 2 3 7 binance\n"
            "1700000000100000000 1 [] {\"a\":1}\n"
            "1700000000200000000 3 [https://x/y] TWF1 inside\n"
            "1700000000300000000 2 [] TTTWF1\n");
  EXPECT_EQ(DetectCapture(Bytes(bytes)), CaptureFormat::kRecorder);
  ExpectSplitAnywhere(CaptureFormat::kRecorder, bytes);
}

TEST(Capture, RecorderKeepsListings) {
  std::vector<std::uint8_t> out;
  CaptureWriter::Begin(&out);
  CaptureWriter::Listing("{\"format\":1}", &out);
  CaptureWriter::Frame({1'700'000'000'100'000'000, FrameKind::kText, {}, Bytes("{}")}, &out);
  CaptureWriter::Listing("", &out);
  const std::string bytes(out.begin(), out.end());
  EXPECT_EQ(ReadAll(CaptureFormat::kRecorder, bytes), "list {\"format\":1}\n1700000000100000000 1 [] {}\nlist \n");
  ExpectSplitAnywhere(CaptureFormat::kRecorder, bytes);
}

TEST(Capture, RecorderSurvivesACutTailAtEveryByte) {
  const std::string bytes = Recorded();
  std::size_t last_frames = 0;
  for (std::size_t end = 0; end <= bytes.size(); ++end) {
    Collector collector;
    MakeCaptureReader(CaptureFormat::kRecorder, &collector)->Feed(Bytes(std::string_view(bytes).substr(0, end)), true);
    EXPECT_GE(collector.frames, last_frames);
    last_frames = collector.frames;
  }
  EXPECT_EQ(last_frames, 3u);
  // Recording goes on behind a cut tail: only the cut item is lost.
  const std::string cut = bytes.substr(0, bytes.size() - 3) + bytes.substr(kRecorderHeaderSize);
  Collector collector;
  MakeCaptureReader(CaptureFormat::kRecorder, &collector)->Feed(Bytes(cut), true);
  EXPECT_EQ(collector.frames, 5u);
}

TEST(Capture, RecorderStepsOverAFlippedBit) {
  const std::string bytes = Recorded();
  std::size_t compared = 0;
  for (std::size_t bit = kRecorderHeaderSize * 8; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    Collector collector;
    MakeCaptureReader(CaptureFormat::kRecorder, &collector)->Feed(Bytes(damaged), true);
    const std::size_t whole = collector.frames + (collector.text.find("open") != std::string::npos ? 1 : 0);
    ASSERT_EQ(whole, 3u) << "bit " << bit << "\n" << collector.text;
    ASSERT_NE(collector.text.find("skip"), std::string::npos);
    ++compared;
    if (bit % 61 == 0) ExpectSplitAnywhere(CaptureFormat::kRecorder, damaged);
  }
  std::printf("damaged captures compared: %zu\n", compared);
}

TEST(Capture, TimedLines) {
  const std::string text =
      "1723161253937085768 {\"stream\":\"x\"}\r\n"
      "1723161254206652067 {\"lastUpdateId\":1}\n"
      "\n"
      "12 {}\n"
      "nonsense\n"
      "99999999999999999999 {}\n"
      "1723161254306652067 {\"cut";
  EXPECT_EQ(ReadAll(CaptureFormat::kTimedLines, text),
            "1723161253937085768 1 [] {\"stream\":\"x\"}\n"
            "1723161254206652067 3 [] {\"lastUpdateId\":1}\n"
            "skip bad_time\nskip truncated\nskip bad_time\n"
            "1723161254306652067 1 [] {\"cut\n");
  EXPECT_EQ(DetectCapture(Bytes(text)), CaptureFormat::kTimedLines);
  ExpectSplitAnywhere(CaptureFormat::kTimedLines, text);
}

TEST(Capture, Cryptofeed) {
  const std::string text =
      "wss://stream.x:9443/s?streams=a@b/c <-> 1633998511.133\n"
      "wss://stream.x:9443/s?streams=a@b/c <- 1633998511.2: {\"op\":1}\n"
      "1633998512.0633569: {\"s\":\"a: b\"}\n"
      "https://api.x/depth?symbol=A&limit=1 -> 1633998512.320639: {\"lastUpdateId\":5}\n"
      "configuration: {}\n"
      "wss://stream.x <-> 1633998520.5\n"
      "1633998521: {}\n"
      "16x: {}\n"
      "what is this\n";
  EXPECT_EQ(ReadAll(CaptureFormat::kCryptofeed, text),
            "skip filtered\n"
            "1633998512063356900 1 [] {\"s\":\"a: b\"}\n"
            "1633998512320639000 3 [https://api.x/depth?symbol=A&limit=1] {\"lastUpdateId\":5}\n"
            "skip filtered\n"
            "open 1633998520500000000 1633998520 0 0 0 \n"
            "1633998521000000000 1 [] {}\n"
            "skip bad_time\nskip unknown_type\n");
  EXPECT_EQ(DetectCapture(Bytes(text)), CaptureFormat::kCryptofeed);
  EXPECT_EQ(DetectCapture(Bytes("1633998512.0633569: {}")), CaptureFormat::kCryptofeed);
  ExpectSplitAnywhere(CaptureFormat::kCryptofeed, text);
}

TEST(Capture, UnixSecondsAreExact) {
  std::uint64_t ns = 0;
  EXPECT_TRUE(ParseUnixSeconds("1618677829.0000001", &ns));
  EXPECT_EQ(ns, 1'618'677'829'000'000'100u);
  EXPECT_TRUE(ParseUnixSeconds("1618677829.12345678999", &ns));
  EXPECT_EQ(ns, 1'618'677'829'123'456'789u);
  for (const char* bad : {"", ".5", "1e9", "-1618677829", "16186778290", "99999999999999999999", "0.1", "1618677829.1x"}) {
    EXPECT_FALSE(ParseUnixSeconds(bad, &ns)) << bad;
  }
}

TEST(Capture, NdjsonAndBareFrames) {
  EXPECT_EQ(ReadAll(CaptureFormat::kNdjson, "{\"a\":1}\n[2]\n"), "0 1 [] {\"a\":1}\n0 1 [] [2]\n");
  EXPECT_EQ(DetectCapture(Bytes("{\"a\":1}\n")), CaptureFormat::kNdjson);
  const std::string_view frame("\0\1\0\4abcd", 8);
  EXPECT_EQ(DetectCapture(Bytes(frame)), CaptureFormat::kFrame);
  ExpectSplitAnywhere(CaptureFormat::kFrame, frame);
  EXPECT_EQ(DetectCapture(Bytes("20131007,1,2,3\n")), CaptureFormat::kUnknown);
  EXPECT_EQ(DetectCapture({}), CaptureFormat::kUnknown);
  EXPECT_EQ(MakeCaptureReader(CaptureFormat::kUnknown, nullptr), nullptr);
  for (const char* name : {"recorder", "lines", "cryptofeed", "ndjson", "frame"})
    EXPECT_STREQ(CaptureFormatName(CaptureFormatOf(name)), name);
}

TEST(Capture, ALineWithoutEndIsBounded) {
  Collector collector;
  auto reader = MakeCaptureReader(CaptureFormat::kNdjson, &collector);
  const std::string block(1u << 20, '{');
  for (int i = 0; i < 20; ++i) reader->Feed(Bytes(block), false);
  reader->Feed(Bytes("\n{}\n"), true);
  EXPECT_EQ(collector.text, "skip bad_length\n0 1 [] {}\n");
}

TEST(Capture, FileWritesAndContinues) {
  const auto path = std::filesystem::temp_directory_path() / ("tw-capture-" + std::to_string(::getpid()));
  std::filesystem::remove(path);
  std::string error;
  for (int i = 0; i < 2; ++i) {
    auto file = CaptureFile::Open(path, &error);
    ASSERT_NE(file, nullptr) << error;
    file->Opening({.ts_recv = 1'700'000'000'000'000'000, .epoch = 1'700'000'000, .venue = "kite"});
    file->Frame({1'700'000'000'000'000'001, FrameKind::kBinary, {}, Bytes("x")});
    EXPECT_EQ(file->frames(), 1u);
  }
  std::ifstream in(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  Collector collector;
  MakeCaptureReader(CaptureFormat::kRecorder, &collector)->Feed(Bytes(bytes), true);
  EXPECT_EQ(collector.frames, 2u);
  EXPECT_EQ(collector.text.find("skip"), std::string::npos);
  std::ofstream(path, std::ios::trunc) << "something else";
  EXPECT_EQ(CaptureFile::Open(path, &error), nullptr);
  EXPECT_NE(error.find("no capture"), std::string::npos);
  EXPECT_EQ(CaptureFile::Open("/nowhere/at/all", &error), nullptr);
  std::filesystem::remove(path);
}

// A venue whose frames are "symbol": one trade each.
class EchoFeed : public VenueFeed {
 public:
  explicit EchoFeed(Session* session) : session_(session) {}
  void OnFrame(std::span<const std::uint8_t> frame, FrameKind, std::string_view) override {
    Trade trade{};
    trade.trade_id = frame.empty() ? 0 : frame[frame.size() - 2];
    session_->Emit(trade, RecordType::kTrade, session_->instruments().front());
  }
  void OnReconnect() override { ++reconnects; }
  int reconnects = 0;

 private:
  Session* session_;
};

class PlayerTest : public ::testing::Test {
 protected:
  PlayerTest() { session_.AddInstrument(table_.Add({.id = 0x01000001, .symbol = "X"}), "X", 0); }
  InstrumentTable table_;
  VectorSink sink_;
  Session session_{{}, &sink_};
  EchoFeed feed_{&session_};
  CapturePlayer player_{&session_, &feed_};
};

TEST_F(PlayerTest, SeveralFilesAreOneSessionInTimeOrder) {
  ASSERT_TRUE(player_.AddLane(CaptureFormat::kCryptofeed));
  ASSERT_TRUE(player_.AddLane(CaptureFormat::kCryptofeed));
  EXPECT_FALSE(player_.AddLane(CaptureFormat::kUnknown));
  const std::string a = "1633998512.1: 1a\n1633998512.3: 3a\n1633998512.5: 5a\n1633998512.6: 6a\n";
  const std::string b = "https://x -> 1633998512.2: 2a\nhttps://x -> 1633998512.4: 4a\n";
  EXPECT_EQ(player_.wants(), 0);
  player_.Feed(0, Bytes(std::string_view(a).substr(0, 20)), false);
  EXPECT_EQ(player_.wants(), 1);
  EXPECT_FALSE(player_.Pump(CapturePlayer::kNoLimit, {}));
  EXPECT_EQ(player_.frames(), 0u);  // Nothing before the other file has spoken.
  player_.Feed(1, Bytes(b), true);
  player_.Pump(CapturePlayer::kNoLimit, {});
  EXPECT_EQ(player_.wants(), 0);
  player_.Feed(0, Bytes(std::string_view(a).substr(20)), true);
  EXPECT_TRUE(player_.Pump(1'633'998'512'400'000'000, {}));
  EXPECT_EQ(player_.frames(), 4u);
  EXPECT_EQ(player_.next(), 1'633'998'512'500'000'000u);
  EXPECT_FALSE(player_.Pump(CapturePlayer::kNoLimit, {}));
  EXPECT_EQ(player_.wants(), -1);
  std::string order;
  for (std::size_t i = 0; i < sink_.size(); ++i) {
    if (sink_.header(i).type == RecordType::kTrade) order += static_cast<char>(sink_.As<Trade>(i).trade_id);
  }
  EXPECT_EQ(order, "123456");
  EXPECT_EQ(sink_.header(0).epoch, 1'633'998'512u);  // Of the first ts_recv.
}

TEST_F(PlayerTest, OpeningsGiveEpochs) {
  ASSERT_TRUE(player_.AddLane(CaptureFormat::kRecorder));
  std::vector<std::uint8_t> out;
  CaptureWriter::Begin(&out);
  const std::uint64_t start = 1'700'000'000'000'000'000;
  CaptureWriter::Opening({.ts_recv = start, .epoch = 1'700'000'123, .venue = {}}, &out);
  CaptureWriter::Frame({start, FrameKind::kText, {}, Bytes("1a")}, &out);
  CaptureWriter::Opening({.ts_recv = start + 5, .epoch = 1'700'000'123, .venue = {}}, &out);  // The same again.
  CaptureWriter::Frame({start + 6, FrameKind::kText, {}, Bytes("2a")}, &out);
  CaptureWriter::Opening({.ts_recv = start + 7, .epoch = 1'700'000'500, .venue = {}}, &out);
  CaptureWriter::Frame({start + 8, FrameKind::kText, {}, Bytes("3a")}, &out);
  player_.Feed(0, out, true);
  ASSERT_EQ(sink_.size(), 4u);
  EXPECT_EQ(sink_.header(0).position(), 1'700'000'123ull << 32 | 1);
  EXPECT_EQ(sink_.header(1).position(), 1'700'000'123ull << 32 | 2);
  EXPECT_EQ(sink_.As<Gap>(2).cause, GapCause::kReconnect);
  EXPECT_EQ(sink_.header(3).position(), 1'700'000'500ull << 32 | 1);
  EXPECT_EQ(feed_.reconnects, 1);
  EXPECT_EQ(player_.openings(), 3u);
}

}  // namespace
}  // namespace tw::feed
