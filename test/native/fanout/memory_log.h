// A log in memory for tests of what follows one: messages per partition, a waiter, nothing on disk.
#pragma once
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include "journal/log.h"

namespace tw::fanout::test {

class MemoryLog : public journal::Log {
 public:
  struct Message {
    std::uint64_t offset;
    std::uint32_t count;
    std::vector<std::uint64_t> words;
    std::size_t size;
    journal::Kind kind;
    bool hole;
  };
  void Append(const std::string& topic, std::span<const std::uint8_t> value, std::uint32_t count, bool hole = false) {
    const std::lock_guard lock(mutex_);
    auto& messages = topics_[topic];
    const std::uint64_t offset = messages.empty() ? 0 : messages.back()->offset + messages.back()->count;
    auto message = std::make_unique<Message>();
    *message = {offset, count, std::vector<std::uint64_t>(value.size() / 8 + 1), value.size(), journal::Kind::kBatch, hole};
    std::memcpy(message->words.data(), value.data(), value.size());
    messages.push_back(std::move(message));
    ++version_;
    changed_.notify_all();
  }

  const std::string& id() const override { return name_; }
  const std::string& directory() const override { return name_; }
  journal::Status EnsureTopic(const journal::TopicOptions& options, std::string*) override {
    const std::lock_guard lock(mutex_);
    topics_[options.name];
    return journal::Status::kOk;
  }
  bool FindTopic(std::string_view name, journal::TopicOptions* out) const override {
    const std::lock_guard lock(mutex_);
    if (!topics_.contains(std::string(name))) return false;
    out->name = name;
    out->partitions = 1;
    return true;
  }
  std::vector<journal::TopicOptions> ListTopics() const override { return {}; }
  std::unique_ptr<journal::Appender> OpenAppender(std::string_view, std::uint32_t, journal::Status*) override { return nullptr; }
  std::unique_ptr<journal::Reader> OpenReader(std::string_view topic, std::uint32_t, journal::Status* status) const override {
    *status = journal::Status::kOk;
    return std::make_unique<MemoryReader>(this, std::string(topic));
  }
  std::unique_ptr<journal::Waiter> OpenWaiter() const override { return std::make_unique<MemoryWaiter>(this); }
  journal::Status Describe(std::string_view, std::uint32_t, journal::PartitionInfo*) const override { return journal::Status::kOk; }

 private:
  class MemoryReader : public journal::Reader {
   public:
    MemoryReader(const MemoryLog* log, std::string topic) : log_(log), topic_(std::move(topic)) {}
    journal::Status Next(journal::MessageView* out) override {
      const std::lock_guard lock(log_->mutex_);
      const auto& messages = log_->topics_.at(topic_);
      while (at_ < messages.size() && messages[at_]->offset < seek_) ++at_;
      if (at_ >= messages.size()) return journal::Status::kEnd;
      const Message& message = *messages[at_++];
      if (message.hole) {
        skip_ = {message.offset, message.offset + message.count, "memory", 0};
        return journal::Status::kSkipped;
      }
      *out = {message.offset, message.count, message.kind, {}, {reinterpret_cast<const std::uint8_t*>(message.words.data()), message.size}};
      return journal::Status::kOk;
    }
    const Skip& skip() const override { return skip_; }
    std::uint64_t position() const override { return seek_; }
    journal::Status SeekOffset(std::uint64_t offset) override {
      seek_ = offset;
      at_ = 0;
      return journal::Status::kOk;
    }
    journal::Status SeekTime(std::uint64_t) override { return journal::Status::kOk; }
    journal::Status SeekPosition(std::uint64_t) override { return journal::Status::kOk; }
    std::uint64_t begin_offset() const override { return 0; }
    std::uint64_t end_offset() const override {
      const std::lock_guard lock(log_->mutex_);
      const auto& messages = log_->topics_.at(topic_);
      return messages.empty() ? 0 : messages.back()->offset + messages.back()->count;
    }

   private:
    const MemoryLog* log_;
    std::string topic_;
    std::size_t at_ = 0;
    std::uint64_t seek_ = 0;
    Skip skip_;
  };
  class MemoryWaiter : public journal::Waiter {
   public:
    explicit MemoryWaiter(const MemoryLog* log) : log_(log) {}
    std::uint32_t Ticket() const override {
      const std::lock_guard lock(log_->mutex_);
      return log_->version_;
    }
    bool Wait(std::uint32_t ticket, std::uint32_t timeout_ms) override {
      std::unique_lock lock(log_->mutex_);
      return log_->changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return log_->version_ != ticket; });
    }
    void Interrupt() override {
      const std::lock_guard lock(log_->mutex_);
      ++log_->version_;
      log_->changed_.notify_all();
    }

   private:
    const MemoryLog* log_;
  };

  std::string name_ = "memory";
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable std::uint32_t version_ = 1;
  std::map<std::string, std::vector<std::unique_ptr<Message>>> topics_;
};

}  // namespace tw::fanout::test
