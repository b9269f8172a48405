#include "decode/dbn.h"

#include <charconv>

namespace tw::decode {
namespace {

constexpr std::size_t kFixed = 100;

// Reads forward inside the metadata; every read says whether there was enough.
class Cursor {
 public:
  explicit Cursor(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  bool U32(std::uint32_t* out) {
    if (bytes_.size() < 4) return false;
    *out = ReadLittle<std::uint32_t>(bytes_.data());
    bytes_ = bytes_.subspan(4);
    return true;
  }
  bool Text(std::size_t size, std::string* out) {
    if (bytes_.size() < size) return false;
    const auto* text = reinterpret_cast<const char*>(bytes_.data());
    out->assign(text, ::strnlen(text, size));
    bytes_ = bytes_.subspan(size);
    return true;
  }
  bool Skip(std::size_t size) {
    if (bytes_.size() < size) return false;
    bytes_ = bytes_.subspan(size);
    return true;
  }
  std::size_t left() const { return bytes_.size(); }

 private:
  std::span<const std::uint8_t> bytes_;
};

bool ReadNames(Cursor* in, std::size_t name_size, std::vector<std::string>* out) {
  std::uint32_t count = 0;
  if (!in->U32(&count) || count > in->left() / name_size) return false;
  for (; count > 0; --count) {
    std::string name;
    in->Text(name_size, &name);
    if (out != nullptr) out->push_back(std::move(name));
  }
  return true;
}

bool ReadMappings(Cursor* in, std::size_t name_size, std::vector<DbnMapping>* out) {
  std::uint32_t count = 0;
  if (!in->U32(&count) || count > in->left() / (name_size + 4)) return false;
  for (; count > 0; --count) {
    DbnMapping mapping{};
    std::uint32_t intervals = 0;
    if (!in->Text(name_size, &mapping.symbol) || !in->U32(&intervals) || intervals > in->left() / (name_size + 8)) return false;
    for (; intervals > 0; --intervals) {
      std::string target;
      in->U32(&mapping.start_date);
      in->U32(&mapping.end_date);
      in->Text(name_size, &target);
      const auto [end, error] = std::from_chars(target.data(), target.data() + target.size(), mapping.instrument_id);
      if (error == std::errc() && end == target.data() + target.size()) out->push_back(mapping);
    }
  }
  return true;
}

}  // namespace

Reason DbnMetadataSize(std::span<const std::uint8_t> bytes, std::size_t* size) {
  *size = 0;
  constexpr std::uint8_t kMagic[] = {'D', 'B', 'N'};
  for (std::size_t i = 0; i < bytes.size() && i < 3; ++i) {
    if (bytes[i] != kMagic[i]) return Reason::kUnknownType;
  }
  if (bytes.size() > 3 && (bytes[3] < 1 || bytes[3] > 3)) return Reason::kUnknownType;
  if (bytes.size() < kDbnPrefix) return Reason::kNone;
  const std::size_t length = ReadLittle<std::uint32_t>(bytes.data() + 4);
  if (length > kDbnMetadataMax) return Reason::kBadLength;
  *size = kDbnPrefix + length;
  return Reason::kNone;
}

Reason ParseDbnMetadata(std::span<const std::uint8_t> bytes, DbnMetadata* out) {
  std::size_t size = 0;
  if (const Reason reason = DbnMetadataSize(bytes, &size); reason != Reason::kNone) return reason;
  if (size == 0 || bytes.size() < size || size < kDbnPrefix + kFixed) return Reason::kTruncated;
  const std::uint8_t* fixed = bytes.data() + kDbnPrefix;
  out->version = bytes[3];
  out->dataset.assign(reinterpret_cast<const char*>(fixed), ::strnlen(reinterpret_cast<const char*>(fixed), 16));
  out->schema = ReadLittle<std::uint16_t>(fixed + 16);
  out->start = ReadLittle<std::uint64_t>(fixed + 18);
  out->end = ReadLittle<std::uint64_t>(fixed + 26);
  out->limit = ReadLittle<std::uint64_t>(fixed + 34);
  // Version 1 has a record count here, the later ones the length of a name behind the three that follow.
  const std::uint8_t* types = fixed + (out->version == 1 ? 50 : 42);
  out->stype_in = types[0];
  out->stype_out = types[1];
  out->ts_out = types[2] != 0;
  const std::size_t name_size = out->version == 1 ? 22 : ReadLittle<std::uint16_t>(types + 3);
  if (name_size == 0 || name_size > 256) return Reason::kBadLength;
  Cursor in(bytes.subspan(kDbnPrefix + kFixed, size - kDbnPrefix - kFixed));
  std::uint32_t definition = 0;
  const bool whole = in.U32(&definition) && in.Skip(definition) && ReadNames(&in, name_size, &out->symbols) &&
                     ReadNames(&in, name_size, nullptr) && ReadNames(&in, name_size, nullptr) && ReadMappings(&in, name_size, &out->mappings);
  return whole ? Reason::kNone : Reason::kTruncated;
}

}  // namespace tw::decode
