#include "batch/batcher.h"

#include <algorithm>
#include <cstdio>

#include "ring/wall_clock.h"

namespace tw::batch {
namespace {

constexpr std::size_t kDrainMax = 1024;  // Records of one ring before the others have their turn.
constexpr std::uint64_t kSleepNs = 100'000'000;

}  // namespace

Batcher::Batcher(std::shared_ptr<journal::Log> log, std::shared_ptr<InstrumentTable> instruments, const BatcherOptions& options)
    : log_(std::move(log)), instruments_(std::move(instruments)), options_(options) {
  options_.records_max = std::clamp<std::size_t>(options_.records_max, 1, 4096);
  if (!options_.now) options_.now = ring::WallNowNs;
  context_.log = log_.get();
  context_.origin = options_.origin;
  context_.records_max = options_.records_max;
  context_.now = options_.now;
  context_.pause = [this](std::uint64_t ns) { return Pause(ns); };
  context_.stats = &stats_;
}

Batcher::~Batcher() { Stop(); }

bool Batcher::AddRoute(const Route& route, std::string* error) {
  journal::TopicOptions topic;
  if (route.type >= DataType::kCount) {
    *error = "unknown data type";
    return false;
  }
  if (!log_->FindTopic(route.topic, &topic) || topic.partitions == 0) {
    *error = "topic " + route.topic + " does not exist in the log";
    return false;
  }
  auto outputs = std::make_unique<TopicOutputs>();
  outputs->topic = route.topic;
  outputs->partitions.resize(topic.partitions);
  outputs->placement = Placement(topic.partitions, route.dedicated);
  if (!outputs->placement.valid()) {
    *error = "every partition of " + route.topic + " is dedicated to a symbol";
    return false;
  }
  const std::lock_guard lock(mutex_);
  changes_.push_back(
      {.outputs = std::move(outputs), .exchange = route.exchange, .type = route.type, .attach = nullptr, .detach = nullptr});
  version_.fetch_add(1, std::memory_order_release);
  return true;
}

std::shared_ptr<ring::FeedRing> Batcher::Attach(const ring::FeedRingOptions& options) {
  auto ring = std::make_shared<ring::FeedRing>(options, wake_);
  {
    const std::lock_guard lock(mutex_);
    attached_.push_back(ring);
    changes_.push_back({.outputs = nullptr, .attach = ring, .detach = nullptr});
    version_.fetch_add(1, std::memory_order_release);
  }
  wake_->Notify();
  return ring;
}

void Batcher::Detach(const std::shared_ptr<ring::FeedRing>& ring) {
  {
    const std::lock_guard lock(mutex_);
    changes_.push_back({.outputs = nullptr, .attach = nullptr, .detach = ring});
    version_.fetch_add(1, std::memory_order_release);
  }
  wake_->Notify();
}

bool Batcher::detached(const std::shared_ptr<ring::FeedRing>& ring) const {
  const std::lock_guard lock(mutex_);
  return std::find(attached_.begin(), attached_.end(), ring) == attached_.end();
}

void Batcher::Start() {
  if (thread_.joinable() || stopping_.load()) return;
  running_.store(true, std::memory_order_release);
  thread_ = std::thread([this] { Run(); });
}

void Batcher::Stop() {
  {
    const std::lock_guard lock(pause_mutex_);
    stopping_.store(true, std::memory_order_release);
  }
  pause_.notify_all();
  wake_->Notify();
  if (thread_.joinable()) thread_.join();
  const std::lock_guard lock(mutex_);
  for (const auto& ring : attached_) ring->Close();
}

bool Batcher::Pause(std::uint64_t ns) {
  std::unique_lock lock(pause_mutex_);
  if (stopping_.load(std::memory_order_acquire)) return false;
  pause_.wait_for(lock, std::chrono::nanoseconds(ns), [this] { return stopping_.load(std::memory_order_acquire); });
  return true;  // Once more, even when stopping: the last try decides.
}

void Batcher::Run() {
  pthread_setname_np(pthread_self(), "tw-batcher");
  for (;;) {
    // Read before draining: what was pushed before Stop is seen by the drain that follows.
    const bool last = stopping_.load(std::memory_order_acquire);
    Refresh();
    if (DrainAll() != 0) {
      FlushAged();
      continue;
    }
    FlushAll();
    if (last) break;
    wake_->Arm();
    if (Idle()) wake_->Wait(kSleepNs);
    wake_->Disarm();
  }
  running_.store(false, std::memory_order_release);
}

bool Batcher::Idle() const {
  if (stopping_.load(std::memory_order_acquire) || version_.load(std::memory_order_acquire) != seen_version_) return false;
  return std::all_of(sources_.begin(), sources_.end(), [](const auto& source) { return source->ring->empty(); });
}

void Batcher::Refresh() {
  if (version_.load(std::memory_order_acquire) == seen_version_) return;
  const std::lock_guard lock(mutex_);
  seen_version_ = version_.load(std::memory_order_relaxed);
  for (Change& change : changes_) {
    if (change.outputs != nullptr) {
      auto& slot = routes_[change.exchange][static_cast<std::size_t>(change.type)];
      if (slot != nullptr && slot->topic == change.outputs->topic && slot->placement == change.outputs->placement) continue;
      if (slot != nullptr) FlushAll();  // The outputs of the old route go away; other routes' batches stay open.
      for (auto& source : sources_) source->clock_outputs.clear(), source->clock_known.clear();
      slot = std::move(change.outputs);
      for (auto& source : sources_) {
        for (const std::uint32_t id : source->listed) ListClocks(*source, id);
      }
    } else if (change.attach != nullptr) {
      sources_.push_back(std::make_unique<Source>());
      sources_.back()->ring = std::move(change.attach);
    } else {
      for (auto& source : sources_) source->detached = source->detached || source->ring == change.detach;
    }
  }
  changes_.clear();
}

std::size_t Batcher::DrainAll() {
  std::size_t taken = 0;
  bool ended = false;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    Source& from = *sources_[i];  // Take may find a new source, so no iterator is held.
    const bool live = from.ring->options().live;
    const std::uint64_t now = live && !from.ring->empty() ? options_.now() : 0;
    taken += from.ring->Drain(kDrainMax, [&](const Header* record) {
      if (live && now > record->ts_recv) from.ring->latency().Add(now - record->ts_recv);
      Take(from, record, live);
    });
    ended = ended || (from.detached && from.ring->empty());
  }
  if (ended) {
    FlushAll();
    const std::lock_guard lock(mutex_);
    std::erase_if(sources_, [this](const auto& source) {
      if (!source->detached || !source->ring->empty()) return false;
      source->ring->Close();
      std::erase(attached_, source->ring);
      return true;
    });
  }
  return taken;
}

