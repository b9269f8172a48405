#include "journal/engine_import.h"

#include <utility>
#include <vector>

#include "journal/engine_import_parts.h"

namespace tw::journal {
namespace {

TopicOptions OptionsOf(const tw_topic& topic) {
  TopicOptions options;
  options.partitions = topic.partitions;
  options.segment_bytes = topic.segment_bytes;
  options.retention_ms = topic.retention_ms;
  options.retention_bytes = topic.retention_bytes;
  options.compact = topic.compact != 0;
  return options;
}

class ImportedAppender final : public Appender {
 public:
  ImportedAppender(EnginePtr engine, tw_appender* handle) : engine_(std::move(engine)), handle_(handle) {}
  ~ImportedAppender() override { engine_->table.appender_close(handle_); }

  AppendResult Append(const Message& message) override {
    const tw_append one = Of(message);
    return Send(&one, 1);
  }
  AppendResult Append(std::span<const Message> messages) override {
    several_.clear();
    for (const Message& message : messages) several_.push_back(Of(message));
    return Send(several_.data(), several_.size());
  }
  Status Sync() override { return static_cast<Status>(engine_->table.appender_sync(handle_)); }

 private:
  static tw_append Of(const Message& message) {
    return {static_cast<std::uint32_t>(message.kind),
            message.count,
            TextOf(message.key),
            {message.value.data(), message.value.size()},
            message.ts_recv,
            message.ts_recv_max,
            message.position_max};
  }
  AppendResult Send(const tw_append* messages, std::size_t count) {
    AppendResult result;
    result.status = static_cast<Status>(engine_->table.appender_append(handle_, messages, count, &result.offset));
    return result;
  }

  const EnginePtr engine_;
  tw_appender* const handle_;
  std::vector<tw_append> several_;  // Kept between calls: an appender belongs to one thread.
};

class ImportedReader final : public Reader {
 public:
  ImportedReader(EnginePtr engine, tw_reader* handle)
      : engine_(std::move(engine)), next_(engine_->table.reader_next), handle_(handle) {}
  ~ImportedReader() override { engine_->table.reader_close(handle_); }

  Status Next(MessageView* out) override {
    tw_message message;
    const auto status = static_cast<Status>(next_(handle_, &message));
    if (status == Status::kOk) {
      *out = {message.offset,
              message.count,
              static_cast<Kind>(message.kind),
              ViewOf(message.key),
              {message.value.data, message.value.size},
              message.ts_recv,
              message.ts_recv_max};
    } else if (status == Status::kSkipped || status == Status::kExpired) {
      tw_skip skip;
      engine_->table.reader_skip(handle_, &skip);
      skip_ = {skip.from_offset, skip.to_offset, std::string(ViewOf(skip.file)), skip.file_position};
    }
    return status;
  }
  const Skip& skip() const override { return skip_; }
  std::uint64_t position() const override { return engine_->table.reader_position(handle_); }
  Status SeekOffset(std::uint64_t offset) override {
    return static_cast<Status>(engine_->table.reader_seek_offset(handle_, offset));
  }
  Status SeekTime(std::uint64_t ts_recv) override {
    return static_cast<Status>(engine_->table.reader_seek_time(handle_, ts_recv));
  }
  Status SeekPosition(std::uint64_t position) override {
    return static_cast<Status>(engine_->table.reader_seek_position(handle_, position));
  }
  std::uint64_t begin_offset() const override { return engine_->table.reader_begin_offset(handle_); }
  std::uint64_t end_offset() const override { return engine_->table.reader_end_offset(handle_); }

 private:
  const EnginePtr engine_;
  decltype(tw_engine::reader_next) const next_;  // Beside the handle: the path of every message.
  tw_reader* const handle_;
  Skip skip_;
};

class ImportedWaiter final : public Waiter {
 public:
  ImportedWaiter(EnginePtr engine, tw_waiter* handle) : engine_(std::move(engine)), handle_(handle) {}
  ~ImportedWaiter() override { engine_->table.waiter_close(handle_); }

  std::uint32_t Ticket() const override { return engine_->table.waiter_ticket(handle_); }
  bool Wait(std::uint32_t ticket, std::uint32_t timeout_ms) override {
    return engine_->table.waiter_wait(handle_, ticket, timeout_ms) != 0;
  }
  void Interrupt() override { engine_->table.waiter_interrupt(handle_); }

