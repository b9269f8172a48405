#include "journal/group.h"
#include "journal/log.h"

#include <sys/random.h>

#include <chrono>
#include <cstdio>
#include <cstring>

#include "journal/appender.h"
#include "journal/log_impl.h"
#include "journal/reader.h"

namespace tw::journal {
namespace {

constexpr std::size_t kHeaderFileMax = 4096;

std::string IdText(const LogId& id) {
  std::string text;
  for (std::size_t i = 0; i < id.size(); ++i) {
    char hex[4];
    std::snprintf(hex, sizeof hex, "%02x", id[i]);
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += hex;
  }
  return text;
}

bool ParseId(std::string_view text, LogId* out) {
  if (text.size() != 36) return false;
  std::size_t at = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      if (text[at++] != '-') return false;
    }
    std::uint32_t byte = 0;
    for (int digit = 0; digit < 2; ++digit) {
      const char c = text[at++];
      if (c >= '0' && c <= '9') {
        byte = byte * 16 + static_cast<std::uint32_t>(c - '0');
      } else if (c >= 'a' && c <= 'f') {
        byte = byte * 16 + static_cast<std::uint32_t>(c - 'a' + 10);
      } else {
        return false;
      }
    }
    (*out)[i] = static_cast<std::uint8_t>(byte);
  }
  return true;
}

constexpr std::string_view kHeaderBefore = "{\"magic\":\"tickwire-log\",\"version\":1,\"log_id\":\"";
constexpr std::string_view kHeaderAfter = "\"}\n";

Status ReadHeader(const std::string& path, LogId* id, std::string* error) {
  std::string text;
  if (!ReadWholeFile(path, kHeaderFileMax, &text)) return Status::kNotFound;
  const bool framed = text.size() == kHeaderBefore.size() + 36 + kHeaderAfter.size() && text.starts_with(kHeaderBefore) && text.ends_with(kHeaderAfter);
  if (!framed || !ParseId(std::string_view(text).substr(kHeaderBefore.size(), 36), id)) {
    *error = path + " is not the header of a log of format version 1";
    return Status::kInvalid;
  }
  return Status::kOk;
}

LogId NewId() {
  LogId id{};
  if (::getrandom(id.data(), id.size(), 0) != static_cast<ssize_t>(id.size())) id.fill(0x5a);
  id[6] = static_cast<std::uint8_t>((id[6] & 0x0f) | 0x40);
  id[8] = static_cast<std::uint8_t>((id[8] & 0x3f) | 0x80);
  return id;
}

Status MakeDirectories(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const Status status = MakeDirectory(path.substr(0, slash));
    if (status != Status::kOk) return status;
  }
  return MakeDirectory(path);
}

}  // namespace

const char* StatusName(Status status) {
  constexpr const char* kNames[] = {"ok", "end", "busy", "disk_full", "too_large", "skipped", "expired", "not_found", "invalid", "fenced", "closed", "io_error", "pending"};
  const auto index = static_cast<std::size_t>(status);
  return index < std::size(kNames) ? kNames[index] : "unknown";
}

std::string Log::TopicId(std::string_view) const { return id(); }

std::unique_ptr<Group> Log::JoinGroup(const GroupOptions&, std::string* error) {
  *error = "this log has no groups";
  return nullptr;
}

std::optional<std::uint64_t> Log::Committed(const std::string&, const std::string&, std::uint32_t) const { return std::nullopt; }

std::unique_ptr<Log> Log::Open(const std::string& directory, const LogOptions& options, std::string* error) {
  std::string ignored;
  if (error == nullptr) error = &ignored;
  const std::string header = directory + "/log.json";
  LogId id{};
  Status status = ReadHeader(header, &id, error);
  if (status == Status::kNotFound) {
    if (options.read_only) {
      *error = directory + " is not a log: there is no log.json";
      return nullptr;
    }
    status = MakeDirectories(directory);
    if (status == Status::kOk) status = CreateFileOnce(header, std::string(kHeaderBefore) + IdText(NewId()) + std::string(kHeaderAfter));
    if (status == Status::kOk) SyncDirectory(directory);
    // Whoever was first wrote it; this is what all of them read.
    if (status == Status::kOk) status = ReadHeader(header, &id, error);
    if (status != Status::kOk && error->empty()) *error = "cannot make " + header + ": " + StatusName(status);
  }
  if (status != Status::kOk) return nullptr;
  if (!options.read_only && MakeDirectory(directory + "/topics") != Status::kOk) {
    *error = "cannot make " + directory + "/topics";
    return nullptr;
  }
  std::shared_ptr<Notify> notify;
  status = Notify::Open(directory + "/notify", options.read_only, &notify);
  if (status != Status::kOk) {
    *error = "cannot open " + directory + "/notify: " + StatusName(status);
    return nullptr;
  }
  return std::make_unique<EmbeddedLog>(directory, options, id, std::move(notify));
}

