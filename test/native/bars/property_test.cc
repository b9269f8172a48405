// Random streams (late, early, repeated, holes, sessions, repairs, several sources and shards), against a slow obvious
// implementation that keeps every tick and computes each bar anew, and against every split.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <tuple>

#include "support.h"

namespace tw::bars {
namespace {

struct Slow {
  struct Interval {
    std::uint64_t end = 0;
    std::vector<Tick> ticks;
    std::vector<std::uint64_t> holes;
    bool open = false, cut = false, start_unseen = false;
    std::uint16_t version = 0;
  };
  struct Holed {
    std::uint64_t from, to, count;
  };
  struct One {  // One (instrument, source).
    std::uint32_t epoch = 0;
    StreamCursor live, repair;
    std::deque<Holed> holes;
    bool hole_open = false;
    std::map<std::uint32_t, std::map<std::uint64_t, Interval>> series;
    std::map<std::uint32_t, std::uint64_t> position;
  };
  Options options;
  std::uint64_t ts_max = 0;
  std::map<std::pair<std::uint32_t, std::uint8_t>, One> all;
  std::map<std::pair<std::uint8_t, std::uint16_t>, std::uint64_t> clocks;
  std::map<std::pair<std::uint8_t, std::uint32_t>, std::uint16_t> shard_of;
  std::vector<Bar> out;
  std::uint64_t offset = 0;
  std::uint16_t ordinal = 0;
  const Header* reading = nullptr;

  std::uint64_t Watermark() const { return ts_max > options.lateness_ns ? ts_max - options.lateness_ns : 0; }

  void Emit(std::pair<std::uint32_t, std::uint8_t> id, One& one, std::uint32_t ms, std::uint64_t start, Interval& in, BarReason reason) {
    if (in.ticks.empty()) return;
    std::vector<Tick> sorted = in.ticks;
    std::stable_sort(sorted.begin(), sorted.end(), [](const Tick& a, const Tick& b) { return a.ts < b.ts; });
    Bar bar{};
    std::uint64_t& position = one.position[ms];
    position = (position >> 32) == one.epoch ? position + 1 : (static_cast<std::uint64_t>(one.epoch) << 32) + 1;
    bar.header = {start, reading->ts_recv, static_cast<std::uint32_t>(position), one.epoch, id.first, RecordType::kBar, id.second,
                  static_cast<std::uint16_t>(in.version > 0 ? kFlagCorrection : 0)};
    bar.open = sorted.front().price;
    bar.close = sorted.back().price;
    bar.high = bar.low = bar.open;
    bar.buy_volume = kNoSize;
    bar.open_interest = kNoSize;
    __int128 turnover = 0;
    std::int64_t buys = 0;
    for (const Tick& tick : sorted) {
      bar.high = std::max(bar.high, tick.price);
      bar.low = std::min(bar.low, tick.price);
      bar.volume += tick.size;
      turnover += static_cast<__int128>(tick.price) * tick.size;
      ++bar.trades;
      if (tick.side == Side::kBuy) buys += tick.size;
      if (tick.side != Side::kUnknown) bar.buy_volume = 0;
      if (tick.position != 0) {
        bar.first = bar.first == 0 ? tick.position : std::min(bar.first, tick.position);
        bar.last = std::max(bar.last, tick.position);
      }
    }
    if (bar.buy_volume == 0) bar.buy_volume = buys;
    bar.turnover_low = static_cast<std::uint64_t>(turnover);
    bar.turnover_high = static_cast<std::int64_t>(turnover >> 64);
    bar.vwap = Vwap(turnover, bar.volume);
    bar.ts_end = in.end;
    bar.interval_ms = ms;
    for (const std::uint64_t count : in.holes) {
      ++bar.gaps;
      bar.completeness |= kBarGapInside;
      if (count == kUnknownCount) {
        bar.completeness |= kBarLossUnknown;
      } else {
        bar.lost += static_cast<std::uint32_t>(count);
      }
    }
    if (in.cut) bar.completeness |= kBarCut;
    if (in.start_unseen) bar.completeness |= kBarStartUnseen;
    bar.version = ++in.version;
    bar.basis = BarBasis::kTrade;
    bar.reason = reason;
    bar.cause = {offset, 0, ordinal++, 0};
    out.push_back(bar);
  }
  void Change(std::pair<std::uint32_t, std::uint8_t> id, One& one, std::uint32_t ms, std::uint64_t start, Interval& in, BarReason reason) {
    if (Watermark() >= in.end) {
      Emit(id, one, ms, start, in, reason);
    } else {
      in.open = true;
    }
  }
  static bool Touches(const Holed& hole, std::uint64_t start, std::uint64_t end) { return hole.from < end && hole.to >= start; }