 private:
  const EnginePtr engine_;
  tw_waiter* const handle_;
};

class ImportedLog final : public Log {
 public:
  explicit ImportedLog(EnginePtr engine)
      : engine_(std::move(engine)), id_(ViewOf(table().id(table().log))), directory_(ViewOf(table().directory(table().log))) {}

  const std::string& id() const override { return id_; }
  const std::string& directory() const override { return directory_; }
  std::string TopicId(std::string_view topic) const override {
    Text id;
    table().topic_id(table().log, TextOf(topic), id.buffer());
    return id.text();
  }

  Status EnsureTopic(const TopicOptions& options, std::string* error) override {
    const tw_topic topic = {TextOf(options.name),    options.segment_bytes, options.retention_ms,
                            options.retention_bytes, options.partitions,    options.compact};
    Text reason;
    const auto status = static_cast<Status>(table().ensure_topic(table().log, &topic, reason.buffer()));
    if (error != nullptr && status != Status::kOk) *error = reason.text();
    return status;
  }
  bool FindTopic(std::string_view name, TopicOptions* out) const override {
    tw_topic topic = {};
    if (table().find_topic(table().log, TextOf(name), &topic) == 0) return false;
    *out = OptionsOf(topic);
    out->name = name;
    return true;
  }
  std::vector<TopicOptions> ListTopics() const override {
    std::vector<TopicOptions> topics;
    table().list_topics(
        table().log,
        [](void* context, const tw_topic* topic) {
          TopicOptions options = OptionsOf(*topic);
          options.name = ViewOf(topic->name);
          static_cast<std::vector<TopicOptions>*>(context)->push_back(std::move(options));
        },
        &topics);
    return topics;
  }

  std::unique_ptr<Appender> OpenAppender(std::string_view topic, std::uint32_t partition, Status* status) override {
    std::uint8_t code = 0;
    tw_appender* handle = table().open_appender(table().log, TextOf(topic), partition, &code);
    if (status != nullptr) *status = static_cast<Status>(code);
    return handle == nullptr ? nullptr : std::make_unique<ImportedAppender>(engine_, handle);
  }
  std::unique_ptr<Reader> OpenReader(std::string_view topic, std::uint32_t partition, Status* status) const override {
    std::uint8_t code = 0;
    tw_reader* handle = table().open_reader(table().log, TextOf(topic), partition, &code);
    if (status != nullptr) *status = static_cast<Status>(code);
    return handle == nullptr ? nullptr : std::make_unique<ImportedReader>(engine_, handle);
  }
  std::unique_ptr<Waiter> OpenWaiter() const override {
    tw_waiter* handle = table().open_waiter(table().log);
    return handle == nullptr ? nullptr : std::make_unique<ImportedWaiter>(engine_, handle);
  }
  Status Describe(std::string_view topic, std::uint32_t partition, PartitionInfo* out) const override {
    tw_partition info = {};
    const auto status = static_cast<Status>(table().describe(table().log, TextOf(topic), partition, &info));
    if (status == Status::kOk) *out = {info.begin_offset, info.end_offset, info.bytes, info.segments, info.ts_recv_newest};
    return status;
  }
  std::unique_ptr<Group> JoinGroup(const GroupOptions& options, std::string* error) override {
    return JoinImportedGroup(engine_, options, error);
  }
  std::optional<std::uint64_t> Committed(const std::string& group, const std::string& topic,
                                         std::uint32_t partition) const override {
    std::uint64_t offset = 0;
    if (table().committed(table().log, TextOf(group), TextOf(topic), partition, &offset) == 0) return std::nullopt;
    return offset;
  }

 private:
  const tw_engine& table() const { return engine_->table; }

  const EnginePtr engine_;
  const std::string id_;
  const std::string directory_;
};

}  // namespace

std::shared_ptr<Log> ImportEngine(const tw_engine* engine, std::string* error) {
  // The version first: under another one even `size` could mean something else.
  if (engine->version != TW_ENGINE_VERSION) {
    *error = "the engine speaks version " + std::to_string(engine->version) + " of the engine table, this build version " +
             std::to_string(TW_ENGINE_VERSION) + "; build both addons from one commit";
    return nullptr;
  }
  if (engine->size < sizeof(tw_engine)) {
    *error = "the engine's table has " + std::to_string(engine->size) + " bytes, this build needs " +
             std::to_string(sizeof(tw_engine)) + "; build both addons from one commit";
    return nullptr;
  }
  return std::make_shared<ImportedLog>(std::make_shared<const Engine>(engine));
}

}  // namespace tw::journal
