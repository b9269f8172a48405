#include "bars/ownership.h"

#include <time.h>

#include <algorithm>

namespace tw::bars {
namespace {

class Fixed final : public Ownership {
 public:
  Fixed(const std::vector<InputTopic>& inputs, const std::vector<std::uint32_t>& partitions) {
    for (std::uint16_t input = 0; input < inputs.size(); ++input) {
      for (std::uint32_t p = 0; p < inputs[input].partitions; ++p) {
        if (partitions.empty() || std::find(partitions.begin(), partitions.end(), p) != partitions.end()) lanes_.push_back({input, p, 1});
      }
    }
  }
  void Poll(Changes* changes) override {
    if (given_) return;
    given_ = true;
    changes->assigned = lanes_;
  }
  bool Owns(const LaneId&) const override { return true; }
  journal::Status Commit(const LaneId&, std::uint64_t) override { return journal::Status::kOk; }
  void Release(const LaneId&) override {}
  void Leave() override {}

 private:
  std::vector<LaneId> lanes_;
  bool given_ = false;
};

std::uint64_t MonotonicNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
}

class Grouped final : public Ownership {
 public:
  Grouped(std::unique_ptr<journal::Group> group, std::function<std::uint64_t()> now)
      : group_(std::move(group)), now_(now ? std::move(now) : MonotonicNs) {}
  void Poll(Changes* changes) override {
    constexpr std::uint64_t kHeartbeatNs = 200'000'000;
    const std::uint64_t now = now_();
    if (last_ != 0 && now - last_ < kHeartbeatNs) return;
    last_ = now;
    changes_.Clear();
    group_->Tick(&changes_);
    auto add = [](const std::vector<journal::Assignment>& from, std::vector<LaneId>* to) {
      for (const journal::Assignment& a : from) to->push_back({static_cast<std::uint16_t>(a.topic), a.partition, a.generation});
    };
    add(changes_.assigned, &changes->assigned);
    add(changes_.revoked, &changes->revoked);
    add(changes_.lost, &changes->lost);
  }
  bool Owns(const LaneId& lane) const override { return group_->Check(Of(lane)) == journal::Status::kOk; }
  journal::Status Commit(const LaneId& lane, std::uint64_t offset) override { return group_->Commit(Of(lane), offset); }
  void Release(const LaneId& lane) override { group_->Release(Of(lane)); }
  void Leave() override { group_->Leave(); }

 private:
  static journal::Assignment Of(const LaneId& lane) { return {lane.input, lane.partition, lane.generation}; }
  std::unique_ptr<journal::Group> group_;
  std::function<std::uint64_t()> now_;
  std::uint64_t last_ = 0;
  journal::Group::Changes changes_;
};

}  // namespace

std::unique_ptr<Ownership> FixedOwnership(const std::vector<InputTopic>& inputs, const std::vector<std::uint32_t>& partitions) {
  return std::make_unique<Fixed>(inputs, partitions);
}

std::unique_ptr<Ownership> GroupOwnership(journal::Log* log, const journal::GroupOptions& options, std::string* error) {
  std::unique_ptr<journal::Group> group = log->JoinGroup(options, error);
  return group == nullptr ? nullptr : std::make_unique<Grouped>(std::move(group), options.now_ns);
}

}  // namespace tw::bars
