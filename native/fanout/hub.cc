#include "fanout/hub.h"

#include <algorithm>

#include "fanout/ws_frame.h"

namespace tw::fanout {
namespace {

constexpr std::size_t kTopicsMax = 4096;
constexpr std::size_t kStatsWaitingMax = 8;

void AppendId(const Command& command, std::string* out) {
  if (!command.id.empty()) *out += ",\"id\":" + command.id;
}

bool IsTopicName(std::string_view name) {
  if (name.empty() || name.size() > 200) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

}  // namespace

Hub::Hub(const HubOptions& options, const InstrumentTable& instruments)
    : options_(options),
      instruments_(instruments),
      chunk_bytes_max_(std::clamp<std::size_t>(options.client.client_bytes_max / 4, 4096, options.frame_bytes_max)),
      encoder_(instruments, options.frame_bytes_max),
      delivery_(instruments, &encoder_, &pool_, &accounts_) {}

Hub::~Hub() { clients_.clear(); }

Topic* Hub::AddTopic(std::string_view name) {
  if (Topic* known = FindTopic(name)) return known;
  if (!IsTopicName(name) || topics_.size() >= kTopicsMax) return nullptr;
  const auto number = static_cast<std::uint16_t>(topics_.size() + 1);
  topics_.push_back(std::make_unique<Topic>(std::string(name), number, options_.bar_history, instruments_, &encoder_, &pool_));
  return topics_.back().get();
}

Topic* Hub::FindTopic(std::string_view name) const {
  for (const auto& topic : topics_) {
    if (topic->name() == name) return topic.get();
  }
  return nullptr;
}

std::vector<std::string> Hub::TopicNames() const {
  std::vector<std::string> names;
  for (const auto& topic : topics_) names.push_back(topic->name());
  return names;
}

Client* Hub::Connect() {
  auto client = std::make_unique<Client>();
  Client* made = client.get();
  clients_.emplace(made, std::move(client));
  return made;
}

void Hub::Disconnect(Client* client) {
  const std::uint64_t unsent = client->outbox.UnsentRecords();
  accounts_.delivered -= unsent;
  accounts_.dropped += unsent;
  while (!client->subscriptions_.empty()) Unsubscribe(client, client->subscriptions_.begin()->second.get());
  std::erase_if(waiting_, [&](const Waiting& waiting) { return waiting.client == client; });
  if (client->dirty_) std::erase(dirty_, client);
  clients_.erase(client);
}

void Hub::Close(Client* client, std::uint16_t code, std::string_view reason) {
  if (client->close_code != 0) return;
  client->close_code = code;
  client->close_reason = reason;
  const std::uint64_t dropped = client->outbox.DropUnsent();
  accounts_.delivered -= dropped;
  accounts_.dropped += dropped;
  MarkDirty(client);
}

void Hub::MarkDirty(Client* client) {
  if (client->dirty_) return;
  client->dirty_ = true;
  dirty_.push_back(client);
}

void Hub::TakeDirty(std::vector<Client*>* out) {
  for (Client* client : dirty_) client->dirty_ = false;
  out->assign(dirty_.begin(), dirty_.end());
  dirty_.clear();
}

void Hub::PushFrames(Client* client, std::string_view frames) {
  ChunkRef chunk = pool_.Take();
  chunk->bytes = frames;
  chunk->frames = 1;
  client->outbox.Push(std::move(chunk), Lane::kControl);
  MarkDirty(client);
  if (client->outbox.bytes(Lane::kControl) > options_.client.control_bytes_max) Close(client, 1008, "too many answers waiting");
}

void Hub::PushControl(Client* client, std::string_view text) {
  std::string frame;
  AppendFrame(Opcode::kText, text, &frame);
  PushFrames(client, frame);
}

void Hub::Refuse(Client* client, const Command& command, const CommandError& error) {
  ++refused_commands_;
  std::string text = "{\"op\":\"error\"";
  AppendId(command, &text);
  text += ",\"field\":";
  AppendJsonString(error.field, &text);
  text += ",\"message\":";
  AppendJsonString(error.message, &text);
  text += ",\"valid\":[";
  for (std::size_t i = 0; i < error.valid.size(); ++i) {
    if (i != 0) text += ',';
    AppendJsonString(error.valid[i], &text);
  }
  text += "]}";
  PushControl(client, text);
}

void Hub::OnText(Client* client, std::string_view text, std::uint64_t now_ns) {
  if (client->close_code != 0) return;
  Command command;
  CommandError error;
  if (!ParseCommand(text, &command, &error)) return Refuse(client, command, error);
  std::string answer;
  switch (command.op) {
    case Op::kPing:
      answer = "{\"op\":\"pong\"";
      AppendId(command, &answer);
      return PushControl(client, answer + "}");
    case Op::kTopics:
      answer = "{\"op\":\"topics\"";
      AppendId(command, &answer);
      answer += ",\"topics\":[";
      for (const auto& topic : topics_) {
        if (topic != topics_.front()) answer += ',';
        answer += "{\"name\":\"" + topic->name() + "\",\"topicNumber\":" + std::to_string(topic->number()) +
                  ",\"streams\":" + std::to_string(topic->streams().size()) + ",\"records\":" + std::to_string(topic->counters.records) + "}";
      }
      return PushControl(client, answer + "]}");
    case Op::kStats:
      if (FlushAll(client, now_ns, true) && client->stats_waiting_.empty()) return AnswerStats(client, command);
      if (client->stats_waiting_.size() >= kStatsWaitingMax) return Refuse(client, command, {"op", "too many stats wait for this client to read", {}});
      client->stats_waiting_.push_back(command);
      return;
    case Op::kUnsubscribe: {
      const auto found = client->subscriptions_.find(static_cast<std::uint16_t>(command.subscription));
      if (found == client->subscriptions_.end()) {
        std::vector<std::string> valid;
        for (const auto& [number, subscription] : client->subscriptions_) valid.push_back(std::to_string(number));
        return Refuse(client, command, {"subscription", "no such subscription", valid});
      }
      answer = "{\"op\":\"unsubscribed\"";
      AppendId(command, &answer);
      answer += ",\"subscription\":" + std::to_string(command.subscription) + ",\"final\":";
      // What is held is lost to it by its own wish and counted so.
      Subscription* subscription = found->second.get();
      delivery_.Flush(subscription, now_ns, &client->outbox, options_.client);
      Settle(subscription);
      delivery_.AppendStats(*subscription, false, &answer);
      Unsubscribe(client, subscription);
      return PushControl(client, answer + "}");
    }
    case Op::kSubscribe: {
      Topic* topic = FindTopic(command.topic);
      if (topic == nullptr) return Refuse(client, command, {"topic", "no such topic", TopicNames()});
      if (client->subscriptions_.size() >= options_.client.subscriptions_max) {
        return Refuse(client, command, {"op", "at most " + std::to_string(options_.client.subscriptions_max) + " subscriptions", {"unsubscribe"}});
      }
      if (topic->live) return Subscribe(client, command, now_ns);
      const auto mine = std::count_if(waiting_.begin(), waiting_.end(), [&](const Waiting& w) { return w.client == client; });
      if (static_cast<std::size_t>(mine) >= options_.client.subscriptions_max) return Refuse(client, command, {"op", "too many subscriptions wait", {}});
      waiting_.push_back({client, std::move(command)});
      return;
    }
  }
}

void Hub::Subscribe(Client* client, const Command& command, std::uint64_t now_ns) {
  Topic* topic = FindTopic(command.topic);
  Group* group = topic->FindOrMakeGroup({command.format, command.symbols, command.intervals_ms});
  auto owned = std::make_unique<Subscription>();
  Subscription* subscription = owned.get();
  while (client->next_number_ == 0 || client->subscriptions_.contains(client->next_number_)) ++client->next_number_;
  subscription->number = client->next_number_++;
  subscription->client = client;
  subscription->group = group;
  subscription->mode = command.mode;
  subscription->overflow = command.overflow;
  subscription->interval_ms = command.interval_ms;
  for (const Stream* stream : group->members()) subscription->base.push_back(stream->count);

  std::string answer = "{\"op\":\"subscribed\"";
  AppendId(command, &answer);
  answer += ",\"subscription\":" + std::to_string(subscription->number) + ",\"topic\":\"" + topic->name() + "\",\"topicNumber\":" +
            std::to_string(topic->number()) + ",\"format\":\"" + (command.format == Format::kBinary ? "binary" : "json") + "\",\"mode\":\"" +
            (command.mode == Mode::kAll ? "all" : "conflate") + "\",\"streams\":" + std::to_string(group->members().size()) + "}";
  // The answer goes first; when the snapshot is refused it is taken back by an error, so the size is asked before.
  Outbox before;
  if (command.snapshot) {
    Outbox snapshot;
    if (!delivery_.Snapshot(subscription, command.last, now_ns, &snapshot, options_.client) ||
        snapshot.bytes(Lane::kSnapshot) + client->outbox.bytes(Lane::kSnapshot) > options_.client.snapshot_bytes_max) {
      topic->DropGroupIfEmpty(group);
      return Refuse(client, command, {"last", "the snapshot is too large for what waits already: ask for fewer symbols, intervals or bars, or read first", {}});
    }
    before = std::move(snapshot);
  }
  PushControl(client, answer);
  client->outbox.Append(std::move(before));
  PushControl(client, "{\"op\":\"live\",\"subscription\":" + std::to_string(subscription->number) +
                          ",\"snapshotRecords\":" + std::to_string(subscription->accounts.snapshots) + "}");
  group->subscriptions.push_back(subscription);
  client->subscriptions_.emplace(subscription->number, std::move(owned));
  ++subscription_count_;
  if (subscription->interval_ms != 0) {
    delivery_.Hold(subscription, nullptr);
    // Staggered, so that ten thousand clients are not due in one instant.
    const std::uint64_t interval_ns = subscription->interval_ms * 1'000'000ull;
    Schedule(subscription, now_ns + interval_ns / 16 + (subscription_count_ * 0x9e3779b97f4a7c15ull >> 32) % interval_ns);
  }
}

void Hub::Settle(Subscription* subscription) {
  Accounts& a = subscription->accounts;
  const std::uint64_t held = a.offered - a.delivered - a.conflated - a.dropped;
  a.dropped += held;
  accounts_.dropped += held;
}

void Hub::Unsubscribe(Client* client, Subscription* subscription) {
  Unschedule(subscription);
  Settle(subscription);
  Group* group = subscription->group;
  std::erase(group->subscriptions, subscription);
  group->topic()->DropGroupIfEmpty(group);
  client->subscriptions_.erase(subscription->number);
  --subscription_count_;
}

void Hub::AnswerStats(Client* client, const Command& command) {
  std::string answer = "{\"op\":\"stats\"";
  AppendId(command, &answer);
  answer += ",\"bytesWaiting\":" + std::to_string(client->outbox.total_bytes()) + ",\"subscriptions\":[";
  bool first = true;
  for (const auto& [number, subscription] : client->subscriptions_) {
    if (!first) answer += ',';
    first = false;
    delivery_.AppendStats(*subscription, command.streams, &answer);
  }
  PushControl(client, answer + "]}");
}

bool Hub::FlushAll(Client* client, std::uint64_t now_ns, bool intervals_too) {
  bool all = true;
  for (const auto& [number, subscription] : client->subscriptions_) {
    if (!subscription->held || (subscription->interval_ms != 0 && !intervals_too)) continue;
    all = delivery_.Flush(subscription.get(), now_ns, &client->outbox, options_.client) && all;
  }
  if (!client->outbox.empty()) MarkDirty(client);
  return all;
}

void Hub::OnDrained(Client* client, std::uint64_t now_ns) {
  if (client->close_code != 0) return;
  const bool waiting = !client->stats_waiting_.empty();
  if (!FlushAll(client, now_ns, waiting) || !waiting) return;
  for (const Command& command : client->stats_waiting_) AnswerStats(client, command);
  client->stats_waiting_.clear();
}

void Hub::Emit(Group* group, const ChunkRef& chunk) {
  for (Subscription* subscription : group->subscriptions) {
    Client* client = subscription->client;
    if (!delivery_.Deliver(subscription, chunk, &client->outbox, options_.client)) {
      Close(client, 1013, "too slow: more waited than the limit allows");
    }
    if (!subscription->held) MarkDirty(client);
  }
}

void Hub::Take(Topic* topic, std::uint16_t partition, std::uint64_t offset, std::span<const std::uint8_t> bytes,
               const wire::BatchView& batch) {
  topic->Take(partition, offset, bytes, batch, chunk_bytes_max_, [this](Group* group, const ChunkRef& chunk) { Emit(group, chunk); });
}

void Hub::Take(Topic* topic, std::uint16_t partition, std::uint64_t offset, std::span<const std::uint8_t> bytes) {
  wire::BatchView batch;
  const wire::BatchError error = wire::BatchView::Parse(bytes, &batch);
  if (error != wire::BatchError::kNone) return topic->CountBad(error);
  Take(topic, partition, offset, bytes, batch);
}

void Hub::EndBurst() {
  for (const auto& topic : topics_) topic->Flush([this](Group* group, const ChunkRef& chunk) { Emit(group, chunk); });
}

void Hub::OnHole(Topic* topic, std::uint32_t partition, std::uint64_t from, std::uint64_t to) {
  topic->counters.lost_offsets += to - from;
  const std::string text = "{\"op\":\"hole\",\"topic\":\"" + topic->name() + "\",\"partition\":" + std::to_string(partition) + ",\"from\":\"" +
                           std::to_string(from) + "\",\"to\":\"" + std::to_string(to) + "\"}";
  for (const auto& [key, client] : clients_) {
    const auto& all = client->subscriptions_;
    if (std::any_of(all.begin(), all.end(), [&](const auto& s) { return s.second->group->topic() == topic; })) PushControl(client.get(), text);
  }
}

void Hub::SetLive(Topic* topic, std::uint64_t now_ns) {
  if (topic->live) return;
  topic->live = true;
  std::vector<Waiting> ready;
  std::erase_if(waiting_, [&](Waiting& waiting) {
    if (waiting.command.topic != topic->name()) return false;
    ready.push_back(std::move(waiting));
    return true;
  });
  for (const Waiting& waiting : ready) Subscribe(waiting.client, waiting.command, now_ns);
}

void Hub::Schedule(Subscription* subscription, std::uint64_t due_ns) {
  subscription->due_ns = due_ns;
  schedule_.emplace(due_ns, subscription);
}

void Hub::Unschedule(Subscription* subscription) {
  const auto [from, to] = schedule_.equal_range(subscription->due_ns);
  for (auto it = from; it != to; ++it) {
    if (it->second != subscription) continue;
    schedule_.erase(it);
    return;
  }
}

void Hub::Tick(std::uint64_t now_ns) {
  while (!schedule_.empty() && schedule_.begin()->first <= now_ns) {
    Subscription* subscription = schedule_.begin()->second;
    schedule_.erase(schedule_.begin());
    Client* client = subscription->client;
    if (client->close_code == 0) {
      delivery_.Flush(subscription, now_ns, &client->outbox, options_.client);
      if (!client->outbox.empty()) MarkDirty(client);
    }
    const std::uint64_t interval_ns = subscription->interval_ms * 1'000'000ull;
    const std::uint64_t next = subscription->due_ns + interval_ns;
    Schedule(subscription, next > now_ns ? next : now_ns + interval_ns);
  }
}

}  // namespace tw::fanout
