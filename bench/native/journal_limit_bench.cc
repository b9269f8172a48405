// journal.limit: how much of this machine's memcpy + CRC32C speed an append reaches. Both walk the same amount of memory, a
// segment's worth of fresh pages at a time: the append goes through the log's lock, frame, index and publication.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "bench.h"
#include "journal/log.h"
#include "wire/batch.h"
#include "wire/crc32c.h"

namespace {

constexpr std::uint32_t kBatchRecords = 4096;

std::vector<std::uint64_t> MakeBatch() {
  tw::wire::BatchBuilder builder(kBatchRecords);
  builder.Begin(tw::RecordType::kTrade, 1);
  tw::Trade trade{};
  trade.header.type = tw::RecordType::kTrade;
  trade.header.instrument_id = 1;
  for (std::uint32_t i = 0; i < kBatchRecords; ++i) {
    trade.header.seq = i + 1;
    trade.price = i;
    builder.Add(&trade);
  }
  const auto bytes = builder.Finish(1);
  std::vector<std::uint64_t> copy(bytes.size() / 8);
  std::memcpy(copy.data(), bytes.data(), bytes.size());
  return copy;
}

// Bytes per second of appends into a fresh directory.
double AppendRate(const std::vector<std::uint64_t>& batch, std::size_t messages) {
  char directory[] = "/tmp/tickwire-bench-XXXXXX";
  if (::mkdtemp(directory) == nullptr) std::abort();
  double rate = 0;
  {
    std::string error;
    auto log = tw::journal::Log::Open(directory, {}, &error);
    tw::journal::Status status;
    if (log == nullptr || log->EnsureTopic({.name = "bench"}, &error) != tw::journal::Status::kOk) std::abort();
    auto appender = log->OpenAppender("bench", 0, &status);
    tw::journal::Appender::Message message;
    message.value = {reinterpret_cast<const std::uint8_t*>(batch.data()), batch.size() * 8};
    message.count = kBatchRecords;
    message.ts_recv = 1;
    tw::bench::Run run;
    const double seconds = tw::bench::Seconds(
        [&] {
          for (std::size_t i = 0; i < messages; ++i) {
            if (appender->Append(message).status != tw::journal::Status::kOk) std::abort();
          }
          return tw::bench::Run{messages, 0};
        },
        &run);
    rate = static_cast<double>(messages * batch.size() * 8) / seconds;
  }
  std::filesystem::remove_all(directory);
  return rate;
}

// Bytes per second of memcpy and then CRC32C over the copy, into memory that was touched before: the machine's own speed.
double LimitRate(const std::vector<std::uint64_t>& batch, std::size_t messages, std::vector<std::uint8_t>& target, std::uint64_t* hash) {
  const std::size_t size = batch.size() * 8;
  const std::size_t places = target.size() / size;
  tw::bench::Run run;
  const double seconds = tw::bench::Seconds(
      [&] {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < messages; ++i) {
          std::uint8_t* place = target.data() + (i % places) * size;
          std::memcpy(place, batch.data(), size);
          sum = tw::bench::Mix(sum, tw::wire::Crc32c(place, size));
        }
        return tw::bench::Run{messages, sum};
      },
      &run);
  *hash = run.hash;
  return static_cast<double>(messages * size) / seconds;
}

}  // namespace

int main() {
  const auto batch = MakeBatch();
  const auto messages = static_cast<std::size_t>(2000 * tw::bench::Scale()) + 10;
  std::vector<std::uint8_t> target(64u << 20, 1);
  std::uint64_t hash = 0;
  std::vector<double> shares;
  AppendRate(batch, messages / 4 + 1);
  for (int pair = 0; pair < tw::bench::Pairs(); ++pair) {
    const double append = AppendRate(batch, messages);
    shares.push_back(append / LimitRate(batch, messages, target, &hash));
  }
  std::printf("{\"id\":\"journal.limit\",\"value\":%.4g,\"unit\":\"share of memcpy + CRC32C\",\"better\":\"more\",\"hash\":\"%016llx\"}\n", tw::bench::Median(shares),
              static_cast<unsigned long long>(hash));
  return 0;
}
