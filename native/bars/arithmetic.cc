// The two divisions of a bar, and the checks of its options.
#include <limits>

#include "bars/aggregator.h"
#include "wire/crc32c.h"

namespace tw::bars {
namespace {

// Half to even; divisor > 0.
__int128 DivideHalfEven(__int128 value, std::int64_t divisor) {
  __int128 quotient = value / divisor;
  __int128 rest = value % divisor;
  if (rest < 0) rest += divisor, --quotient;  // Floor, so that the rest is in [0, divisor).
  const __int128 twice = rest * 2;
  if (twice > divisor || (twice == divisor && (quotient & 1) != 0)) ++quotient;
  return quotient;
}

}  // namespace

std::int64_t Vwap(__int128 turnover, std::int64_t volume) {
  if (volume <= 0) return kNoPrice;
  const __int128 value = DivideHalfEven(turnover, volume);
  if (value > std::numeric_limits<std::int64_t>::max() || value <= std::numeric_limits<std::int64_t>::min()) return kNoPrice;
  return static_cast<std::int64_t>(value);
}

std::int64_t Mid(std::int64_t bid, std::int64_t ask) {
  return static_cast<std::int64_t>(DivideHalfEven(static_cast<__int128>(bid) + ask, 2));
}

std::string CheckOptions(const Options& options) {
  if (options.intervals_ms.empty()) return "no interval";
  if (options.intervals_ms.size() > kIntervalsMax) return "more than " + std::to_string(kIntervalsMax) + " intervals";
  std::uint32_t last = 0;
  for (const std::uint32_t interval : options.intervals_ms) {
    if (interval == 0 || interval > kIntervalMsMax || kIntervalMsMax % interval != 0) {
      return "interval " + std::to_string(interval) + " ms does not divide a day";
    }
    if (interval <= last) return "intervals must rise";
    last = interval;
  }
  constexpr unsigned kKnown = 0x7e;
  if (options.bases == 0 || (options.bases & ~kKnown) != 0) return "no basis, or an unknown one";
  if (options.lateness_ns > options.intervals_ms.front() * 60'000'000ull) {
    return "lateness above 60 of the shortest interval: a bar could leave the recent ones before it closes";
  }
  if ((options.bases & BasisBit(BarBasis::kBar)) != 0) {
    if (options.parts_interval_ms == 0 || options.parts_interval_ms >= options.intervals_ms.front()) {
      return "bars from bars need parts shorter than every interval";
    }
    if (options.parts_basis < BarBasis::kTrade || options.parts_basis > BarBasis::kBar) return "parts of an unknown basis";
  }
  for (const auto& [exchange, session] : options.sessions) {
    if (session.open_s < 0 || session.open_s >= 86'400 || session.close_s < 0 || session.close_s > 86'400) {
      return "session times of exchange " + std::to_string(exchange) + " outside a day";
    }
  }
  if (options.nodes_max == 0) return "nodes_max is 0";
  return {};
}

std::uint64_t OptionsHash(const Options& options) {
  std::string text = "bars1";
  for (const std::uint32_t interval : options.intervals_ms) text += ',' + std::to_string(interval);
  text += ';' + std::to_string(options.bases) + ';' + std::to_string(options.lateness_ns);
  if ((options.bases & BasisBit(BarBasis::kBar)) != 0) {
    text += ';' + std::to_string(options.parts_interval_ms) + ';' + std::to_string(static_cast<int>(options.parts_basis));
  }
  for (const auto& [exchange, session] : options.sessions) {
    text += ';' + std::to_string(exchange) + ':' + std::to_string(session.open_s) + '-' + std::to_string(session.close_s);
    text += '@' + std::to_string(session.zone.OffsetAtUtc(0)) + ',' + std::to_string(session.zone.OffsetAtUtc(1'720'000'000)) + ',' +
            std::to_string(session.zone.OffsetAtUtc(1'705'000'000));  // Winter and summer tell zones apart.
  }
  return (static_cast<std::uint64_t>(wire::Crc32c(text.data(), text.size())) << 32) | wire::Crc32c(text.data(), text.size(), 0x5bd1e995);
}

}  // namespace tw::bars
