// Where records of an instrument stand: by the symbol's hash, or in a partition of its own.
#include <gtest/gtest.h>

#include "batch/route.h"

namespace tw::batch {
namespace {

std::string Symbol(int i) { return "SYM" + std::to_string(i); }

TEST(Placement, WithoutDedicatedPartitionsItIsKafkasOwn) {
  const Placement placement(7, {});
  ASSERT_TRUE(placement.valid());
  for (int i = 0; i < 1000; ++i) {
    const std::uint32_t hash = KeyHash(Symbol(i));
    ASSERT_EQ(placement.Of(hash), hash % 7);
  }
}

TEST(Placement, ADedicatedPartitionHoldsItsSymbolAndNoOther) {
  const Placement placement(4, {{"BTCUSDT", 2}, {"ETHUSDT", 0}});
  EXPECT_EQ(placement.Of(KeyHash("BTCUSDT")), 2u);
  EXPECT_EQ(placement.Of(KeyHash("ETHUSDT")), 0u);
  int seen[4] = {};
  for (int i = 0; i < 1000; ++i) ++seen[placement.Of(KeyHash(Symbol(i)))];
  EXPECT_EQ(seen[0] + seen[2], 0);
  EXPECT_GT(seen[1], 300);
  EXPECT_GT(seen[3], 300);
}

TEST(Placement, WhatIsOutOfRangeIsNobodysOwnAndNothingLeftIsRefused) {
  EXPECT_EQ(Placement(2, {{"A", 9}}), Placement(2, {}));
  EXPECT_FALSE(Placement(1, {{"A", 0}}).valid());
  EXPECT_NE(Placement(2, {{"A", 0}}), Placement(2, {{"A", 1}}));
}

}  // namespace
}  // namespace tw::batch
