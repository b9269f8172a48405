// Recorded sessions for tests: gzip lines, and a registry that lists instruments on sight.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "feed/venue_feed.h"

namespace tw::feed {

// The folder of recordings, or empty: the tests that need it skip then.
inline std::string SharedData() {
  if (const char* set = std::getenv("TW_SHARED_DATA"); set != nullptr && *set != '\0') return set;
  for (std::filesystem::path at = std::filesystem::current_path(); at != at.root_path(); at = at.parent_path()) {
    if (std::filesystem::is_directory(at / "shared" / "data")) return at / "shared" / "data";
  }
  return {};
}

template <class Each>
void ForEachRecordedLine(const std::string& file, Each each) {
  const std::string command = "gzip -dc '" + SharedData() + "/" + file + "'";
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return;
  char* line = nullptr;
  std::size_t capacity = 0;
  for (ssize_t size; (size = getline(&line, &capacity, pipe)) > 0;) {
    std::string_view text(line, static_cast<std::size_t>(size));
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
    if (!text.empty()) each(text);
  }
  std::free(line);
  pclose(pipe);
}

// Hands one line to the feed. "nanoseconds SPACE json", "seconds.fraction: json", "url -> seconds.fraction: json", or bare JSON.
inline void FeedRecordedLine(std::string_view line, Session* session, VenueFeed* feed) {
  std::string_view about;
  FrameKind kind = FrameKind::kText;
  if (line.substr(0, 4) == "http") {
    const std::size_t arrow = line.find(" -> ");
    if (arrow == std::string_view::npos) return;
    about = line.substr(0, arrow);
    line = line.substr(arrow + 4);
    kind = FrameKind::kRest;
  } else if (line.substr(0, 3) == "wss" || line.substr(0, 13) == "configuration") {
    return;
  }
  std::uint64_t ts_recv = 0;
  if (line[0] != '{') {
    const std::size_t json = line.find('{');
    if (json == std::string_view::npos) return;
    std::uint64_t whole = 0, fraction = 0, scale = 1'000'000'000;
    bool point = false;
    for (char c : line.substr(0, json)) {
      if (c == '.') point = true;
      if (c < '0' || c > '9') continue;
      if (point && scale > 1) fraction = fraction * 10 + static_cast<std::uint64_t>(c - '0'), scale /= 10;
      if (!point) whole = whole * 10 + static_cast<std::uint64_t>(c - '0');
    }
    ts_recv = point ? whole * 1'000'000'000 + fraction * scale : whole;
    line = line.substr(json);
  }
  session->BeginFrame(ts_recv);
  feed->OnFrame({reinterpret_cast<const std::uint8_t*>(line.data()), line.size()}, kind, about);
}

struct TestListing {
  InstrumentTable* table;
  Session* session;
  int price_exponent;
  int size_exponent;

  static FeedInstrument* List(void* context, std::string_view venue_symbol) {
    auto* self = static_cast<TestListing*>(context);
    Instrument instrument;
    instrument.id = 0x01000001 + static_cast<std::uint32_t>(self->session->instruments().size());
    instrument.price_exponent = static_cast<std::int8_t>(self->price_exponent);
    instrument.size_exponent = static_cast<std::int8_t>(self->size_exponent);
    instrument.symbol = venue_symbol;
    const Instrument* added = self->table->Add(instrument);
    return added == nullptr ? nullptr : self->session->AddInstrument(added, venue_symbol, 0);
  }
};

}  // namespace tw::feed