EmbeddedLog::EmbeddedLog(std::string directory, LogOptions options, const LogId& id, std::shared_ptr<Notify> notify)
    : directory_(std::move(directory)),
      options_(std::move(options)),
      id_(id),
      id_text_(IdText(id)),
      topics_(directory_ + "/topics", options_.read_only),
      notify_(std::move(notify)) {
  if (options_.durability == Durability::kInterval && !options_.read_only) flusher_ = std::thread([this] { FlushLoop(); });
}

EmbeddedLog::~EmbeddedLog() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stop_changed_.notify_all();
  if (flusher_.joinable()) flusher_.join();
}

void EmbeddedLog::FlushLoop() {
  std::unique_lock lock(mutex_);
  while (true) {
    stop_changed_.wait_for(lock, std::chrono::milliseconds(std::max(1u, options_.sync_interval_ms)), [&] { return stop_; });
    std::vector<std::shared_ptr<Partition>> partitions;
    for (const auto& [key, partition] : partitions_) partitions.push_back(partition);
    const bool stop = stop_;
    lock.unlock();
    for (const auto& partition : partitions) partition->SyncDirty();
    if (stop) return;
    lock.lock();
  }
}

std::shared_ptr<Partition> EmbeddedLog::OpenPartition(std::string_view topic, std::uint32_t number, Status* status) const {
  TopicOptions options;
  if (!topics_.Find(topic, &options) || number >= options.partitions) {
    *status = Status::kNotFound;
    return nullptr;
  }
  const std::lock_guard lock(mutex_);
  const auto key = std::make_pair(std::string(topic), number);
  const auto known = partitions_.find(key);
  *status = Status::kOk;
  if (known != partitions_.end()) return known->second;
  Partition::Context context;
  context.log_id = id_;
  context.directory = topics_.PathOf(topic) + "/" + std::to_string(number);
  context.topic = topic;
  context.number = number;
  context.read_only = options_.read_only;
  context.notify = notify_;
  context.options = [store = topics_, options]() {
    TopicOptions now = options;
    store.Find(options.name, &now);
    return now;
  };
  std::shared_ptr<Partition> partition;
  *status = Partition::Open(std::move(context), &partition);
  if (*status != Status::kOk) return nullptr;
  // A private page does not follow: the next reader looks again whether a writer has made a shared one.
  if (!partition->page().is_private()) partitions_.emplace(key, partition);
  return partition;
}

std::unique_ptr<Appender> EmbeddedLog::OpenAppender(std::string_view topic, std::uint32_t partition, Status* status) {
  Status ignored = Status::kOk;
  if (status == nullptr) status = &ignored;
  if (options_.read_only) {
    *status = Status::kInvalid;
    return nullptr;
  }
  auto opened = OpenPartition(topic, partition, status);
  return opened == nullptr ? nullptr : MakeAppender(std::move(opened), options_.durability, status);
}

std::unique_ptr<Reader> EmbeddedLog::OpenReader(std::string_view topic, std::uint32_t partition, Status* status) const {
  Status ignored = Status::kOk;
  if (status == nullptr) status = &ignored;
  auto opened = OpenPartition(topic, partition, status);
  return opened == nullptr ? nullptr : MakeReader(std::move(opened));
}

std::unique_ptr<Group> EmbeddedLog::JoinGroup(const GroupOptions& options, std::string* error) {
  GroupOptions filled = options;
  filled.directory = directory_;
  filled.log_id = id_text_;
  return Group::Join(filled, error);
}

std::optional<std::uint64_t> EmbeddedLog::Committed(const std::string& group, const std::string& topic, std::uint32_t partition) const {
  return CommittedOf(directory_, id_text_, group, topic, partition);
}

std::unique_ptr<Waiter> EmbeddedLog::OpenWaiter() const { return MakeWaiter(notify_); }

Status EmbeddedLog::Describe(std::string_view topic, std::uint32_t number, PartitionInfo* out) const {
  Status status = Status::kOk;
  const auto partition = OpenPartition(topic, number, &status);
  if (partition == nullptr) return status;
  PartitionInfo info;
  const PartitionPage& page = *partition->page();
  std::uint64_t end_position = 0;
  partition->End(&end_position, &info.end_offset);
  info.begin_offset = page.begin_offset.load(std::memory_order_acquire);
  info.ts_recv_newest = page.ts_recv_newest.load(std::memory_order_acquire);
  for (const Partition::Entry& entry : partition->List()) {
    const auto segment = partition->Map(entry, &status);
    if (segment == nullptr) continue;
    info.bytes += ReadableOf(*segment, end_position).limit;
    ++info.segments;
  }
  *out = info;
  return Status::kOk;
}

}  // namespace tw::journal
