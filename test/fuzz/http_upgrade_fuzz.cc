// Any bytes as a request head: no crash, bounds kept, and split anywhere gives the same answer as whole.
#include <cstdint>
#include <cstdlib>

#include "fanout/accept_key.h"
#include "fanout/http_request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::size_t step = 1 + data[0] % 31;
  ++data;
  --size;
  using tw::fanout::HttpReader;
  HttpReader whole;
  std::size_t used = 0;
  const auto state = whole.Feed(data, size, &used);
  if (used > size) std::abort();
  HttpReader pieces;
  std::size_t total = 0;
  auto piece_state = HttpReader::State::kMore;
  for (std::size_t at = 0; at < size && piece_state == HttpReader::State::kMore; at += step) {
    std::size_t taken = 0;
    piece_state = pieces.Feed(data + at, step < size - at ? step : size - at, &taken);
    total += taken;
  }
  if (piece_state != state || total != used || pieces.status() != whole.status()) std::abort();
  const auto& a = whole.request();
  const auto& b = pieces.request();
  if (a.path != b.path || a.host != b.host || a.key != b.key || a.origin != b.origin) std::abort();
  if (state == HttpReader::State::kDone) (void)tw::fanout::IsWebSocketKey(a.key);
  if (a.path.find('\n') != std::string::npos) std::abort();
  return 0;
}
