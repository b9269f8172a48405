// Arbitrary bytes as a segment file: recovered, opened, read, sought, verified. Half of the inputs keep the bytes as they are;
// the other half get good checksums wherever their lengths make a frame, so that the walk goes deeper than the first one.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "journal/admin.h"
#include "journal/format.h"
#include "journal/log.h"
#include "wire/crc32c.h"

namespace {

using namespace tw::journal;

struct Place {
  std::string root;
  std::string segment;
  std::string page;
  std::vector<std::uint8_t> header;
};

const Place& ThePlace() {
  static const Place kPlace = [] {
    std::string pattern = ::access("/dev/shm", W_OK) == 0 ? "/dev/shm/tw-fuzz-XXXXXX" : "/tmp/tw-fuzz-XXXXXX";
    Place place;
    place.root = ::mkdtemp(pattern.data());
    static std::string remove = "rm -rf " + place.root;
    std::atexit([] { (void)!std::system(remove.c_str()); });
    std::string error;
    auto log = Log::Open(place.root, {}, &error);
    log->EnsureTopic({.name = "t", .segment_bytes = 64 << 10}, &error);
    Status status;
    auto appender = log->OpenAppender("t", 0, &status);
    const std::uint8_t value[8] = {1};
    appender->Append(Appender::Message{.kind = Kind::kOpaque, .value = value});
    place.segment = place.root + "/topics/t/0/00000000000000000000.seg";
    place.page = place.root + "/topics/t/0/page";
    std::ifstream file(place.segment, std::ios::binary);
    place.header.resize(kSegmentHeaderBytes);
    file.read(reinterpret_cast<char*>(place.header.data()), static_cast<std::streamsize>(place.header.size()));
    return place;
  }();
  return kPlace;
}

void MendChecksums(std::vector<std::uint8_t>& bytes) {
  for (std::size_t at = kSegmentHeaderBytes; at + kFrameHeaderBytes <= bytes.size();) {
    FrameHeader header;
    std::memcpy(&header, bytes.data() + at, sizeof header);
    header.length = static_cast<std::uint32_t>(kFrameHeaderBytes + header.length % 300);
    header.version = kFrameVersion;
    header.kind = static_cast<std::uint8_t>(1 + header.kind % 2);
    header.key_length = static_cast<std::uint16_t>(header.key_length % 16);
    if (header.length > bytes.size() - at) return;
    std::memcpy(bytes.data() + at, &header, sizeof header);
    const std::uint32_t crc = tw::wire::Crc32c(bytes.data() + at + 8, header.length - 8);
    std::memcpy(bytes.data() + at + offsetof(FrameHeader, crc), &crc, sizeof crc);
    at += Align8(header.length);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > (128 << 10)) return 0;
  const Place& place = ThePlace();
  const std::uint8_t mode = data[0];
  std::vector<std::uint8_t> bytes;
  if ((mode & 1) != 0) bytes = place.header;
  bytes.insert(bytes.end(), data + 1, data + size);
  if ((mode & 2) != 0) MendChecksums(bytes);
  std::ofstream(place.segment, std::ios::binary | std::ios::trunc).write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  ::unlink(place.page.c_str());
  const LogOptions options{.durability = Durability::kProcess, .sync_interval_ms = 100, .wall_ns = {}, .read_only = (mode & 4) != 0};
  std::string error;
  auto log = Log::Open(place.root, options, &error);
  if (log == nullptr) std::abort();
  Status status;
  auto reader = log->OpenReader("t", 0, &status);
  if (reader == nullptr) return 0;
  MessageView message;
  std::uint64_t last = 0;
  for (int i = 0; i < 100'000; ++i) {
    const Status got = reader->Next(&message);
    if (got == Status::kSkipped || got == Status::kExpired) continue;
    if (got != Status::kOk) break;
    if (message.offset < last || message.count == 0) std::abort();
    last = message.offset + message.count;
    if (!message.value.empty() && message.value.back() == 77 && !message.key.empty() && message.key.back() == 77) last += 0;  // Touch both ends.
  }
  reader->SeekTime(size);
  reader->Next(&message);
  reader->SeekPosition(size);
  reader->Next(&message);
  reader->SeekOffset(last / 2);
  reader->Next(&message);
  VerifyReport report;
  Verify(*log, {.topics = {}, .hash = true}, {}, &report);
  if (!options.read_only) {
    auto appender = log->OpenAppender("t", 0, &status);
    const std::uint8_t value[16] = {2};
    const AppendResult result = appender->Append(Appender::Message{.kind = Kind::kOpaque, .value = value});
    if (result.status == Status::kOk && result.offset < last) std::abort();  // Never reused.
  }
  // Segments that the append may have rolled into go; the next input is alone again.
  DeletionReport deletion;
  if (!options.read_only) Trim(*log, "t", 0, ~0ull, 0, &deletion);
  log.reset();
  for (const auto& item : std::filesystem::directory_iterator(place.root + "/topics/t/0")) {
    if (item.path().extension() == ".seg") std::filesystem::remove(item.path());
  }
  return 0;
}
