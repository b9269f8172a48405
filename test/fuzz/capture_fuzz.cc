// Any bytes into every capture reader: whole and cut in two give the same frames.
#include <cstdlib>
#include <string>

#include "feed/capture.h"

namespace {

struct Digest : tw::feed::CaptureHandler {
  void Mix(std::uint64_t value) { state = (state ^ value) * 0x9e3779b97f4a7c15ull + 1; }
  void Mix(const void* data, std::size_t size) {
    Mix(size);
    for (std::size_t i = 0; i < size; ++i) Mix(static_cast<const std::uint8_t*>(data)[i]);
  }
  void OnOpening(const tw::feed::CaptureOpening& opening) override {
    Mix(opening.ts_recv), Mix(opening.epoch), Mix(opening.venue.data(), opening.venue.size());
  }
  void OnFrame(const tw::feed::CaptureFrame& frame) override {
    Mix(frame.ts_recv), Mix(static_cast<std::uint64_t>(frame.kind));
    Mix(frame.about.data(), frame.about.size()), Mix(frame.bytes.data(), frame.bytes.size());
  }
  void OnSkipped(tw::Reason reason) override { Mix(static_cast<std::uint64_t>(reason)); }
  std::uint64_t state = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const auto format = static_cast<tw::feed::CaptureFormat>(1 + data[0] % 5);
  const std::span<const std::uint8_t> bytes(data + 3, size - 3);
  const std::size_t cut = bytes.empty() ? 0 : (data[1] | (data[2] << 8)) % (bytes.size() + 1);
  (void)tw::feed::DetectCapture(bytes);
  Digest whole, parts;
  tw::feed::MakeCaptureReader(format, &whole)->Feed(bytes, true);
  auto reader = tw::feed::MakeCaptureReader(format, &parts);
  reader->Feed(bytes.first(cut), false);
  reader->Feed(bytes.subspan(cut), true);
  if (whole.state != parts.state) std::abort();
  return 0;
}
