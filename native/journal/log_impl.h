// The embedded engine behind log.h. Maintenance (admin.h) works on this class.
#pragma once
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "journal/log.h"
#include "journal/partition.h"
#include "journal/topic_store.h"

namespace tw::journal {

class EmbeddedLog : public Log {
 public:
  EmbeddedLog(std::string directory, LogOptions options, const LogId& id, std::shared_ptr<Notify> notify);
  ~EmbeddedLog() override;

  const std::string& id() const override { return id_text_; }
  const std::string& directory() const override { return directory_; }
  Status EnsureTopic(const TopicOptions& options, std::string* error) override { return topics_.Ensure(options, error); }
  bool FindTopic(std::string_view name, TopicOptions* out) const override { return topics_.Find(name, out); }
  std::vector<TopicOptions> ListTopics() const override { return topics_.List(); }
  std::unique_ptr<Appender> OpenAppender(std::string_view topic, std::uint32_t partition, Status* status) override;
  std::unique_ptr<Reader> OpenReader(std::string_view topic, std::uint32_t partition, Status* status) const override;
  std::unique_ptr<Waiter> OpenWaiter() const override;
  Status Describe(std::string_view topic, std::uint32_t partition, PartitionInfo* out) const override;

  std::unique_ptr<Group> JoinGroup(const GroupOptions& options, std::string* error) override;
  std::optional<std::uint64_t> Committed(const std::string& group, const std::string& topic, std::uint32_t partition) const override;

  // The partition as this process shares it. Null: *status tells (kNotFound: no such topic or partition).
  std::shared_ptr<Partition> OpenPartition(std::string_view topic, std::uint32_t partition, Status* status) const;
  bool read_only() const { return options_.read_only; }
  const LogOptions& options() const { return options_; }

 private:
  void FlushLoop();

  std::string directory_;
  LogOptions options_;
  LogId id_;
  std::string id_text_;
  TopicStore topics_;
  std::shared_ptr<Notify> notify_;
  mutable std::mutex mutex_;
  mutable std::map<std::pair<std::string, std::uint32_t>, std::shared_ptr<Partition>, std::less<>> partitions_;
  std::condition_variable stop_changed_;
  bool stop_ = false;
  std::thread flusher_;  // With Durability::kInterval.
};

}  // namespace tw::journal
