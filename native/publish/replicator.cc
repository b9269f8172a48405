#include "publish/replicator.h"

#include <map>
#include <utility>

#include "kafka/names.h"
#include "publish/merge_writer.h"
#include "ring/wall_clock.h"

namespace tw::publish {
namespace {

constexpr std::uint32_t kTailsMs = 30'000;
constexpr std::uint64_t kAnchorOffsets = 8192;

class ReplicatorFactory final : public WriterFactory {
 public:
  ReplicatorFactory(std::shared_ptr<journal::Log> log, ReplicatorOptions options, std::shared_ptr<WriterCounters> counters)
      : log_(std::move(log)),
        options_(std::move(options)),
        counters_(std::move(counters)),
        pace_(std::make_shared<Pace>(options_.messages_per_s_max)) {}

  bool Make(Producer* producer, std::span<LaneStart> lanes, const std::function<bool()>& beat, std::string* error) override {
    std::map<std::string, bool> checked;
    std::vector<TailOf> tails;
    for (const LaneStart& lane : lanes) {
      const std::string name = kafka::KafkaName(lane.topic);
      if (!std::exchange(checked[name], true)) {
        if (!SamePartitions(producer, lane, name, beat, error)) return false;
      }
      TailOf& of = tails.emplace_back();
      of.topic = name;
      of.partition = static_cast<std::int32_t>(lane.partition);
      of.anchor = AnchorOf(lane);
    }
    if (!ReadTails(options_.producer.properties, tails, 2 * static_cast<std::int64_t>(kParcelsMax), kTailsMs, beat, error))
      return false;
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      LaneStart& lane = lanes[i];
      journal::TopicOptions topic;
      MergeOptions merge;
      merge.records_max = options_.records_max;
      merge.compact = log_->FindTopic(lane.topic, &topic) && topic.compact;
      merge.wall_ns = options_.wall_ns;
      lane.writer = std::make_unique<MergeWriter>(producer, producer->TopicOf(tails[i].topic), tails[i].partition, lane.flight,
                                                  pace_, counters_, merge, std::move(tails[i].tail), lane.position, lane.end);
    }
    return true;
  }

 private:
  static bool SamePartitions(Producer* producer, const LaneStart& lane, const std::string& name,
                             const std::function<bool()>& beat, std::string* error) {
    const std::uint32_t there = PartitionsOf(producer->handle(), *producer->TopicOf(name), beat, error);
    if (there == 0 || there == lane.partitions) return there != 0;
    *error = "topic " + lane.topic + " has " + std::to_string(lane.partitions) + " partitions in the local log and " + name +
             " has " + std::to_string(there) +
             " in Kafka; fix: give both the same engine_partitions in config/topics.yaml and run tickwire topics apply";
    return false;
  }

  // The last record before the position: it was acknowledged, so it stands in Kafka.
  std::optional<Anchor> AnchorOf(const LaneStart& lane) const {
    journal::Status status = journal::Status::kOk;
    const auto reader = log_->OpenReader(lane.topic, lane.partition, &status);
    if (reader == nullptr || lane.position == 0) return std::nullopt;
    if (reader->SeekOffset(lane.position > kAnchorOffsets ? lane.position - kAnchorOffsets : 0) != journal::Status::kOk)
      return std::nullopt;
    std::optional<Anchor> anchor;
    journal::MessageView message;
    while (reader->position() < lane.position) {
      status = reader->Next(&message);
      if (status == journal::Status::kSkipped || status == journal::Status::kExpired) continue;
      if (status != journal::Status::kOk || message.offset >= lane.position) break;
      wire::BatchView batch;
      if (message.kind != journal::Kind::kBatch || wire::BatchView::Parse(message.value, &batch) != wire::BatchError::kNone)
        continue;
      if (batch.size() == 0 || !HasStream(batch.info().type)) continue;
      const Header* last = batch[batch.size() - 1];
      anchor = Anchor{StreamOf(last), last->position()};
    }
    return anchor;
  }

  const std::shared_ptr<journal::Log> log_;
  const ReplicatorOptions options_;
  const std::shared_ptr<WriterCounters> counters_;
  const std::shared_ptr<Pace> pace_;
};

}  // namespace

std::unique_ptr<Publisher> MakeReplicator(std::shared_ptr<journal::Log> log, ReplicatorOptions options) {
  if (!options.wall_ns) options.wall_ns = [] { return ring::ReadClockNs(CLOCK_REALTIME); };
  PublisherOptions publisher;
  publisher.topics = options.topics;
  publisher.group = options.group;
  publisher.durable = true;
  publisher.thread_name = "tw-replicate";
  // Messages are batches already, of 16 KB when full: within the profile's 32 KB each would go alone.
  options.producer.properties.try_emplace("batch.size", "1000000");
  publisher.producer = options.producer;
  publisher.commit_ms = options.commit_ms;
  publisher.stop_ms = options.stop_ms;
  publisher.now_ns = options.now_ns;
  auto counters = std::make_shared<WriterCounters>();
  auto factory = std::make_unique<ReplicatorFactory>(log, std::move(options), counters);
  return std::make_unique<Publisher>(std::move(log), std::move(publisher), std::move(counters), std::move(factory));
}

}  // namespace tw::publish
