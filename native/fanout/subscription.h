// One subscription of one client: what it was offered and what became of it, exactly.
// offered = delivered + conflated + dropped + what is still held (nothing, once the client has drained and been flushed).
//   pass   every chunk of the group goes into the client's outbox;
//   held   the outbox is over its limit, or the subscription has an interval: nothing is queued. Mode conflate remembers, per
//          stream, how many records the client is current with and takes the newest value when there is room; mode all
//          counts what it drops and says so in a gap notice before the stream goes on.
#pragma once
#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "fanout/command.h"
#include "fanout/outbox.h"
#include "fanout/topic.h"

namespace tw::fanout {

class Client;

// Totals of a gateway, of a client, or of one subscription.
struct Accounts {
  std::uint64_t offered = 0;
  std::uint64_t delivered = 0;
  std::uint64_t conflated = 0;
  std::uint64_t dropped = 0;
  std::uint64_t gap_notices = 0;
  std::uint64_t snapshots = 0;  // Records of snapshots; outside the sum.
};

// What limits one client.
struct ClientLimits {
  std::size_t client_bytes_max = 1 << 20;    // Live records waiting.
  std::size_t snapshot_bytes_max = 8 << 20;  // Snapshots waiting; announcements and gap notices go with them.
  std::size_t control_bytes_max = 256 << 10;
  std::size_t subscriptions_max = 64;
};

struct Subscription {
  std::uint16_t number = 0;
  Client* client = nullptr;
  Group* group = nullptr;
  Mode mode = Mode::kAll;
  Overflow overflow = Overflow::kDrop;
  std::uint32_t interval_ms = 0;
  std::uint64_t due_ns = 0;  // With an interval: when the next values go.
  bool held = false;
  std::uint32_t announced = 0;  // Instruments of the group the client knows.
  std::size_t next_member = 0;  // Where an interrupted flush goes on.
  Accounts accounts;
  std::vector<std::uint64_t> base;  // Stream::count at the time of subscribing, by member.
  std::vector<std::uint64_t> sent;  // While held and conflating: Stream::count the client is current with.
  struct Missed {
    std::uint64_t count = 0;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint64_t gap_records = 0;  // Among count; `lost` is what the engine's own of them stand for.
    std::uint64_t lost = 0;
  };
  std::unordered_map<std::uint32_t, Missed> missed;  // While held and dropping, by member.
  struct Lost {
    std::uint64_t conflated = 0;
    std::uint64_t dropped = 0;
  };
  std::unordered_map<std::uint32_t, Lost> lost;  // Per stream, for good; only streams that lost something.
};

// The rules above, without sockets or clocks.
class Delivery {
 public:
  Delivery(const InstrumentTable& instruments, Encoder* encoder, ChunkPool* pool, Accounts* totals)
      : instruments_(instruments), encoder_(encoder), pool_(pool), totals_(totals) {}

  // One chunk of the subscription's group. False: the policy is to end the connection.
  bool Deliver(Subscription* subscription, const ChunkRef& chunk, Outbox* outbox, const ClientLimits& limits);
  // The newest values of every stream asked for. False: it would pass snapshot_bytes_max; nothing was pushed.
  bool Snapshot(Subscription* subscription, std::uint32_t last, std::uint64_t now_ns, Outbox* outbox, const ClientLimits& limits);
  // Called when there may be room: conflated values and gap notices as far as they fit. True: nothing is held any more
  // (a subscription with an interval stays held, but is current).
  bool Flush(Subscription* subscription, std::uint64_t now_ns, Outbox* outbox, const ClientLimits& limits);
  // The accounts of every stream, for the stats answer.
  void AppendStats(const Subscription& subscription, bool streams, std::string* out) const;
  void Hold(Subscription* subscription, const Chunk* chunk);

 private:
  using Buckets = std::array<std::vector<const Header*>, kRecordTypeMax + 1>;
  void Announce(Subscription* subscription, Outbox* outbox);
  void FlushNotices(Subscription* subscription, Outbox* outbox);
  bool FlushValues(Subscription* subscription, std::uint64_t now_ns, Outbox* outbox, const ClientLimits& limits);
  ChunkRef Encode(const Subscription& subscription, FrameKind kind, std::uint64_t now_ns);

  const InstrumentTable& instruments_;
  Encoder* const encoder_;
  ChunkPool* const pool_;
  Accounts* const totals_;
  Buckets buckets_;
};

}  // namespace tw::fanout
