// ring.spsc: 64-byte records from one thread to another, against boost::lockfree::spsc_queue of the same capacity.
#include <pthread.h>
#include <sched.h>

#include <boost/lockfree/spsc_queue.hpp>
#include <thread>

#include "bench.h"
#include "ring/spsc_ring.h"

namespace {

constexpr std::size_t kCapacity = 4096;

// Producer and consumer on a core each, the same for both sides: a scheduler that puts both on one measures itself.
void PinTo(unsigned core) {
  if (std::thread::hardware_concurrency() < 2) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

tw::Trade MakeTrade(std::uint64_t i) {
  tw::Trade trade{};
  trade.header.type = tw::RecordType::kTrade;
  trade.header.seq = static_cast<std::uint32_t>(i);
  trade.price = static_cast<std::int64_t>(i * 3);
  return trade;
}

tw::bench::Run Ours(std::uint64_t count) {
  tw::ring::SpscRing ring(kCapacity);
  std::thread producer([&] {
    PinTo(1);
    tw::Trade trade = MakeTrade(0);
    for (std::uint64_t i = 0; i < count; ++i) {
      trade.header.seq = static_cast<std::uint32_t>(i);
      trade.price = static_cast<std::int64_t>(i * 3);
      while (!ring.TryPush(&trade, sizeof trade)) {
      }
    }
  });
  std::uint64_t hash = 0;
  std::uint64_t seen = 0;
  while (seen < count) {
    seen += ring.Drain(256, [&](const tw::Header* header) {
      hash = tw::bench::Mix(hash, static_cast<std::uint64_t>(reinterpret_cast<const tw::Trade*>(header)->price) + header->seq);
    });
  }
  producer.join();
  return {count, hash};
}

tw::bench::Run Theirs(std::uint64_t count) {
  boost::lockfree::spsc_queue<tw::Trade, boost::lockfree::capacity<kCapacity>> queue;
  std::thread producer([&] {
    PinTo(1);
    tw::Trade trade = MakeTrade(0);
    for (std::uint64_t i = 0; i < count; ++i) {
      trade.header.seq = static_cast<std::uint32_t>(i);
      trade.price = static_cast<std::int64_t>(i * 3);
      while (!queue.push(trade)) {
      }
    }
  });
  std::uint64_t hash = 0;
  std::uint64_t seen = 0;
  // consume_all is its fastest way out: no copy per element, one index store per call.
  while (seen < count) {
    seen += queue.consume_all([&](const tw::Trade& trade) { hash = tw::bench::Mix(hash, static_cast<std::uint64_t>(trade.price) + trade.header.seq); });
  }
  producer.join();
  return {count, hash};
}

}  // namespace

int main() {
  PinTo(0);
  const auto count = static_cast<std::uint64_t>(40e6 * tw::bench::Scale()) + 1000;
  return tw::bench::Compare("ring.spsc", "boost::lockfree::spsc_queue", true, [&] { return Ours(count); }, [&] { return Theirs(count); });
}
