// The log, as every engine gives it; the embedded one is a directory of partitioned, append-only, CRC32C-checked segments that any process may append to and
// follow. Files, locks and recovery: docs/adr and native/journal/README.md.
//
// Threads:    Log is thread-safe. An Appender and a Reader belong to one thread each (an Appender opens the partition's
//             lock file itself, because threads that share a descriptor do not exclude each other).
// When full:  an append answers kBusy, kDiskFull or kTooLarge; it never throws and never blocks longer than 50 ms
//             (on a cluster: 4 s, for the acknowledgement).
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tw::journal {

enum class Status : std::uint8_t {
  kOk = 0,
  kEnd,       // Reader: nothing more for now.
  kBusy,      // The partition's lock was not had within 50 ms.
  kDiskFull,  // ENOSPC or EDQUOT.
  kTooLarge,  // The message does not fit a segment.
  kSkipped,   // Reader: a damaged stretch was stepped over; see Skip.
  kExpired,   // Reader: the position was deleted by retention; moved to the first one there is; see Skip.
  kNotFound,
  kInvalid,
  kFenced,    // A commit or state write of an old generation.
  kClosed,
  kIoError,
  kPending,   // Reader: more is known to be there and has not arrived yet. Wait and ask again; a local log never answers it.
};
const char* StatusName(Status status);

enum class Kind : std::uint8_t { kBatch = 1, kOpaque = 2 };
enum class Durability : std::uint8_t { kProcess = 0, kInterval = 1, kBatch = 2 };

struct TopicOptions {
  std::string name{};
  std::uint32_t partitions = 1;
  std::uint64_t segment_bytes = 64ull << 20;  // Power of two, 64 KiB … 1 GiB.
  std::int64_t retention_ms = -1;             // Against the newest ts_recv in the partition; -1: forever.
  std::int64_t retention_bytes = -1;          // Per partition; -1: no budget.
  bool compact = false;                       // Keep the newest message of each key.
};

struct LogOptions {
  Durability durability = Durability::kProcess;
  std::uint32_t sync_interval_ms = 100;       // With kInterval.
  std::function<std::uint64_t()> wall_ns{};   // ts_append, lock and member ages; null: CLOCK_REALTIME.
  bool read_only = false;
};

// A message as it stands in the log. Views point into the mapped segment and stay valid while the Reader that gave them
// lives (a deleted segment stays mapped), up to 256 segments back: beyond that a long follower would run out of mappings. On a
// cluster they are valid until the Reader's next call.
struct MessageView {
  std::uint64_t offset = 0;  // Of its first record.
  std::uint32_t count = 0;   // Offsets it takes: records of a batch, 1 for an opaque message.
  Kind kind = Kind::kBatch;
  std::string_view key;
  std::span<const std::uint8_t> value;  // 8-aligned.
  std::uint64_t ts_recv = 0;            // As the appender gave it.
  std::uint64_t ts_recv_max = 0;
};

struct AppendResult {
  Status status = Status::kOk;
  std::uint64_t offset = 0;  // Of the first record.
};

class Appender {
 public:
  virtual ~Appender() = default;
  // Appends one message, or several as one acknowledged unit. ts_recv is the time index's and retention's clock: the
  // batch's ts_recv_first; for opaque messages the caller's time.
  struct Message {
    Kind kind = Kind::kBatch;
    std::string_view key{};
    std::span<const std::uint8_t> value{};
    std::uint32_t count = 1;
    std::uint64_t ts_recv = 0;
    std::uint64_t ts_recv_max = 0;   // Newest ts_recv inside; 0: ts_recv.
    std::uint64_t position_max = 0;  // Highest (epoch << 32 | seq) inside, for seek by (epoch, seq); 0: none.
  };
  virtual AppendResult Append(const Message& message) = 0;
  virtual AppendResult Append(std::span<const Message> messages) = 0;
  virtual Status Sync() = 0;  // fdatasync of what is appended.
};

class Reader {
 public:
  virtual ~Reader() = default;
  // The next whole message at or behind the position. kOk, kEnd, kSkipped, kExpired, kIoError. After kSkipped and
  // kExpired the next call goes on behind the hole.
  virtual Status Next(MessageView* out) = 0;
  struct Skip {
    std::uint64_t from_offset = 0;  // First offset that is lost…
    std::uint64_t to_offset = 0;    // …and the first one behind it.
    std::string file;               // Segment, and where in it.
    std::uint64_t file_position = 0;
  };
  virtual const Skip& skip() const = 0;
  virtual std::uint64_t position() const = 0;  // Offset of the next message asked for.
  virtual Status SeekOffset(std::uint64_t offset) = 0;  // To the message that holds it, or the first behind.
  virtual Status SeekTime(std::uint64_t ts_recv) = 0;   // To the first message whose ts_recv_max is at or after it.
  // To the first message that can hold a record of the instrument/type/source at or after (epoch, seq). May land early,
  // never late; callers compare records.
  virtual Status SeekPosition(std::uint64_t position) = 0;
  virtual std::uint64_t begin_offset() const = 0;
  virtual std::uint64_t end_offset() const = 0;
};

class Group;
struct GroupOptions;

// Wakes followers of any partition of the log, across processes.
class Waiter {
 public:
  virtual ~Waiter() = default;
  // Take a ticket, check every reader, then wait: an append after Ticket() makes Wait return at once.
  virtual std::uint32_t Ticket() const = 0;
  // False: timed out. Returns also when Interrupt was called from any thread of this process.
  virtual bool Wait(std::uint32_t ticket, std::uint32_t timeout_ms) = 0;
  virtual void Interrupt() = 0;
};

struct PartitionInfo {
  std::uint64_t begin_offset = 0;
  std::uint64_t end_offset = 0;
  std::uint64_t bytes = 0;
  std::uint32_t segments = 0;
  std::uint64_t ts_recv_newest = 0;
};

class Log {
 public:
  virtual ~Log() = default;
  // Opens or makes the directory. Null: *error says what and why.
  static std::unique_ptr<Log> Open(const std::string& directory, const LogOptions& options, std::string* error);

  virtual const std::string& id() const = 0;  // UUID text of the directory, or the cluster's id.
  virtual const std::string& directory() const = 0;  // Empty: there is none on this machine.
  // What positions of the topic stand on: they mean nothing under another one. Default: id().
  virtual std::string TopicId(std::string_view topic) const;
  // Makes the topic or finds it; partitions may only grow; other options are replaced.
  virtual Status EnsureTopic(const TopicOptions& options, std::string* error) = 0;
  virtual bool FindTopic(std::string_view name, TopicOptions* out) const = 0;
  virtual std::vector<TopicOptions> ListTopics() const = 0;
  virtual std::unique_ptr<Appender> OpenAppender(std::string_view topic, std::uint32_t partition, Status* status) = 0;
  // Starts at the first message there is.
  virtual std::unique_ptr<Reader> OpenReader(std::string_view topic, std::uint32_t partition, Status* status) const = 0;
  virtual std::unique_ptr<Waiter> OpenWaiter() const = 0;
  virtual Status Describe(std::string_view topic, std::uint32_t partition, PartitionInfo* out) const = 0;
  // Null: *error says why; the default has no groups. The group must not outlive the log, whose directory and id it takes.
  virtual std::unique_ptr<Group> JoinGroup(const GroupOptions& options, std::string* error);
  // What a group has committed on a partition, without joining it. nullopt: nothing, or it cannot be told now.
  virtual std::optional<std::uint64_t> Committed(const std::string& group, const std::string& topic, std::uint32_t partition) const;
};

}  // namespace tw::journal
