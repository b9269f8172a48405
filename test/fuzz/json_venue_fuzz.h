// What the fuzzers of the JSON venues share: the input is cut into frames at newlines and fed to a whole session.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "feed/venue_feed.h"

namespace tw::feed {

#define TW_FUZZ_CHECK(condition)                                           \
  do {                                                                     \
    if (!(condition)) {                                                    \
      std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                        \
    }                                                                      \
  } while (false)

// Keeps no records; checks what every record must satisfy.
class CheckingSink : public RecordSink {
 public:
  bool Push(const void* record, std::size_t size) override {
    const auto* header = static_cast<const Header*>(record);
    TW_FUZZ_CHECK(size == RecordSize(header->type));
    ++records;
    return records % 97 != 0;  // A full ring now and then.
  }
  std::size_t records = 0;
};

inline FeedInstrument* ListOnSight(void* context, std::string_view venue_symbol);

// One table for all runs: it is 8 MB. An id is a function of the name, so that a run does not depend on those before it but for
// names that collide, which stay unknown.
inline InstrumentTable& FuzzTable() {
  static InstrumentTable table;
  return table;
}

struct FuzzSession {
  CheckingSink sink;
  Session session{{.epoch = 1'700'000'000}, &sink};
  std::unique_ptr<VenueFeed> feed;

  explicit FuzzSession(std::string_view venue) {
    session.set_list_on_sight(&ListOnSight, this);
    feed = MakeVenueFeed(venue, {.depth_levels = 10, .book_levels = true, .bars = true}, &session);
  }
  void Frame(std::string_view frame, std::uint64_t at) {
    // Its own allocation, so that a read beyond the frame shows.
    const std::vector<std::uint8_t> bytes(frame.begin(), frame.end());
    session.BeginFrame(1'700'000'000'000'000'000 + at * 1'000'000);
    feed->OnFrame(bytes, at % 5 == 0 ? FrameKind::kRest : FrameKind::kText,
                  at % 3 == 0 ? "https://x/depth?symbol=BTCUSDT&limit=5" : "");
    if (at % 11 == 10) {
      session.NewEpoch(1'700'000'000 + static_cast<std::uint32_t>(at));
      feed->OnReconnect();
    }
    feed->TakeRequests();
  }
};

inline FeedInstrument* ListOnSight(void* context, std::string_view venue_symbol) {
  auto* self = static_cast<FuzzSession*>(context);
  if (venue_symbol.empty() || venue_symbol.size() > 40 || self->session.instruments().size() >= 50) return nullptr;
  const std::uint32_t n = Murmur2(venue_symbol) & 0xfff;
  const Instrument* added = FuzzTable().Add({.id = 0x01000001 + n,
                                             .price_exponent = static_cast<std::int8_t>(n % 3 == 0 ? -2 : -8),
                                             .size_exponent = static_cast<std::int8_t>(n % 3 == 0 ? 0 : -8),
                                             .symbol = std::string(venue_symbol)});
  return added == nullptr ? nullptr : self->session.AddInstrument(added, venue_symbol, 0);
}

template <class Each>
void ForEachFrame(const std::uint8_t* data, std::size_t size, Each each) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  for (std::size_t n = 0; n < 64; ++n) {
    const std::size_t end = rest.find('\n');
    each(rest.substr(0, end), n);
    if (end == std::string_view::npos) return;
    rest.remove_prefix(end + 1);
  }
}

}  // namespace tw::feed