Output* Batcher::OutputFor(std::uint8_t exchange, DataType type, std::uint32_t key_hash) {
  TopicOutputs* topic = routes_[exchange][static_cast<std::size_t>(type)].get();
  if (topic == nullptr) return nullptr;
  const std::uint32_t partition = topic->placement.Of(key_hash);
  auto& output = topic->partitions[partition];
  if (output == nullptr) [[unlikely]]
    output = std::make_unique<Output>(&context_, topic->topic, partition);
  return output.get();
}

Output* Batcher::OutputOf(std::uint32_t instrument_id, DataType type) {
  const Instrument* instrument = instruments_->Find(instrument_id);
  return instrument == nullptr ? nullptr : OutputFor(instrument->exchange(), type, instrument->key_hash);
}

void Batcher::Take(Source& source, const Header* record, bool live) {
  if (record->type == RecordType::kClock) return TakeClock(source, record, live);
  if (record->type == RecordType::kGap) return TakeGap(*reinterpret_cast<const Gap*>(record), live);
  const auto find = [&]() -> Output* {
    if (record->type == RecordType::kStatus)
      return OutputFor(reinterpret_cast<const Status*>(record)->exchange, DataType::kStatus, 0);
    const DataType type = DataTypeOf(record->type);
    return type == DataType::kCount ? nullptr : OutputOf(record->instrument_id, type);
  };
  Output* output = find();
  if (output == nullptr && version_.load(std::memory_order_acquire) != seen_version_) {
    Refresh();  // A route added since this pass began.
    output = find();
  }
  if (output == nullptr) [[unlikely]] {
    stats_.unrouted.Add();
    return;
  }
  Add(output, record, live);
}

void Batcher::Add(Output* output, const Header* record, bool live) {
  if (!output->listed) {
    output->listed = true;
    opened_.push_back(output);
  }
  output->Add(record, live);
}

void Batcher::TakeClock(Source& source, const Header* record, bool live) {
  AddListed(source);
  for (Output* output : source.clock_outputs) {
    Add(output, record, live);
    stats_.clocks.Add();
  }
}

void Batcher::TakeGap(const Gap& gap, bool live) {
  const DataType type = DataTypeOf(gap.of_type);
  Output* output = type == DataType::kCount ? nullptr : OutputOf(gap.header.instrument_id, type);
  if (output == nullptr) {
    stats_.unrouted.Add();
  } else {
    Add(output, &gap.header, live);
  }
  if (Output* copy = OutputOf(gap.header.instrument_id, DataType::kGaps)) {
    // The event id, told apart by the stream it belongs to and by version: the topic may be compacted.
    char key[80];
    std::snprintf(key, sizeof key, "x-%u-%u-%u-%u-%u-%u", gap.header.instrument_id, gap.header.source, gap.header.epoch,
                  gap.header.seq, static_cast<unsigned>(gap.of_type), gap.version);
    copy->AppendKeyed(&gap.header, key);
    stats_.gaps.Add();
  }
}

void Batcher::AddListed(Source& source) {
  if (!source.ring->HasListed()) [[likely]]
    return;
  for (const std::uint32_t id : source.ring->TakeListed()) {
    source.listed.push_back(id);
    ListClocks(source, id);
  }
}

void Batcher::ListClocks(Source& source, std::uint32_t instrument_id) {
  const std::uint32_t wanted =
      source.ring->options().data_types == 0 ? kStreamDataTypes : source.ring->options().data_types & kStreamDataTypes;
  for (std::size_t type = 0; type < kDataTypeCount; ++type) {
    if ((wanted & (1u << type)) == 0) continue;
    Output* output = OutputOf(instrument_id, static_cast<DataType>(type));
    if (output != nullptr && source.clock_known.insert(output).second) source.clock_outputs.push_back(output);
  }
}

void Batcher::FlushAged() {
  const std::uint64_t now = options_.now();
  std::size_t keep = 0;
  for (Output* output : opened_) {
    if (output->open() && now - output->opened_at() >= options_.age_max_ns) output->Flush();
    output->listed = output->open();
    if (output->listed) opened_[keep++] = output;
  }
  opened_.resize(keep);
  // A ring that gave nothing for longer than any batch stays open is written, however busy the others are.
  for (auto& source : sources_) {
    if (source->ring->drained() != source->drained) {
      source->drained = source->ring->drained();
      source->drained_at = now;
    } else if (now - source->drained_at > options_.age_max_ns) {
      source->ring->MarkFlushed();
    }
  }
}

void Batcher::FlushAll() {
  for (Output* output : opened_) {
    output->Flush();
    output->listed = false;
  }
  opened_.clear();
  for (auto& source : sources_) source->ring->MarkFlushed();
}

}  // namespace tw::batch
