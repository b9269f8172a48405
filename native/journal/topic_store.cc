#include "journal/topic_store.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <map>

#include "journal/fd.h"
#include "journal/format.h"
#include "journal/partition_lock.h"
#include "wire/crc32c.h"

namespace tw::journal {
namespace {

constexpr std::string_view kMagicLine = "tickwire-topic 1\n";
constexpr std::size_t kTopicFileMax = 4096;

std::string Render(const TopicOptions& options) {
  std::string text(kMagicLine);
  text += "partitions " + std::to_string(options.partitions) + "\n";
  text += "segment_bytes " + std::to_string(options.segment_bytes) + "\n";
  text += "retention_ms " + std::to_string(options.retention_ms) + "\n";
  text += "retention_bytes " + std::to_string(options.retention_bytes) + "\n";
  text += "compact " + std::to_string(options.compact ? 1 : 0) + "\n";
  text += "crc " + std::to_string(wire::Crc32c(text.data(), text.size())) + "\n";
  return text;
}

template <class Number>
bool Take(const std::map<std::string_view, std::string_view>& fields, std::string_view name, Number* out) {
  const auto field = fields.find(name);
  if (field == fields.end()) return false;
  const char* end = field->second.data() + field->second.size();
  const auto result = std::from_chars(field->second.data(), end, *out);
  return result.ec == std::errc{} && result.ptr == end;
}

bool Valid(const TopicOptions& options) {
  return options.partitions >= 1 && options.partitions <= kPartitionsMax && std::has_single_bit(options.segment_bytes) &&
         options.segment_bytes >= kSegmentBytesMin && options.segment_bytes <= kSegmentBytesMax;
}

bool Parse(std::string_view text, TopicOptions* out) {
  if (!text.starts_with(kMagicLine)) return false;
  const std::size_t crc_at = text.rfind("\ncrc ");
  if (crc_at == std::string_view::npos) return false;
  std::map<std::string_view, std::string_view> fields;
  for (std::size_t at = kMagicLine.size(); at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    const std::size_t space = line.find(' ');
    if (space != std::string_view::npos) fields[line.substr(0, space)] = line.substr(space + 1);
    at = end + 1;
  }
  std::uint32_t crc = 0;
  std::uint32_t compact = 0;
  if (!Take(fields, "crc", &crc) || crc != wire::Crc32c(text.data(), crc_at + 1)) return false;
  if (!Take(fields, "partitions", &out->partitions) || !Take(fields, "segment_bytes", &out->segment_bytes)) return false;
  if (!Take(fields, "retention_ms", &out->retention_ms) || !Take(fields, "retention_bytes", &out->retention_bytes)) return false;
  if (!Take(fields, "compact", &compact) || compact > 1) return false;
  out->compact = compact == 1;
  return Valid(*out);
}

}  // namespace

bool ValidTopicName(std::string_view name) {
  if (name.empty() || name.size() > 200 || name.front() == '.') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

Status TopicStore::Ensure(const TopicOptions& options, std::string* error) {
  const auto refuse = [&](Status status, const std::string& why) {
    if (error != nullptr) *error = why;
    return status;
  };
  if (!ValidTopicName(options.name)) return refuse(Status::kInvalid, "topic names are [a-z0-9._-]{1,200}: '" + options.name + "'");
  if (!Valid(options)) {
    return refuse(Status::kInvalid, options.name + ": partitions 1 to 4096, segment_bytes a power of two from 64 KiB to 1 GiB");
  }
  TopicOptions known;
  const bool exists = Find(options.name, &known);
  if (exists && options.partitions < known.partitions) {
    return refuse(Status::kInvalid, options.name + " has " + std::to_string(known.partitions) + " partitions; they can only grow");
  }
  if (exists && Render(known) == Render(options)) return Status::kOk;
  if (read_only_) return refuse(Status::kInvalid, "the log is open read-only");
  const std::string path = PathOf(options.name);
  Status status = MakeDirectory(path);
  if (status != Status::kOk) return refuse(status, "cannot make " + path);
  // Two processes that grow one topic at once take turns; the smaller count is then refused as above.
  PartitionLock lock;
  status = lock.Open(path + "/lock");
  if (status != Status::kOk) return refuse(status, "cannot open " + path + "/lock");
  const PartitionLockGuard guard(lock, 2'000);
  if (guard.status() != Status::kOk) return refuse(guard.status(), path + " is locked");
  if (Find(options.name, &known) && options.partitions < known.partitions) {
    return refuse(Status::kInvalid, options.name + " has " + std::to_string(known.partitions) + " partitions; they can only grow");
  }
  status = ReplaceFile(path + "/topic", Render(options));
  if (status != Status::kOk) return refuse(status, "cannot write " + path + "/topic");
  SyncDirectory(path);
  return Status::kOk;
}

bool TopicStore::Find(std::string_view name, TopicOptions* out) const {
  if (!ValidTopicName(name)) return false;
  std::string text;
  TopicOptions options;
  if (!ReadWholeFile(PathOf(name) + "/topic", kTopicFileMax, &text) || !Parse(text, &options)) return false;
  options.name = name;
  if (out != nullptr) *out = std::move(options);
  return true;
}

std::vector<TopicOptions> TopicStore::List() const {
  std::vector<TopicOptions> topics;
  std::vector<std::string> names = ListDirectory(directory_);
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    TopicOptions options;
    if (Find(name, &options)) topics.push_back(std::move(options));
  }
  return topics;
}

}  // namespace tw::journal
