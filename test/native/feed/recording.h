// Recorded sessions for tests: gzip lines, and a registry that lists instruments on sight.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

#include "feed/vector_sink.h"
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

struct Outcome {
  std::size_t trades = 0, quotes = 0, depths = 0, gaps = 0;
  SessionStats stats;
  BookStats books;
};

inline Outcome Replay(const char* venue, std::initializer_list<const char*> files) {
  InstrumentTable table;
  VectorSink sink;
  Session session({.epoch = 1'723'161'253}, &sink);
  TestListing listing{&table, &session, -8, -8};
  session.set_list_on_sight(&TestListing::List, &listing);
  const auto feed = MakeVenueFeed(venue, {.depth_levels = 5, .book_levels = true}, &session);
  for (const char* file : files) {
    ForEachRecordedLine(file, [&](std::string_view line) { FeedRecordedLine(line, &session, feed.get()); });
  }
  session.Finish();
  Outcome out;
  out.trades = sink.count(RecordType::kTrade);
  out.quotes = sink.count(RecordType::kQuote);
  out.depths = sink.count(RecordType::kDepth5);
  out.gaps = sink.count(RecordType::kGap);
  out.stats = session.stats();
  out.books = feed->book_stats();
  std::printf(
      "%s: %zu frames, %zu trades, %zu quotes, %zu depth images, %zu gaps, %zu book checks, %zu mismatches, %zu resyncs, %zu "
      "fallbacks\n",
      files.begin()[0], static_cast<std::size_t>(out.stats.frames), out.trades, out.quotes, out.depths, out.gaps,
      static_cast<std::size_t>(out.books.checks), static_cast<std::size_t>(out.books.mismatches),
      static_cast<std::size_t>(out.books.resyncs), static_cast<std::size_t>(out.stats.reasons[Reason::kScannerFallback]));
  for (std::size_t i = 1; i < kReasonCount; ++i) {
    const Reason reason = static_cast<Reason>(i);
    if (out.stats.reasons[reason] != 0)
      std::printf("  %s: %zu\n", ReasonName(reason), static_cast<std::size_t>(out.stats.reasons[reason]));
  }
  return out;
}

}  // namespace tw::feed
