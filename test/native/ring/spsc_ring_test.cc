#include "ring/spsc_ring.h"

#include <gtest/gtest.h>

#include <thread>

namespace tw::ring {
namespace {

TEST(SpscRing, MixedSizesKeepOrderAndContents) {
  SpscRing ring(64);
  constexpr std::uint32_t kCount = 200'000;
  std::thread producer([&] {
    Depth20 record{};
    for (std::uint32_t i = 1; i <= kCount; ++i) {
      const RecordType type = i % 5 == 0 ? RecordType::kDepth20 : i % 3 == 0 ? RecordType::kTicker : RecordType::kTrade;
      record.header = Header{i, i, i, 1, i, type, 0, 0};
      std::memset(record.bids, static_cast<int>(i & 0xff), sizeof record.bids + sizeof record.asks);
      while (!ring.TryPush(&record, RecordSize(type))) std::this_thread::yield();
    }
  });
  std::uint32_t next = 1;
  bool intact = true;
  while (next <= kCount) {
    const std::size_t taken = ring.Drain(17, [&](const Header* header) {
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(header);
      intact = intact && header->seq == next;
      for (std::size_t at = sizeof(Header); at < RecordSize(header->type); at += 31)
        intact = intact && bytes[at] == (next & 0xff);
      ++next;
    });
    if (taken == 0) std::this_thread::yield();
    ASSERT_TRUE(intact) << next;
  }
  producer.join();
  EXPECT_EQ(ring.depth(), 0u);
}

TEST(SpscRing, FullIsAValue) {
  SpscRing ring(64);
  Trade trade{};
  trade.header.type = RecordType::kTrade;
  std::size_t taken = 0;
  while (ring.TryPush(&trade, sizeof trade)) ++taken;
  EXPECT_EQ(taken, ring.capacity());
  EXPECT_EQ(ring.Drain(1, [](const Header*) {}), 1u);
  EXPECT_TRUE(ring.TryPush(&trade, sizeof trade));
  EXPECT_FALSE(ring.TryPush(&trade, sizeof trade));
}

}  // namespace
}  // namespace tw::ring
