// What a power loss leaves: a written segment cut at every byte, and with every subset of its last unsynced pages missing.
// Each image opens cleanly and holds exactly a prefix of the whole, CRC-good messages.
#include <algorithm>
#include <cstdio>
#include <numeric>
#include <random>

#include "journal/format.h"
#include "journal/support.h"

namespace tw::journal {
namespace {

constexpr std::size_t kSegment = 64 << 10;

struct Original {
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint8_t> page;
  std::vector<std::uint64_t> ends;  // ends[n]: bytes that hold the first n messages.
};

std::vector<std::uint8_t> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void WriteFile(const std::string& path, const std::uint8_t* data, std::size_t size) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
}

// A log with one segment, as full as it gets, in shared memory when there is some: tens of thousands of images follow.
class Images {
 public:
  Images() {
    if (std::filesystem::exists("/dev/shm")) {
      std::string pattern = "/dev/shm/tw-journal-XXXXXX";
      if (::mkdtemp(pattern.data()) != nullptr) memory_ = pattern;
    }
    root_ = memory_.empty() ? directory_ / "log" : memory_ + "/log";
    auto log = OpenLog(root_);
    MakeTopic(*log, "t", kSegment);
    Status status;
    auto appender = log->OpenAppender("t", 0, &status);
    original_.ends.push_back(kSegmentHeaderBytes);
    for (std::uint64_t i = 0;; ++i) {
      const std::size_t size = 16 + (i * 97) % 900;
      const std::uint64_t end = original_.ends.back() + kFrameHeaderBytes + 8 + Align8(size);
      if (end > kSegment) break;
      EXPECT_EQ(AppendNumber(*appender, i, size).status, Status::kOk);
      original_.ends.push_back(end);
    }
    log.reset();
    original_.bytes = ReadFile(segment());
    original_.page = ReadFile(partition() + "/page");
    EXPECT_EQ(original_.bytes.size(), kSegment);
  }
  ~Images() {
    std::error_code ignored;
    if (!memory_.empty()) std::filesystem::remove_all(memory_, ignored);
  }

  const Original& original() const { return original_; }
  std::string partition() const { return root_ + "/topics/t/0"; }
  std::string segment() const { return partition() + "/00000000000000000000.seg"; }
  const std::string& root() const { return root_; }

  // Messages that the image yields; ~0: not a prefix, or a hole, or damage told.
  std::size_t Prefix(const std::vector<std::uint8_t>& image, std::size_t size, bool with_page, bool append) {
    WriteFile(segment(), image.data(), size);
    ::unlink((partition() + "/page").c_str());
    // A page from another file is not trusted, whatever it says.
    if (with_page) WriteFile(partition() + "/page", original_.page.data(), original_.page.size());
    auto log = OpenLog(root_);
    Contents contents = ReadAll(*log, "t");
    if (contents.last != Status::kEnd || !contents.skips.empty()) return ~std::size_t{0};
    for (std::size_t i = 0; i < contents.numbers.size(); ++i) {
      if (contents.numbers[i] != i || contents.offsets[i] != i) return ~std::size_t{0};
    }
    if (append) {
      // Offsets rise over what was lost, and what is appended is read behind the prefix.
      Status status;
      auto appender = log->OpenAppender("t", 0, &status);
      const AppendResult result = AppendNumber(*appender, 4711, 100);
      EXPECT_EQ(result.status, Status::kOk);
      EXPECT_GE(result.offset, original_.ends.size() - 1);
      const Contents after = ReadAll(*log, "t");
      EXPECT_EQ(after.numbers.size(), contents.numbers.size() + 1);
      EXPECT_TRUE(after.skips.empty());
    }
    return contents.numbers.size();
  }
  // How many messages lie whole in the first `bytes`.
  std::size_t Expected(std::uint64_t bytes) const {
    return static_cast<std::size_t>(std::upper_bound(original_.ends.begin(), original_.ends.end(), bytes) - original_.ends.begin()) -
           (bytes < original_.ends.front() ? 0 : 1);
  }

