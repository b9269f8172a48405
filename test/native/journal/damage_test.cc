// Bits that flip: found, named, stepped over with the offsets they cost, the rest intact.
#include <algorithm>
#include <cstdio>

#include "journal/format.h"
#include "journal/support.h"

namespace tw::journal {
namespace {

class Damaged : public ::testing::Test {
 protected:
  void SetUp() override {
    log_ = OpenLog(directory_ / "log");
    MakeTopic(*log_, "t");
    Status status;
    auto appender = log_->OpenAppender("t", 0, &status);
    for (std::uint64_t i = 0; i < kMessages; ++i) ASSERT_EQ(AppendNumber(*appender, i, 200, 2).status, Status::kOk);
    for (const auto& item : std::filesystem::directory_iterator(partition())) {
      if (item.path().extension() == ".seg") segments_.push_back(item.path());
    }
    std::sort(segments_.begin(), segments_.end());
    ASSERT_EQ(segments_.size(), 4u);
  }
  std::string partition() const { return directory_ / "log/topics/t/0"; }
  static void Flip(const std::string& path, std::uint64_t at, std::uint8_t bits = 1) {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(file.get() ^ bits);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
  }
  // Every message but `lost` is there, and what is missing is told exactly.
  void ExpectLost(const Contents& contents, std::uint64_t first, std::uint64_t lost, const std::string& file, std::uint64_t at) {
    ASSERT_EQ(contents.numbers.size(), kMessages - lost);
    std::uint64_t number = 0;
    for (const std::uint64_t got : contents.numbers) {
      if (number == first) number += lost;
      ASSERT_EQ(got, number++);
    }
    ASSERT_EQ(contents.skips.size(), 1u);
    EXPECT_EQ(contents.skips[0].from_offset, first * 2);
    EXPECT_EQ(contents.skips[0].to_offset, (first + lost) * 2);
    EXPECT_EQ(contents.skips[0].file, file);
    EXPECT_EQ(contents.skips[0].file_position, at);
  }

  static constexpr std::uint64_t kMessages = 900;
  static constexpr std::uint64_t kFrame = kFrameHeaderBytes + 8 + 200;
  Directory directory_;
  std::unique_ptr<Log> log_;
  std::vector<std::string> segments_;
};

TEST_F(Damaged, AFlippedBitAnywhereInAFrame) {
  const std::uint64_t per_segment = (65536 - kSegmentHeaderBytes) / kFrame;
  std::size_t compared = 0;
  for (const std::size_t segment : {std::size_t{1}, segments_.size() - 1}) {
    const std::uint64_t frame = 10;
    const std::uint64_t at = kSegmentHeaderBytes + frame * kFrame;
    for (std::uint64_t byte = 0; byte < kFrame; ++byte) {
      if (byte >= kFrameHeaderBytes + 1 && byte < kFrameHeaderBytes + 8) continue;  // The key's padding is covered too, below.
      Flip(segments_[segment], at + byte, static_cast<std::uint8_t>(1u << (byte % 8)));
      ExpectLost(ReadAll(*log_, "t"), segment * per_segment + frame, 1, segments_[segment], at);
      if (HasFatalFailure()) FAIL() << "segment " << segment << " byte " << byte;
      Flip(segments_[segment], at + byte, static_cast<std::uint8_t>(1u << (byte % 8)));
      ++compared;
    }
    Flip(segments_[segment], at + kFrameHeaderBytes + 3);
    ExpectLost(ReadAll(*log_, "t"), segment * per_segment + frame, 1, segments_[segment], at);
    Flip(segments_[segment], at + kFrameHeaderBytes + 3);
  }
  std::printf("flipped bits: %zu compared\n", compared);
  EXPECT_GT(compared, 400u);
  EXPECT_EQ(ReadAll(*log_, "t").numbers.size(), kMessages);
}

TEST_F(Damaged, AFlippedBitIsFoundAfterARebootToo) {
  const std::uint64_t per_segment = (65536 - kSegmentHeaderBytes) / kFrame;
  const std::size_t last = segments_.size() - 1;
  const std::uint64_t at = kSegmentHeaderBytes + 3 * kFrame;
  log_.reset();
  Flip(segments_[last], at + 60);
  ::unlink((partition() + "/page").c_str());
  log_ = OpenLog(directory_ / "log");
  ExpectLost(ReadAll(*log_, "t"), last * per_segment + 3, 1, segments_[last], at);
}

TEST_F(Damaged, HeadersOfSegments) {
  // In a closed segment the neighbours make up for it; in the last one recovery writes it again.
  Flip(segments_[1], 20);
  Flip(segments_[0], 8);
  log_.reset();
  log_ = OpenLog(directory_ / "log");
  Contents contents = ReadAll(*log_, "t");
  EXPECT_EQ(contents.numbers.size(), kMessages);
  EXPECT_TRUE(contents.skips.empty());
  log_.reset();
  Flip(segments_.back(), 33);
  log_ = OpenLog(directory_ / "log");
  contents = ReadAll(*log_, "t");
  EXPECT_EQ(contents.numbers.size(), kMessages);
  EXPECT_TRUE(contents.skips.empty());
  Status status;
  auto appender = log_->OpenAppender("t", 0, &status);
  EXPECT_GE(AppendNumber(*appender, kMessages).offset, kMessages * 2);
}

TEST_F(Damaged, SealsAndWholeSegments) {
  Flip(segments_[1], 70);  // Its seal: the zero length and the next segment's name tell the end.
  log_.reset();
  log_ = OpenLog(directory_ / "log");
  Contents contents = ReadAll(*log_, "t");
  EXPECT_EQ(contents.numbers.size(), kMessages);
  EXPECT_TRUE(contents.skips.empty());
  // A segment that is gone: told, with the exact offsets.
  const std::uint64_t per_segment = (65536 - kSegmentHeaderBytes) / kFrame;
  log_.reset();
  std::filesystem::remove(segments_[1]);
  log_ = OpenLog(directory_ / "log");
  contents = ReadAll(*log_, "t");
  EXPECT_EQ(contents.numbers.size(), kMessages - per_segment);
  ASSERT_EQ(contents.skips.size(), 1u);
  EXPECT_EQ(contents.skips[0].from_offset, per_segment * 2);
  EXPECT_EQ(contents.skips[0].to_offset, per_segment * 4);
}

TEST_F(Damaged, AnotherLogsSegmentIsNotRead) {
  log_.reset();
  const std::string header = directory_ / "log/log.json";
  std::filesystem::remove(header);
  log_ = OpenLog(directory_ / "log");  // Another id.
  const Contents contents = ReadAll(*log_, "t");
  EXPECT_TRUE(contents.numbers.empty());
}

}  // namespace
}  // namespace tw::journal
