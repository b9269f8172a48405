// Any bytes as WebSocket frames: no crash, no message over the limit, and split anywhere gives the same events as whole.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "fanout/command.h"
#include "fanout/ws_frame.h"

namespace {

constexpr std::size_t kLimit = 1024;

struct Recorder : tw::fanout::FrameSink {
  std::string events;
  void Add(char kind, std::string_view bytes) {
    if (bytes.size() > kLimit) std::abort();
    events += kind;
    events += std::to_string(bytes.size());
    events += bytes;
  }
  void OnMessage(tw::fanout::Opcode opcode, std::string_view bytes) override {
    Add(opcode == tw::fanout::Opcode::kText ? 't' : 'b', bytes);
    tw::fanout::Command command;
    tw::fanout::CommandError error;
    if (opcode == tw::fanout::Opcode::kText) (void)tw::fanout::ParseCommand(bytes, &command, &error);
  }
  void OnPing(std::string_view bytes) override { Add('i', bytes); }
  void OnPong(std::string_view bytes) override { Add('o', bytes); }
  void OnClose(std::uint16_t code, std::string_view bytes) override { Add('c', std::to_string(code) + std::string(bytes)); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t step = 1 + data[0] % 17;
  // Half of the inputs are taken as a control message itself: random masks seldom make JSON.
  if (data[0] >= 128) {
    tw::fanout::Command command;
    tw::fanout::CommandError error;
    (void)tw::fanout::ParseCommand({reinterpret_cast<const char*>(data + 1), size - 1}, &command, &error);
    return 0;
  }
  ++data;
  --size;
  Recorder whole;
  tw::fanout::FrameReader reader(kLimit);
  const auto error = reader.Feed(data, size, &whole);
  Recorder split;
  tw::fanout::FrameReader pieces(kLimit);
  for (std::size_t at = 0; at < size; at += step) (void)pieces.Feed(data + at, step < size - at ? step : size - at, &split);
  if (pieces.error() != error || split.events != whole.events) std::abort();
  return 0;
}
