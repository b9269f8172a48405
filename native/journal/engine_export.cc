#include "journal/engine_export.h"

#include <utility>

#include "journal/engine_export_parts.h"

namespace tw::journal {
namespace {

tw_topic TopicOf(const TopicOptions& options) {
  return {TextOf(options.name),    options.segment_bytes, options.retention_ms,
          options.retention_bytes, options.partitions,    options.compact};
}

void Retain(void* log) { static_cast<ExportedLog*>(log)->references.fetch_add(1, std::memory_order_relaxed); }
void Release(void* log) {
  if (static_cast<ExportedLog*>(log)->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
    Guarded([&] { delete static_cast<ExportedLog*>(log); });
}

tw_text Id(void* log) { return TextOf(LogOf(log).id()); }
tw_text Directory(void* log) { return TextOf(LogOf(log).directory()); }
void TopicId(void* log, tw_text topic, tw_buffer* out) {
  if (out != nullptr) out->size = 0;
  Guarded([&] { Write(LogOf(log).TopicId(ViewOf(topic)), out); });
}

std::uint8_t EnsureTopic(void* log, const tw_topic* topic, tw_buffer* error) {
  return Guarded(kFailed, [&] {
    TopicOptions options;
    options.name = ViewOf(topic->name);
    options.partitions = topic->partitions;
    options.segment_bytes = topic->segment_bytes;
    options.retention_ms = topic->retention_ms;
    options.retention_bytes = topic->retention_bytes;
    options.compact = topic->compact != 0;
    std::string text;
    const Status status = LogOf(log).EnsureTopic(options, &text);
    Write(text, error);
    return Code(status);
  });
}

int FindTopic(void* log, tw_text name, tw_topic* out) {
  return Guarded(0, [&] {
    TopicOptions found;
    if (!LogOf(log).FindTopic(ViewOf(name), &found)) return 0;
    const tw_text kept = out->name;
    *out = TopicOf(found);
    out->name = kept;
    return 1;
  });
}

void ListTopics(void* log, tw_on_topic on_topic, void* context) {
  Guarded([&] {
    for (const TopicOptions& options : LogOf(log).ListTopics()) {
      const tw_topic topic = TopicOf(options);
      on_topic(context, &topic);
    }
  });
}

std::uint8_t Describe(void* log, tw_text topic, std::uint32_t partition, tw_partition* out) {
  return Guarded(kFailed, [&] {
    PartitionInfo info;
    const Status status = LogOf(log).Describe(ViewOf(topic), partition, &info);
    *out = {info.begin_offset, info.end_offset, info.bytes, info.ts_recv_newest, info.segments};
    return Code(status);
  });
}

int Committed(void* log, tw_text group, tw_text topic, std::uint32_t partition, std::uint64_t* out) {
  return Guarded(0, [&] {
    const auto offset = LogOf(log).Committed(std::string(ViewOf(group)), std::string(ViewOf(topic)), partition);
    if (!offset.has_value()) return 0;
    *out = *offset;
    return 1;
  });
}

}  // namespace

const tw_engine* ExportEngine(std::shared_ptr<Log> log) {
  auto* exported = new ExportedLog{{}, std::move(log)};
  tw_engine* table = &exported->table;
  table->size = sizeof(tw_engine);
  table->version = TW_ENGINE_VERSION;
  table->log = exported;
  table->retain = Retain;
  table->release = Release;
  table->id = Id;
  table->directory = Directory;
  table->topic_id = TopicId;
  table->ensure_topic = EnsureTopic;
  table->find_topic = FindTopic;
  table->list_topics = ListTopics;
  table->describe = Describe;
  table->committed = Committed;
  AddObjects(table);
  AddGroups(table);
  return table;
}

}  // namespace tw::journal
