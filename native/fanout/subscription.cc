#include "fanout/subscription.h"

#include <algorithm>

#include "fanout/ws_frame.h"

namespace tw::fanout {
namespace {

constexpr const char* kTypeNames[kRecordTypeMax + 1] = {"none",    "trade", "quote", "ticker",    "index",  "depth5", "depth10", "depth20",
                                                        "level", "bar",   "chain_row", "greeks", "gap",    "clock",   "status"};
constexpr const char* kBasisNames[] = {"none", "trade", "ticker", "bid", "ask", "mid", "bar"};

void AppendStream(const StreamKey& key, std::string* out) {
  const auto basis = static_cast<std::size_t>(key.basis);
  *out += "\"instrumentId\":" + std::to_string(key.instrument_id) + ",\"type\":\"" + kTypeNames[static_cast<std::size_t>(key.type)] +
          "\",\"source\":" + std::to_string(key.source);
  if (key.type == RecordType::kBar) {
    *out += ",\"intervalMs\":" + std::to_string(key.interval_ms) + ",\"basis\":\"" + (basis < std::size(kBasisNames) ? kBasisNames[basis] : "unknown") + "\"";
  }
}

void AppendPosition(const char* name, std::uint64_t position, std::string* out) {
  *out += std::string(",\"") + name + "\":{\"epoch\":" + std::to_string(position >> 32) + ",\"seq\":" + std::to_string(position & 0xffffffffu) + "}";
}

void AppendAccounts(const Accounts& a, std::string* out) {
  *out += "\"offered\":" + std::to_string(a.offered) + ",\"delivered\":" + std::to_string(a.delivered) + ",\"conflated\":" + std::to_string(a.conflated) +
          ",\"dropped\":" + std::to_string(a.dropped);
}

}  // namespace

void Delivery::Announce(Subscription* subscription, Outbox* outbox) {
  if (subscription->announced == subscription->group->announced()) return;
  ChunkRef chunk = pool_->Take();
  subscription->group->AppendAnnouncement(subscription->announced, instruments_, &chunk->bytes);
  subscription->announced = subscription->group->announced();
  outbox->Push(std::move(chunk), Lane::kSnapshot);
}

void Delivery::Hold(Subscription* subscription, const Chunk* chunk) {
  subscription->held = true;
  if (subscription->mode != Mode::kConflate) return;
  const auto& members = subscription->group->members();
  subscription->sent.resize(members.size());
  for (std::size_t i = 0; i < members.size(); ++i) subscription->sent[i] = members[i]->count;
  if (chunk == nullptr) return;
  // The streams have counted the chunk's records already; the client has not had them.
  for (const Share& share : chunk->shares) subscription->sent[share.member] -= share.count;
}

bool Delivery::Deliver(Subscription* subscription, const ChunkRef& chunk, Outbox* outbox, const ClientLimits& limits) {
  subscription->accounts.offered += chunk->records;
  totals_->offered += chunk->records;
  if (!subscription->held) {
    const std::size_t waiting = outbox->bytes(Lane::kLive);
    if (waiting == 0 || waiting + chunk->bytes.size() <= limits.client_bytes_max) {
      Announce(subscription, outbox);
      outbox->Push(chunk, Lane::kLive);
      subscription->accounts.delivered += chunk->records;
      totals_->delivered += chunk->records;
      return true;
    }
    Hold(subscription, &*chunk);
  }
  if (subscription->mode == Mode::kConflate) return true;
  for (const Share& share : chunk->shares) {
    auto& missed = subscription->missed[share.member];
    if (missed.count == 0) missed.first = share.first;
    missed.count += share.count;
    missed.last = share.last;
    missed.gap_records += share.gap_records;
    missed.lost += share.lost;
    subscription->lost[share.member].dropped += share.count;
  }
  subscription->accounts.dropped += chunk->records;
  totals_->dropped += chunk->records;
  return subscription->overflow == Overflow::kDrop;
}

ChunkRef Delivery::Encode(const Subscription& subscription, FrameKind kind, std::uint64_t now_ns) {
  ChunkRef chunk = pool_->Take();
  const Topic& topic = *subscription.group->topic();
  const FrameMeta meta{.kind = kind, .topic = topic.number(), .subscription = subscription.number, .topic_name = topic.name()};
  for (auto& records : buckets_) {
    if (records.empty()) continue;
    chunk->records += records.size();
    chunk->frames += encoder_->AppendRecords(subscription.group->filter().format, meta, records, 0, now_ns, &chunk->bytes);
    records.clear();
  }
  return chunk;
}

bool Delivery::Snapshot(Subscription* subscription, std::uint32_t last, std::uint64_t now_ns, Outbox* outbox, const ClientLimits& limits) {
  std::size_t estimate = outbox->bytes(Lane::kSnapshot);
  const std::size_t expansion = subscription->group->filter().format == Format::kJson ? 6 : 1;  // JSON of a record is up to 6 times its bytes.
  for (const Stream* stream : subscription->group->members()) {
    estimate += std::min<std::size_t>(stream->kept(), last) * stream->record_words * 8 * expansion;
  }
  if (estimate > limits.snapshot_bytes_max) return false;
  std::size_t records = 0;
  for (const Stream* stream : subscription->group->members()) {
    for (std::size_t i = std::min<std::size_t>(stream->kept(), last); i > 0; --i) {
      const Header* value = stream->Value(i - 1);
      buckets_[static_cast<std::size_t>(value->type)].push_back(value);
      ++records;
    }
    if (stream->gap_after_value) {
      buckets_[static_cast<std::size_t>(RecordType::kGap)].push_back(&stream->gap.header);
      ++records;
    }
  }
  Announce(subscription, outbox);
  if (records == 0) return true;
  subscription->accounts.snapshots += records;
  totals_->snapshots += records;
  outbox->Push(Encode(*subscription, FrameKind::kSnapshot, now_ns), Lane::kSnapshot);
  return true;
}

void Delivery::FlushNotices(Subscription* subscription, Outbox* outbox) {
  if (subscription->missed.empty()) return;
  ChunkRef chunk = pool_->Take();
  std::string text;
  std::size_t in_frame = 0;
  const auto finish = [&] {
    if (in_frame == 0) return;
    text += "]}";
    AppendFrame(Opcode::kText, text, &chunk->bytes);
    in_frame = 0;
  };
  for (const auto& [member, missed] : subscription->missed) {
    if (in_frame == 0) {
      text = "{\"op\":\"gap\",\"subscription\":" + std::to_string(subscription->number) + ",\"topic\":\"" + subscription->group->topic()->name() + "\",\"gaps\":[";
    } else {
      text += ',';
    }
    text += '{';
    AppendStream(subscription->group->members()[member]->key, &text);
    AppendPosition("first", missed.first, &text);
    AppendPosition("last", missed.last, &text);
    text += ",\"count\":" + std::to_string(missed.count);
    if (missed.gap_records != 0) text += ",\"gapRecords\":" + std::to_string(missed.gap_records) + ",\"lost\":" + std::to_string(missed.lost);
    text += '}';
    ++subscription->accounts.gap_notices;
    ++totals_->gap_notices;
    if (++in_frame == 256) finish();
  }
  finish();
  subscription->missed.clear();
  outbox->Push(std::move(chunk), Lane::kSnapshot);
}

bool Delivery::FlushValues(Subscription* subscription, std::uint64_t now_ns, Outbox* outbox, const ClientLimits& limits) {
  const auto& members = subscription->group->members();
  for (std::size_t i = subscription->sent.size(); i < members.size(); ++i) subscription->sent.push_back(subscription->group->joined(i));
  const std::size_t expansion = subscription->group->filter().format == Format::kJson ? 6 : 1;
  std::size_t room = limits.client_bytes_max > outbox->bytes(Lane::kLive) ? limits.client_bytes_max - outbox->bytes(Lane::kLive) : 0;
  bool all = true;
  std::uint64_t delivered = 0;
  std::uint64_t conflated = 0;
  const std::size_t start = members.empty() ? 0 : subscription->next_member % members.size();
  for (std::size_t i = 0; i < members.size(); ++i) {
    const std::size_t member = (start + i) % members.size();
    const Stream& stream = *members[member];
    const std::uint64_t missed = stream.count - subscription->sent[member];
    if (missed == 0) continue;
    std::uint64_t over = missed;
    if (stream.value_count > subscription->sent[member]) {
      const std::size_t bytes = stream.record_words * 8 * expansion + 256;
      if (bytes > room && (delivered > 0 || outbox->bytes(Lane::kLive) > 0)) {
        all = false;
        subscription->next_member = member;
        break;
      }
      room -= std::min(room, bytes);
      buckets_[static_cast<std::size_t>(stream.key.type)].push_back(stream.Value(0));
      ++delivered;
      --over;
    }
    subscription->sent[member] = stream.count;
    conflated += over;
    if (over > 0) subscription->lost[static_cast<std::uint32_t>(member)].conflated += over;
  }
  subscription->accounts.conflated += conflated;
  totals_->conflated += conflated;
  if (delivered > 0) {
    Announce(subscription, outbox);
    subscription->accounts.delivered += delivered;
    totals_->delivered += delivered;
    outbox->Push(Encode(*subscription, FrameKind::kConflated, now_ns), Lane::kLive);
  }
  return all;
}

bool Delivery::Flush(Subscription* subscription, std::uint64_t now_ns, Outbox* outbox, const ClientLimits& limits) {
  if (!subscription->held) return true;
  if (outbox->bytes(Lane::kLive) > limits.client_bytes_max / 4) return false;
  if (subscription->mode == Mode::kAll) {
    FlushNotices(subscription, outbox);
  } else if (!FlushValues(subscription, now_ns, outbox, limits)) {
    return false;
  }
  if (subscription->interval_ms != 0) return true;
  subscription->held = false;
  subscription->sent.clear();
  subscription->sent.shrink_to_fit();
  return true;
}

void Delivery::AppendStats(const Subscription& subscription, bool streams, std::string* out) const {
  const auto& members = subscription.group->members();
  *out += "{\"subscription\":" + std::to_string(subscription.number) + ",\"topic\":\"" + subscription.group->topic()->name() + "\",";
  AppendAccounts(subscription.accounts, out);
  *out += ",\"gapNotices\":" + std::to_string(subscription.accounts.gap_notices) + ",\"snapshotRecords\":" + std::to_string(subscription.accounts.snapshots);
  if (streams) {
    *out += ",\"streams\":[";
    for (std::size_t i = 0; i < members.size(); ++i) {
      const auto lost = subscription.lost.find(static_cast<std::uint32_t>(i));
      Accounts a;
      a.offered = members[i]->count - (i < subscription.base.size() ? subscription.base[i] : subscription.group->joined(i));
      if (lost != subscription.lost.end()) {
        a.conflated = lost->second.conflated;
        a.dropped = lost->second.dropped;
      }
      a.delivered = a.offered - a.conflated - a.dropped;
      *out += i == 0 ? "{" : ",{";
      AppendStream(members[i]->key, out);
      *out += ',';
      AppendAccounts(a, out);
      *out += '}';
    }
    *out += ']';
  }
  *out += '}';
}

}  // namespace tw::fanout
