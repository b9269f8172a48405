// How long records are held back so that a message carries several of them. A record goes out as soon as nothing of its partition
// is in flight; behind a message that is, records gather until it is acknowledged: one message more would wait in the broker instead,
// where a connection's requests are served one after the other. Never longer than 5 ms, and never shorter than the budget of messages
// allows.
#pragma once
#include <algorithm>
#include <cstdint>

namespace tw::publish {

class Pace {
 public:
  static constexpr std::uint64_t kAgeNsMin = 200'000;
  static constexpr std::uint64_t kAgeNsMax = 5'000'000;

  explicit Pace(std::uint32_t messages_per_s_max) : budget_(messages_per_s_max) {}

  void Sent(std::uint64_t now_ns) {
    ++messages_;
    if (since_ns_ == 0) since_ns_ = now_ns;
    const std::uint64_t passed = now_ns - since_ns_;
    if (passed < kWindowNs) return;
    const std::uint64_t per_s = messages_ * 1'000'000'000ull / passed;
    if (per_s > budget_) {
      age_ns_ = std::min(age_ns_ * 2, kAgeNsMax);
    } else if (per_s < budget_ / 2) {
      age_ns_ = std::max(age_ns_ / 2, kAgeNsMin);
    }
    messages_ = 0;
    since_ns_ = now_ns;
  }
  // Of the first record held. in_flight: parcels of its partition; ack_ns: what an acknowledgement takes.
  std::uint64_t HoldNs(std::uint32_t in_flight, std::uint64_t ack_ns) const {
    if (in_flight != 0) return std::clamp(kAcksAwaited * ack_ns, age_ns_, kAgeNsMax);
    // Above its shortest age the budget binds: an idle partition waits like the others.
    return age_ns_ == kAgeNsMin ? 0 : age_ns_;
  }

 private:
  static constexpr std::uint64_t kAcksAwaited = 2;  // One that takes longer than twice the mean is not waited for.
  static constexpr std::uint64_t kWindowNs = 50'000'000;

  std::uint64_t budget_;
  std::uint64_t age_ns_ = kAgeNsMin;
  std::uint64_t messages_ = 0;
  std::uint64_t since_ns_ = 0;
};

}  // namespace tw::publish
