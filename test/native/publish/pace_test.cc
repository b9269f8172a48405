// When the records that a replicator holds back go out.
#include "publish/pace.h"

#include <gtest/gtest.h>

#include "publish/flight.h"

namespace tw::publish {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

TEST(Pace, NothingInFlightWaitsForNothing) {
  const Pace pace(1000);
  EXPECT_EQ(pace.HoldNs(0, 0), 0u);
  EXPECT_EQ(pace.HoldNs(0, 3 * kMs), 0u);
}

TEST(Pace, RecordsGatherUntilAnAcknowledgementWithinBounds) {
  const Pace pace(1000);
  EXPECT_EQ(pace.HoldNs(1, 0), Pace::kAgeNsMin);
  EXPECT_EQ(pace.HoldNs(1, kMs), 2 * kMs);
  EXPECT_EQ(pace.HoldNs(7, kMs), 2 * kMs);
  EXPECT_EQ(pace.HoldNs(1, 50 * kMs), Pace::kAgeNsMax);
}

TEST(Pace, AboveTheBudgetAnIdlePartitionWaitsToo) {
  Pace pace(1000);
  std::uint64_t now_ns = kMs;
  const auto send = [&](int messages) {
    for (int i = 0; i < messages; ++i) pace.Sent(now_ns += 100 * kMs / messages);
  };
  send(400);  // 4,000/s.
  const std::uint64_t held = pace.HoldNs(0, 0);
  EXPECT_GT(held, Pace::kAgeNsMin);
  EXPECT_EQ(pace.HoldNs(1, 0), held);
  for (int i = 0; i < 10; ++i) send(400);
  EXPECT_EQ(pace.HoldNs(0, 0), Pace::kAgeNsMax);
  for (int i = 0; i < 20; ++i) send(20);  // 200/s, under half of it.
  EXPECT_EQ(pace.HoldNs(0, 0), 0u);
}

TEST(Flight, KnowsHowLongAnAcknowledgementTakes) {
  Flight flight(0);
  const auto acknowledge = [&](std::uint64_t sent_ns, std::uint64_t took_ns) {
    Parcel* parcel = flight.Open(1, 1, sent_ns);
    parcel->pieces.fetch_add(1);
    flight.Close(parcel);
    EXPECT_TRUE(flight.Acknowledge(parcel, sent_ns + took_ns));
  };
  EXPECT_EQ(flight.ack_ns(), 0u);
  acknowledge(kMs, 4 * kMs);
  EXPECT_EQ(flight.ack_ns(), 4 * kMs);
  for (int i = 0; i < 100; ++i) acknowledge(kMs, kMs);
  EXPECT_NEAR(static_cast<double>(flight.ack_ns()), kMs, kMs / 100);
  EXPECT_EQ(flight.size(), 0u);
}

}  // namespace
}  // namespace tw::publish
