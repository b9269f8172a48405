#include "bars/snapshot.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "journal/waiting.h"
#include "wire/crc32c.h"

namespace tw::bars {
namespace {

constexpr std::size_t kChunkBytes = 128 << 10;
constexpr std::uint32_t kChunkMagic = 0x31435754;     // "TWC1"
constexpr std::uint32_t kManifestMagic = 0x314d5754;  // "TWM1"

struct ChunkHead {
  std::uint32_t magic = kChunkMagic;
  std::uint32_t crc = 0;  // Of the bytes behind the head.
  std::uint64_t number = 0;
  std::uint64_t origin = 0;
  std::uint32_t index = 0;
  std::uint32_t size = 0;
};
struct Manifest {
  std::uint32_t magic = kManifestMagic;
  std::uint32_t crc = 0;  // Of everything behind this field.
  std::uint64_t number = 0;
  std::uint64_t origin = 0;
  std::uint64_t input_offset = 0;
  std::uint64_t output_offset = 0;
  std::uint64_t ts_recv = 0;
  std::uint64_t state_size = 0;
  std::uint32_t state_crc = 0;
  std::uint32_t chunks = 0;
  char log_id[40] = {};
};
static_assert(sizeof(ChunkHead) == 32 && sizeof(Manifest) == 104);

std::uint32_t ManifestCrc(const Manifest& manifest) {
  return wire::Crc32c(reinterpret_cast<const std::uint8_t*>(&manifest) + 8, sizeof manifest - 8);
}

std::string Prefix(const LaneKey& lane) { return lane.topic + '/' + std::to_string(lane.partition) + '/'; }

struct Found {
  Manifest manifest;
  bool has_manifest = false;
  std::map<std::uint32_t, std::vector<std::uint8_t>> chunks;  // Head and bytes, the newest of each index.
};

bool Assemble(const Found& found, const LaneKey& lane, Snapshot* out) {
  const Manifest& manifest = found.manifest;
  if (!found.has_manifest || lane.log_id.compare(0, sizeof manifest.log_id, manifest.log_id, strnlen(manifest.log_id, sizeof manifest.log_id)) != 0) {
    return false;
  }
  std::vector<std::uint8_t> state;
  for (std::uint32_t i = 0; i < manifest.chunks; ++i) {
    const auto chunk = found.chunks.find(i);
    if (chunk == found.chunks.end()) return false;
    ChunkHead head;
    std::memcpy(&head, chunk->second.data(), sizeof head);
    if (head.number != manifest.number || head.origin != manifest.origin || head.index != i) return false;
    state.insert(state.end(), chunk->second.begin() + sizeof head, chunk->second.end());
  }
  if (state.size() != manifest.state_size || wire::Crc32c(state.data(), state.size()) != manifest.state_crc) return false;
  *out = {manifest.number, manifest.input_offset, manifest.output_offset, manifest.ts_recv, std::move(state)};
  return true;
}

}  // namespace

journal::Status WriteSnapshot(journal::Appender* appender, const LaneKey& lane, const Snapshot& snapshot, std::uint64_t origin) {
  const std::string prefix = Prefix(lane) + (snapshot.number % 2 == 0 ? "a/" : "b/");
  const std::size_t size = snapshot.state.size();
  Manifest manifest;
  manifest.number = snapshot.number;
  manifest.origin = origin;
  manifest.input_offset = snapshot.input_offset;
  manifest.output_offset = snapshot.output_offset;
  manifest.ts_recv = snapshot.ts_recv;
  manifest.state_size = size;
  manifest.state_crc = wire::Crc32c(snapshot.state.data(), size);
  manifest.chunks = static_cast<std::uint32_t>((size + kChunkBytes - 1) / kChunkBytes);
  std::memcpy(manifest.log_id, lane.log_id.data(), std::min(lane.log_id.size(), sizeof manifest.log_id));
  manifest.crc = ManifestCrc(manifest);

  auto append = [&](const std::string& key, const std::vector<std::uint64_t>& words, std::size_t bytes) {
    journal::Appender::Message message;
    message.kind = journal::Kind::kOpaque;
    message.key = key;
    message.value = {reinterpret_cast<const std::uint8_t*>(words.data()), bytes};
    message.ts_recv = snapshot.ts_recv;
    return appender->Append(message).status;
  };
  std::vector<std::uint64_t> words;
  for (std::uint32_t i = 0; i < manifest.chunks; ++i) {
    ChunkHead head;
    head.number = snapshot.number;
    head.origin = origin;
    head.index = i;
    const std::size_t at = i * kChunkBytes;
    head.size = static_cast<std::uint32_t>(std::min(kChunkBytes, size - at));
    head.crc = wire::Crc32c(snapshot.state.data() + at, head.size);
    words.assign((sizeof head + head.size + 7) / 8, 0);
    auto* bytes = reinterpret_cast<std::uint8_t*>(words.data());
    std::memcpy(bytes, &head, sizeof head);
    std::memcpy(bytes + sizeof head, snapshot.state.data() + at, head.size);
    const journal::Status status = append(prefix + std::to_string(i), words, sizeof head + head.size);
    if (status != journal::Status::kOk) return status;
  }
  words.assign(sizeof manifest / 8, 0);
  std::memcpy(words.data(), &manifest, sizeof manifest);
  return append(prefix + "manifest", words, sizeof manifest);
}

journal::Status ReadSnapshot(journal::Reader* reader, const LaneKey& lane, const std::function<void()>& beat, Snapshot* out) {
  const std::string prefix = Prefix(lane);
  Found sets[2];
  journal::MessageView message;
  for (;;) {
    const journal::Status status = journal::NextWithin(reader, &message, beat);
    if (status == journal::Status::kSkipped || status == journal::Status::kExpired) continue;
    if (status == journal::Status::kEnd) break;
    if (status != journal::Status::kOk) return status;
    beat();
    if (message.key.substr(0, prefix.size()) != prefix || message.key.size() < prefix.size() + 3) continue;
    const char set = message.key[prefix.size()];
    if (set != 'a' && set != 'b') continue;
    Found& found = sets[set == 'a' ? 0 : 1];
    const auto& value = message.value;
    Manifest manifest;
    ChunkHead head;
    if (value.size() == sizeof manifest && message.key.substr(prefix.size() + 2) == "manifest") {
      std::memcpy(&manifest, value.data(), sizeof manifest);
      found.has_manifest = manifest.magic == kManifestMagic && manifest.crc == ManifestCrc(manifest);
      found.manifest = manifest;
    } else if (value.size() >= sizeof head) {
      std::memcpy(&head, value.data(), sizeof head);
      if (head.magic != kChunkMagic || head.size != value.size() - sizeof head) continue;
      if (head.crc != wire::Crc32c(value.data() + sizeof head, head.size)) continue;
      found.chunks[head.index].assign(value.begin(), value.end());
    }
  }
  Snapshot candidate;
  bool any = false;
  for (const Found& found : sets) {
    if (!Assemble(found, lane, &candidate)) continue;
    // A hung process may write an older state under a later number: the furthest one counts.
    if (any && std::pair(candidate.input_offset, candidate.number) < std::pair(out->input_offset, out->number)) continue;
    *out = std::move(candidate);
    any = true;
  }
  return any ? journal::Status::kOk : journal::Status::kNotFound;
}

}  // namespace tw::bars
