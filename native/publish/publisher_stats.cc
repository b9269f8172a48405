// What a publisher tells of itself.
#include <map>
#include <utility>

#include "publish/lane.h"
#include "publish/publisher.h"

namespace tw::publish {

PublisherStats Publisher::stats() const {
  PublisherStats stats;
  {
    const std::lock_guard lock(mutex_);
    stats = published_;
  }
  stats.messages = counters_.messages.load(std::memory_order_relaxed);
  stats.bytes = counters_.bytes.load(std::memory_order_relaxed);
  stats.acknowledged = counters_.acknowledged.load(std::memory_order_relaxed);
  stats.failed = counters_.failed.load(std::memory_order_relaxed);
  stats.producers = counters_.producers.load(std::memory_order_relaxed);
  stats.batch_bytes = counters_.batch_bytes.load(std::memory_order_relaxed);
  stats.batch_messages = counters_.batch_messages.load(std::memory_order_relaxed);
  stats.ack_ns_p50 = counters_.ack_ns.Percentile(0.5);
  stats.ack_ns_p99 = counters_.ack_ns.Percentile(0.99);
  stats.age_ns_p50 = counters_.age_ns.Percentile(0.5);
  stats.age_ns_p99 = counters_.age_ns.Percentile(0.99);
  stats.records = writer_counters_->records.load(std::memory_order_relaxed);
  stats.repeats = writer_counters_->repeats.load(std::memory_order_relaxed);
  stats.unknown_instrument = writer_counters_->unknown_instrument.load(std::memory_order_relaxed);
  stats.bad = writer_counters_->bad.load(std::memory_order_relaxed);
  const std::lock_guard lock(counters_.mutex);
  stats.errors = counters_.errors;
  if (stats.error.empty()) stats.error = counters_.last_error;
  return stats;
}

void Publisher::Publish() {
  std::map<std::uint32_t, TopicLag> topics;
  for (const auto& lane : lanes_) {
    TopicLag& topic = topics[lane->assignment.topic];
    topic.topic = options_.topics[lane->assignment.topic];
    ++topic.partitions;
    if (lane->flight == nullptr || lane->reader == nullptr) continue;
    const std::uint64_t end = lane->reader->end_offset();
    const std::uint64_t acknowledged = lane->flight->acknowledged();
    topic.lag += end > acknowledged ? end - acknowledged : 0;
    topic.in_flight += lane->flight->size();
  }
  const std::uint32_t in_flight = producer_ == nullptr ? 0 : producer_->in_flight();
  bool error = !blocked_.empty();
  // An idle connection that a broker closes is an error to librdkafka and none to us.
  if (!error && in_flight != 0) {
    const std::lock_guard lock(counters_.mutex);
    error = !counters_.last_error.empty();
  }
  const std::lock_guard lock(mutex_);
  published_.state = error ? State::kBlocked : State::kRunning;
  published_.error = blocked_;
  published_.in_flight = in_flight;
  published_.lost_offsets = lost_offsets_;
  published_.topics.clear();
  for (auto& [index, topic] : topics) published_.topics.push_back(std::move(topic));
}

}  // namespace tw::publish