 private:
  Directory directory_;
  std::string memory_;
  std::string root_;
  Original original_;
};

TEST(Images, CutAtEveryByte) {
  Images images;
  std::size_t compared = 0;
  for (std::size_t cut = 0; cut <= kSegment; ++cut) {
    // The last frame's padding is zeros: it need not have reached the disk.
    std::size_t expected = images.Expected(cut);
    const std::size_t got = images.Prefix(images.original().bytes, cut, cut % 5 == 0, cut % 257 == 0);
    if (got == expected + 1 && cut + 8 > images.original().ends[got]) expected = got;
    ASSERT_EQ(got, expected) << "cut at " << cut;
    ++compared;
  }
  std::printf("images cut: %zu compared, %zu messages in the whole\n", compared, images.original().ends.size() - 1);
  EXPECT_EQ(compared, kSegment + 1);
}

std::size_t Subsets(Images& images, const std::vector<std::uint32_t>& subsets, std::size_t pages_max) {
  std::size_t compared = 0;
  for (const std::uint32_t subset : subsets) {
    std::vector<std::uint8_t> image = images.original().bytes;
    std::uint64_t first_lost = kSegment;
    for (std::size_t i = 0; i < pages_max; ++i) {
      if ((subset >> i & 1) == 0) continue;
      const std::size_t page = kSegment / kPageBytes - pages_max + i;
      std::fill_n(image.begin() + static_cast<std::ptrdiff_t>(page * kPageBytes), kPageBytes, 0);
      first_lost = std::min<std::uint64_t>(first_lost, page * kPageBytes);
    }
    // The first message that has a byte other than 0 on a missing page is where the prefix ends.
    const std::size_t got = images.Prefix(image, kSegment, compared % 2 == 0, compared % 50 == 0);
    const std::size_t expected = images.Expected(first_lost);
    const bool padding_only = got == expected + 1 && got < images.original().ends.size() && first_lost + 8 > images.original().ends[got];
    EXPECT_TRUE(got == expected || padding_only) << "subset " << subset << ": " << got << " for " << expected;
    if (got != expected && !padding_only) break;
    ++compared;
  }
  return compared;
}

TEST(Images, EverySubsetOfTheLastEightPages) {
  Images images;
  std::vector<std::uint32_t> subsets(256);
  std::iota(subsets.begin(), subsets.end(), 0u);
  const std::size_t compared = Subsets(images, subsets, 8);
  std::printf("images with pages missing: %zu of 256 compared\n", compared);
  EXPECT_EQ(compared, 256u);
}

TEST(Images, SeededSubsetsOfAllPagesButTheFirst) {
  Images images;
  std::mt19937 random(20260101);
  std::vector<std::uint32_t> subsets(1000);
  for (auto& subset : subsets) subset = random() & ((1u << 15) - 1);
  const std::size_t compared = Subsets(images, subsets, 15);
  std::printf("images with pages missing: %zu of 1000 seeded compared (seed 20260101)\n", compared);
  EXPECT_EQ(compared, 1000u);
}

TEST(Images, AMissingFirstPageLosesOnlyThatSegment) {
  Images images;
  std::vector<std::uint8_t> image = images.original().bytes;
  std::fill_n(image.begin(), kPageBytes, 0);
  EXPECT_EQ(images.Prefix(image, kSegment, false, true), 0u);
}

TEST(Images, ADamagedPageFileIsMadeAgain) {
  Images images;
  const std::size_t whole = images.original().ends.size() - 1;
  for (std::size_t at = 0; at < 256; at += 3) {
    WriteFile(images.segment(), images.original().bytes.data(), kSegment);
    std::vector<std::uint8_t> page = images.original().page;
    page[at] ^= 0x40;
    // Over the live file, so that its inode stays the one the page names.
    {
      std::fstream file(images.partition() + "/page", std::ios::binary | std::ios::in | std::ios::out);
      file.write(reinterpret_cast<const char*>(page.data()), static_cast<std::streamsize>(page.size()));
    }
    auto log = OpenLog(images.root());
    EXPECT_EQ(ReadAll(*log, "t").numbers.size(), whole) << "byte " << at;
  }
}

}  // namespace
}  // namespace tw::journal
