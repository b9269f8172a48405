// What the journal's tests share: a directory of their own, messages whose content tells their number.
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "journal/log.h"

namespace tw::journal {

class Directory {
 public:
  Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tw-journal-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::unique_ptr<Log> OpenLog(const std::string& path, LogOptions options = {}) {
  std::string error;
  auto log = Log::Open(path, options, &error);
  EXPECT_NE(log, nullptr) << error;
  return log;
}

inline void MakeTopic(Log& log, const std::string& name, std::uint64_t segment_bytes = 64 << 10, bool compact = false) {
  TopicOptions options;
  options.name = name;
  options.segment_bytes = segment_bytes;
  options.compact = compact;
  std::string error;
  ASSERT_EQ(log.EnsureTopic(options, &error), Status::kOk) << error;
}

// A value of `size` bytes that says its number and can be checked whole.
inline std::vector<std::uint8_t> Value(std::uint64_t number, std::size_t size = 200) {
  std::vector<std::uint8_t> value(size);
  for (std::size_t i = 0; i < size; ++i) value[i] = static_cast<std::uint8_t>((number * 31 + i * 7) | 1);
  if (size >= 8) std::memcpy(value.data(), &number, 8);
  return value;
}
inline std::uint64_t NumberOf(const MessageView& message) {
  std::uint64_t number = ~0ull;
  if (message.value.size() >= 8) std::memcpy(&number, message.value.data(), 8);
  return number;
}
inline bool WholeValue(const MessageView& message) {
  const auto expected = Value(NumberOf(message), message.value.size());
  return expected.size() == message.value.size() && std::memcmp(expected.data(), message.value.data(), expected.size()) == 0;
}

inline AppendResult AppendNumber(Appender& appender, std::uint64_t number, std::size_t size = 200, std::uint32_t count = 1) {
  const auto value = Value(number, size);
  return appender.Append(Appender::Message{.kind = Kind::kOpaque, .key = "k", .value = value, .count = count, .ts_recv = 1'000'000 * (number + 1)});
}

// Reads to the end; every message must be whole. Skips are counted, not followed up.
struct Contents {
  std::vector<std::uint64_t> numbers;
  std::vector<std::uint64_t> offsets;
  std::vector<Reader::Skip> skips;
  Status last = Status::kOk;
};
inline Contents ReadAll(Reader& reader) {
  Contents contents;
  MessageView message;
  for (int holes = 0; holes < 1000;) {
    contents.last = reader.Next(&message);
    if (contents.last == Status::kSkipped || contents.last == Status::kExpired) {
      contents.skips.push_back(reader.skip());
      ++holes;
      continue;
    }
    if (contents.last != Status::kOk) break;
    EXPECT_TRUE(WholeValue(message)) << "at offset " << message.offset;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(message.value.data()) % 8, 0u);
    contents.numbers.push_back(NumberOf(message));
    contents.offsets.push_back(message.offset);
  }
  return contents;
}
inline Contents ReadAll(const Log& log, const std::string& topic, std::uint32_t partition = 0) {
  Status status = Status::kOk;
  auto reader = log.OpenReader(topic, partition, &status);
  EXPECT_EQ(status, Status::kOk);
  return reader == nullptr ? Contents{} : ReadAll(*reader);
}

}  // namespace tw::journal