  void Read(const AnyRecord& any) {
    reading = &any.header();
    ordinal = 0;
    const Header& h = any.header();
    const auto id = std::make_pair(h.instrument_id, static_cast<std::uint8_t>(h.source & 0x7f));
    const bool repair = h.source & 0x80;
    if (h.type == RecordType::kClock) {
      const auto& clock = *reinterpret_cast<const Clock*>(any.bytes);
      std::uint64_t& last = clocks[{h.source, clock.shard}];
      if (h.position() > last) {
        last = h.position();
        shard_of[{h.source, h.epoch}] = clock.shard;
        if ((h.flags & kFlagFinal) == 0) {
          ts_max = std::max(ts_max, h.ts_event);
        } else {
          using Key = std::tuple<std::uint32_t, std::uint32_t, std::uint8_t, std::uint64_t>;
          std::vector<Key> cut;
          for (auto& [of, one] : all) {
            const auto shard = shard_of.find({of.second, one.epoch});
            if (of.second != h.source) continue;
            const bool alone = std::none_of(clocks.begin(), clocks.end(), [&](const auto& known) {
              return known.first.first == h.source && known.first.second != clock.shard;
            });
            if (shard == shard_of.end() ? !alone : shard->second != clock.shard) continue;
            for (auto& [ms, intervals] : one.series) {
              for (auto& [start, in] : intervals) {
                if (in.open) cut.push_back({ms, of.first, of.second, start});
              }
            }
          }
          std::sort(cut.begin(), cut.end());
          for (const auto& [ms, instrument, source, start] : cut) {
            One& one = all[{instrument, source}];
            Interval& in = one.series[ms][start];
            in.open = false;
            in.cut = true;
            Emit({instrument, source}, one, ms, start, in, in.version == 0 ? BarReason::kFirst : BarReason::kLate);
          }
        }
      }
    } else if (h.type == RecordType::kGap) {
      One& one = all[id];
      const auto& gap = *reinterpret_cast<const Gap*>(any.bytes);
      if (one.live.Accept(any.bytes)) {
        const Holed hole{std::min(gap.ts_from, h.ts_event), std::max(gap.ts_from, h.ts_event), gap.count};
        one.holes.push_back(hole);
        if (one.holes.size() > 8) one.holes.pop_front();
        one.hole_open = true;
        for (auto& [ms, intervals] : one.series) {
          for (auto& [start, in] : intervals) {
            if (!Touches(hole, start, in.end)) continue;
            in.holes.push_back(hole.count);
            Change(id, one, ms, start, in, BarReason::kLate);
          }
        }
      }
    } else {
      One& one = all[id];
      if ((repair ? one.repair : one.live).Accept(any.bytes) && (h.flags & kFlagSuspect) == 0) {
        const auto& trade = *reinterpret_cast<const Trade*>(any.bytes);
        bool begins = false;
        if (!repair) {
          begins = h.epoch > one.epoch;
          one.epoch = std::max(one.epoch, h.epoch);
          if (one.hole_open) {
            one.hole_open = false;
            Holed& hole = one.holes.back();
            const Holed before = hole;
            hole.to = std::max(hole.to, h.ts_event);
            for (auto& [ms, intervals] : one.series) {
              for (auto& [start, in] : intervals) {
                if (!Touches(hole, start, in.end) || Touches(before, start, in.end)) continue;
                in.holes.push_back(hole.count);
                Change(id, one, ms, start, in, BarReason::kLate);
              }
            }
          }
        }
        if ((h.flags & kFlagOffMarket) == 0) {
          for (const std::uint32_t ms : options.intervals_ms) {
            auto& intervals = one.series[ms];
            const std::uint64_t length = ms * 1'000'000ull;
            const std::uint64_t start = h.ts_event / length * length;
            if (!intervals.contains(start)) {
              if (intervals.size() == 64) {
                if (start < intervals.begin()->first) continue;
                intervals.erase(intervals.begin());
              }
              intervals[start].end = start + length;
              for (const Holed& hole : one.holes) {
                if (Touches(hole, start, start + length)) intervals[start].holes.push_back(hole.count);
              }
            }
            Interval& in = intervals[start];
            in.ticks.push_back({h.ts_event, trade.price, trade.size, kNoSize, repair ? 0 : h.position(), trade.side});
            if (begins) in.start_unseen = true;
            Change(id, one, ms, start, in, repair ? BarReason::kBackfill : BarReason::kLate);
          }
        }
        ts_max = std::max(ts_max, h.ts_event);
      }
    }
    using Key = std::tuple<std::uint64_t, std::uint32_t, std::uint32_t, std::uint8_t, std::uint64_t>;
    std::vector<Key> due;
    for (auto& [of, one] : all) {
      for (auto& [ms, intervals] : one.series) {
        for (auto& [start, in] : intervals) {
          if (in.open && in.end <= Watermark()) due.push_back({in.end, ms, of.first, of.second, start});
        }
      }
    }
    std::sort(due.begin(), due.end());
    for (const auto& [end, ms, instrument, source, start] : due) {
      One& one = all[{instrument, source}];
      Interval& in = one.series[ms][start];
      in.open = false;
      in.cut = false;
      Emit({instrument, source}, one, ms, start, in, in.version == 0 ? BarReason::kFirst : BarReason::kLate);
    }
    ++offset;
  }
};

std::vector<AnyRecord> RandomStream(std::uint32_t seed, std::size_t count) {
  std::mt19937 random(seed);
  auto up_to = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  std::vector<AnyRecord> stream;
  std::uint64_t now = kBase + up_to(1000) * 1'000'000ull;
  std::uint32_t epoch[2] = {100, 101};  // Instrument % 2 is the shard; the sources share their epochs' range.
  std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, std::uint32_t> seq;
  std::uint32_t clock_seq[2][2] = {};
  std::uint64_t last_ts = now;
  while (stream.size() < count) {
    const std::uint32_t instrument = 5 + up_to(3);
    const std::uint32_t shard = instrument % 2;
    const auto source = static_cast<std::uint8_t>(up_to(2));
    const std::uint32_t what = up_to(100);
    now += up_to(10) == 0 ? up_to(3'000) * 1'000'000ull : up_to(300) * 1'000'000ull;
    if (up_to(300) == 0) now += 40 * kSecond;
    auto next = [&](std::uint32_t e, std::uint8_t s) { return ++seq[{instrument, s, e}]; };
    if (what < 70) {
      std::uint64_t ts = now;
      if (up_to(5) == 0) ts -= up_to(6'000) * 1'000'000ull;
      if (up_to(40) == 0) ts -= up_to(200) * kSecond;
      Trade trade = MakeTrade(next(epoch[shard], source), ts, 1000 + up_to(50) - 25, up_to(4), static_cast<Side>(up_to(30) == 0 ? 0 : 1 + up_to(2)),
                              epoch[shard], instrument, source);
      if (up_to(50) == 0) trade.header.flags |= kFlagOffMarket;
      if (up_to(50) == 0) trade.header.flags |= kFlagSuspect, trade.header.ts_event += 20 * kSecond;
      stream.push_back(AnyRecord::Of(trade));
      last_ts = ts;
    } else if (what < 76) {
      const auto repair_source = static_cast<std::uint8_t>(source | kSourceBackfill);
      stream.push_back(AnyRecord::Of(MakeTrade(next(epoch[shard], repair_source), now - up_to(30'000) * 1'000'000ull, 900 + up_to(200), 1 + up_to(3),
                                               Side::kUnknown, epoch[shard], instrument, repair_source)));
    } else if (what < 84) {
      stream.push_back(AnyRecord::Of(MakeClock(++clock_seq[source][shard], now, false, epoch[shard], source, static_cast<std::uint16_t>(shard))));
    } else if (what < 87) {
      const std::uint32_t lost = 1 + up_to(3);
      Gap gap = MakeGap(next(epoch[shard], source), last_ts, now, lost, GapCause::kRingFull, RecordType::kTrade, epoch[shard], instrument, source);
      seq[{instrument, source, epoch[shard]}] += lost - 1;
      stream.push_back(AnyRecord::Of(gap));
    } else if (what < 89) {
      const std::uint32_t at = seq[{instrument, source, epoch[shard]}];
      stream.push_back(AnyRecord::Of(MakeGap(at, last_ts, now, up_to(2) ? kUnknownCount : up_to(9), GapCause::kVenueSequence, RecordType::kTrade,
                                             epoch[shard], instrument, source)));
    } else if (what < 90 && up_to(3) == 0) {
      stream.push_back(AnyRecord::Of(MakeClock(++clock_seq[source][shard], now, true, epoch[shard], source, static_cast<std::uint16_t>(shard))));
      epoch[shard] += 2;
      clock_seq[0][shard] = clock_seq[1][shard] = 0;
      for (std::uint8_t s = 0; s < 2; ++s) {
        stream.push_back(AnyRecord::Of(MakeClock(++clock_seq[s][shard], now, false, epoch[shard], s, static_cast<std::uint16_t>(shard))));
      }
    } else if (what < 95 && !stream.empty()) {
      stream.push_back(stream[stream.size() - 1 - up_to(static_cast<std::uint32_t>(std::min<std::size_t>(stream.size(), 20)))]);
    }
  }
  return stream;
}

Options ForStreams() {
  Options options;
  options.intervals_ms = {1000, 5000, 60'000};
  return options;
}

TEST(BarsProperty, StreamEqualsTheSlowImplementationAndAnySplit) {
  std::size_t compared = 0;
  std::size_t splits = 0;
  std::size_t corrections = 0;
  Stats sum;
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    const std::vector<AnyRecord> stream = RandomStream(seed, seed % 8 == 0 ? 4000 : 600);
    Kept whole;
    Aggregator aggregator(ForStreams(), &whole);
    for (std::size_t i = 0; i < stream.size(); ++i) aggregator.OnRecord(stream[i].bytes, {i, 0, 0});
    std::vector<std::uint8_t> end_state;
    aggregator.Save(&end_state);

    Slow slow;
    slow.options = ForStreams();
    for (const AnyRecord& record : stream) slow.Read(record);
    ASSERT_EQ(whole.bars.size(), slow.out.size()) << "seed " << seed;
    for (std::size_t i = 0; i < slow.out.size(); ++i) {
      ASSERT_EQ(std::memcmp(&whole.bars[i], &slow.out[i], sizeof(Bar)), 0) << "seed " << seed << " bar " << i << " offset "
                                                                        << slow.out[i].cause.offset;
      corrections += slow.out[i].version > 1;
    }
    compared += slow.out.size();
    sum.too_late += aggregator.stats().too_late;
    sum.repeats += aggregator.stats().repeats;
    sum.late += aggregator.stats().late;

    // A new aggregator restored from the former's bytes at every record (short streams), or every so many.
    const std::size_t step = stream.size() > 1000 ? 97 : 1;
    Kept split;
    std::vector<std::uint8_t> state;
    auto running = std::make_unique<Aggregator>(ForStreams(), &split);
    for (std::size_t i = 0; i < stream.size(); ++i) {
      if (i % step == 0) {
        running->Save(&state);
        running = std::make_unique<Aggregator>(ForStreams(), &split);
        ASSERT_EQ(running->Restore(state), "");
        std::vector<std::uint8_t> again;
        running->Save(&again);
        ASSERT_EQ(state, again);
        ++splits;
      }
      running->OnRecord(stream[i].bytes, {i, 0, 0});
    }
    ASSERT_EQ(split.bars.size(), whole.bars.size());
    ASSERT_EQ(std::memcmp(split.bars.data(), whole.bars.data(), whole.bars.size() * sizeof(Bar)), 0) << "seed " << seed;
    running->Save(&state);
    ASSERT_EQ(state, end_state);
  }
  ASSERT_GT(compared, 0u);
  ASSERT_GT(sum.too_late, 0u);
  std::printf("[ compared ] %zu bars (%zu corrections) with the slow implementation; %zu splits; late %lu, too late %lu, repeats %lu\n", compared,
              corrections, splits, sum.late, sum.too_late, sum.repeats);
}

}  // namespace
}  // namespace tw::bars
