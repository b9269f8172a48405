// Any records in any order, and any bytes as saved state: no crash, and a save and restore between two records changes no bar.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "bars/aggregator.h"

namespace {

class Collect final : public tw::bars::BarSink {
 public:
  void OnBar(const tw::Bar& bar) override { bars.push_back(bar); }
  std::vector<tw::Bar> bars;
};

tw::bars::Options MakeOptions() {
  tw::bars::Options options;
  options.intervals_ms = {1'000, 60'000};
  options.bases = 0xff & ~1u;
  options.parts_interval_ms = 1'000;
  options.nodes_max = 64;
  return options;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  tw::bars::Options options = MakeOptions();
  if (!tw::bars::CheckOptions(options).empty()) options.bases = tw::bars::BasisBit(tw::BarBasis::kTrade);
  Collect whole;
  Collect split;
  tw::bars::Aggregator one(options, &whole);
  if ((data[0] & 1) != 0) {  // Hostile state.
    one.Restore({data + 1, size - 1});
    return 0;
  }
  auto two = std::make_unique<tw::bars::Aggregator>(options, &split);
  const std::size_t cut = data[1] % 16;
  std::size_t at = 2;
  std::uint64_t offset = 0;
  std::vector<std::uint8_t> state;
  while (at < size) {
    const auto type = static_cast<tw::RecordType>(data[at] % (tw::kRecordTypeMax + 1));
    const std::size_t bytes = tw::RecordSize(type);
    ++at;
    if (bytes == 0) continue;
    if (at + bytes > size) break;
    alignas(8) std::uint8_t record[tw::kRecordSizeMax];
    std::memcpy(record, data + at, bytes);
    reinterpret_cast<tw::Header*>(record)->type = type;
    at += bytes;
    one.OnRecord(record, {offset, 0, 0});
    two->OnRecord(record, {offset, 0, 0});
    if (++offset % 16 == cut) {
      two->Save(&state);
      auto restored = std::make_unique<tw::bars::Aggregator>(options, &split);
      if (!restored->Restore(state).empty()) std::abort();
      two = std::move(restored);
    }
  }
  if (whole.bars.size() != split.bars.size()) std::abort();
  if (!whole.bars.empty() && std::memcmp(whole.bars.data(), split.bars.data(), whole.bars.size() * sizeof(tw::Bar)) != 0) std::abort();
  return 0;
}
