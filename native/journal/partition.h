// One partition's directory as this process sees it: the shared page, the list of segments, the lock file. Shared by all
// appenders and readers of the partition in one Log.
//
// Threads: all functions are thread-safe; those that say "under the lock" need the partition's file lock as well.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "journal/notify.h"
#include "journal/page.h"
#include "journal/partition_lock.h"
#include "journal/segment.h"

namespace tw::journal {

class Partition {
 public:
  struct Context {
    LogId log_id{};
    std::string directory;
    std::string topic;
    std::uint32_t number = 0;
    bool read_only = false;
    std::shared_ptr<Notify> notify;
    std::function<TopicOptions()> options;  // As they stand now in the topic's file.
  };
  struct Entry {
    Segment::Identity identity;
    std::uint64_t inode = 0;
    std::uint64_t file_bytes = 0;
    bool header_ok = false;
    std::weak_ptr<Segment> segment;
    std::uint64_t end_position() const { return identity.start_position + identity.span; }
  };

  // Makes the directory at need, maps the page, and recovers the partition when the page cannot be trusted.
  static Status Open(Context context, std::shared_ptr<Partition>* out);

  const Context& context() const { return context_; }
  SharedPage& page() const { return *page_; }
  std::string PathOf(std::uint64_t base_offset) const { return context_.directory + "/" + Segment::FileName(base_offset); }
  std::string LockPath() const { return context_.directory + "/lock"; }

  // The segments in order, as the page's structure counter says they are now.
  std::vector<Entry> List();
  // Reads the directory whatever the counter says. `all`: also those beyond the published end (recovery and roll).
  std::vector<Entry> Reload(bool all);
  // Maps the segment of an entry, or finds it mapped. Null: it is gone (list again) or belongs to another log (*status).
  std::shared_ptr<Segment> Map(const Entry& entry, Status* status);
  // The segment that holds a logical position, or ends at it. Null with kNotFound: none.
  std::shared_ptr<Segment> AtPosition(std::uint64_t position, Status* status);
  // Who made or rolled a segment hands it over, so that nobody maps it twice.
  void Remember(const std::shared_ptr<Segment>& segment);

  // Tells the end as published: offset and position belong together.
  void End(std::uint64_t* position, std::uint64_t* offset) const;

  // Durability: segments this process wrote since the last sync. Marked after the bytes and before the end that publishes
  // them, so that whoever syncs up to an end has the segment of everything below it.
  void MarkDirty(const std::shared_ptr<Segment>& segment);
  // One at a time: a caller whose segment another one is syncing comes back when that is done.
  Status SyncDirty();

  // Counters of this process, for metrics.
  std::atomic<std::uint64_t> damaged_frames{0};

 private:
  explicit Partition(Context context) : context_(std::move(context)) {}
  Status Attach();
  std::vector<Entry> Scan(bool all);

  Context context_;
  std::unique_ptr<SharedPage> page_;
  std::mutex mutex_;
  std::vector<Entry> entries_;
  std::uint64_t structure_ = ~0ull;
  std::mutex sync_mutex_;  // Taken before dirty_mutex_.
  std::mutex dirty_mutex_;
  struct Dirty {
    std::string path;
    std::uint64_t start_position = 0;
    std::uint64_t end_position = 0;
    std::weak_ptr<Segment> segment;  // A long run without a sync must not keep every segment mapped.
  };
  std::vector<Dirty> dirty_;
  std::uint64_t synced_to_ = 0;  // Logical position up to which this process synced.
};

// Bytes of a segment that may be read now, and whether more can come (closed: never).
struct Readable {
  std::uint64_t limit = 0;
  bool closed = false;
  bool sealed = false;
  Seal seal;
};
Readable ReadableOf(const Segment& segment, std::uint64_t end_position);

}  // namespace tw::journal
