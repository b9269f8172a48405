// A log in memory that can refuse, for tests of what appends to it.
#pragma once
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "journal/log.h"
#include "wire/batch.h"
#include "wire/record_hash.h"

namespace tw::batch {

class MemoryLog : public journal::Log {
 public:
  struct Stored {
    std::string key;
    std::vector<std::uint64_t> words;
    std::size_t size = 0;
    std::span<const std::uint8_t> bytes() const { return {reinterpret_cast<const std::uint8_t*>(words.data()), size}; }
  };
  using Partition = std::pair<std::string, std::uint32_t>;

  const std::string& id() const override { return id_; }
  const std::string& directory() const override { return id_; }
  journal::Status EnsureTopic(const journal::TopicOptions& options, std::string*) override {
    topics[options.name] = options;
    return journal::Status::kOk;
  }
  bool FindTopic(std::string_view name, journal::TopicOptions* out) const override {
    const auto found = topics.find(std::string(name));
    if (found == topics.end()) return false;
    *out = found->second;
    return true;
  }
  std::vector<journal::TopicOptions> ListTopics() const override { return {}; }
  std::unique_ptr<journal::Appender> OpenAppender(std::string_view topic, std::uint32_t partition,
                                                  journal::Status* status) override {
    *status = journal::Status::kOk;
    return std::make_unique<MemoryAppender>(this, Partition(topic, partition));
  }
  std::unique_ptr<journal::Reader> OpenReader(std::string_view, std::uint32_t, journal::Status* status) const override {
    *status = journal::Status::kNotFound;
    return nullptr;
  }
  std::unique_ptr<journal::Waiter> OpenWaiter() const override { return nullptr; }
  journal::Status Describe(std::string_view, std::uint32_t, journal::PartitionInfo*) const override {
    return journal::Status::kNotFound;
  }

  // Every record, partition by partition. Call when nothing appends.
  template <class Take>
  void Each(Take&& take) const {
    for (const auto& [partition, messages] : messages) {
      for (const Stored& message : messages) {
        wire::BatchView view;
        if (wire::BatchView::Parse(message.bytes(), &view) != wire::BatchError::kNone) std::abort();
        for (std::uint32_t i = 0; i < view.size(); ++i) take(partition, view[i]);
      }
    }
  }
  // Without copies in the gaps topics.
  std::string Hash() const {
    wire::RecordHash hash;
    Each([&](const Partition& partition, const Header* record) {
      if (partition.first.find(".gaps.") == std::string::npos) hash.Add(record);
    });
    return hash.Digest();
  }

  std::map<std::string, journal::TopicOptions> topics;
  std::map<Partition, std::vector<Stored>> messages;
  std::atomic<journal::Status> answer{journal::Status::kOk};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint32_t> records_max{1u << 30};  // More in a message: kTooLarge.

 private:
  class MemoryAppender : public journal::Appender {
   public:
    MemoryAppender(MemoryLog* log, Partition partition) : log_(log), partition_(std::move(partition)) {}
    journal::AppendResult Append(const Message& message) override {
      if (const auto answer = log_->answer.load(); answer != journal::Status::kOk) {
        log_->refused.fetch_add(1);
        return {answer, 0};
      }
      if (message.count > log_->records_max.load()) return {journal::Status::kTooLarge, 0};
      const std::lock_guard lock(log_->mutex_);
      Stored stored{.key = std::string(message.key),
                    .words = std::vector<std::uint64_t>((message.value.size() + 7) / 8),
                    .size = message.value.size()};
      std::memcpy(stored.words.data(), message.value.data(), message.value.size());
      log_->messages[partition_].push_back(std::move(stored));
      return {journal::Status::kOk, 0};
    }
    journal::AppendResult Append(std::span<const Message> messages) override {
      for (const Message& message : messages) Append(message);
      return {};
    }
    journal::Status Sync() override { return journal::Status::kOk; }

   private:
    MemoryLog* log_;
    Partition partition_;
  };
  std::string id_ = "memory";
  std::mutex mutex_;
};

}  // namespace tw::batch
