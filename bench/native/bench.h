// Interleaved comparison of ours and a peer in one process: A B A B, at least five pairs, the median of the pairs' ratios.
// Prints one JSON line per id for bench/run.ts; `hash` proves that both did the work and got the same.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace tw::bench {

// One timed run: how many operations, and a hash of what they gave.
struct Run {
  std::uint64_t operations = 0;
  std::uint64_t hash = 0;
};

inline double Seconds(const std::function<Run()>& run, Run* out) {
  const auto begin = std::chrono::steady_clock::now();
  *out = run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

inline double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

inline int Pairs() {
  const char* text = std::getenv("BENCH_PAIRS");
  return text == nullptr ? 5 : std::max(1, std::atoi(text));
}

// Operations scale: 1 is a real run; the tests run the benches tiny so that they cannot rot.
inline double Scale() {
  const char* text = std::getenv("BENCH_SCALE");
  return text == nullptr ? 1.0 : std::atof(text);
}

// `per_second`: report operations per second (more is better); otherwise ns per operation. The ratio always says how many
// times better ours is.
inline int Compare(const char* id, const char* peer, bool per_second, const std::function<Run()>& ours, const std::function<Run()>& theirs) {
  Run a;
  Run b;
  ours();  // Warm-up of code, caches and clocks.
  theirs();
  std::vector<double> ratios;
  std::vector<double> our_rates;
  std::vector<double> their_rates;
  for (int pair = 0; pair < Pairs(); ++pair) {
    const double our_seconds = Seconds(ours, &a);
    const double their_seconds = Seconds(theirs, &b);
    const double our_rate = static_cast<double>(a.operations) / our_seconds;
    const double their_rate = static_cast<double>(b.operations) / their_seconds;
    our_rates.push_back(our_rate);
    their_rates.push_back(their_rate);
    ratios.push_back(our_rate / their_rate);
  }
  if (a.hash != b.hash) {
    std::fprintf(stderr, "%s: ours gave %016llx, %s gave %016llx: not the same work\n", id, static_cast<unsigned long long>(a.hash), peer,
                 static_cast<unsigned long long>(b.hash));
    return 1;
  }
  const auto shown = [&](double rate) { return per_second ? rate : 1e9 / rate; };
  std::printf(
      "{\"id\":\"%s\",\"peer\":\"%s\",\"ratio\":%.4g,\"min\":%.4g,\"max\":%.4g,\"ours\":%.6g,\"theirs\":%.6g,\"unit\":\"%s\",\"hash\":\"%016llx\"}\n", id, peer,
      Median(ratios), *std::min_element(ratios.begin(), ratios.end()), *std::max_element(ratios.begin(), ratios.end()), shown(Median(our_rates)),
      shown(Median(their_rates)), per_second ? "1/s" : "ns", static_cast<unsigned long long>(a.hash));
  return 0;
}

inline std::uint64_t Mix(std::uint64_t hash, std::uint64_t value) { return (hash ^ value) * 0x9e3779b97f4a7c15ull; }

}  // namespace tw::bench
