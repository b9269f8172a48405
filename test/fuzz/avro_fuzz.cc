// Any bytes as a record of any type: what the encoder writes is read back to its last byte by a decoder that knows the .avsc
// files alone.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "../native/wire/avro_reader.h"
#include "wire/avro.h"

namespace {

const char* SchemaOf(tw::RecordType type) {
  switch (type) {
    case tw::RecordType::kTrade: return "trade";
    case tw::RecordType::kQuote: return "quote";
    case tw::RecordType::kTicker: return "ticker";
    case tw::RecordType::kIndex: return "index";
    case tw::RecordType::kDepth5:
    case tw::RecordType::kDepth10:
    case tw::RecordType::kDepth20: return "depth";
    case tw::RecordType::kLevel: return "level";
    case tw::RecordType::kBar: return "bar";
    case tw::RecordType::kGap: return "gap";
    default: return nullptr;
  }
}

tw::wire::AvroReader& ReaderOf(const std::string& schema) {
  static std::map<std::string, std::unique_ptr<tw::wire::AvroReader>> readers;
  auto& reader = readers[schema];
  if (reader == nullptr) {
    const auto folder = std::filesystem::path(__FILE__).parent_path() / "../../config/schema/avro";
    reader = std::make_unique<tw::wire::AvroReader>((folder / (schema + ".avsc")).string());
  }
  return *reader;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const auto type = static_cast<tw::RecordType>(data[0] & 0x0f);
  tw::Instrument instrument;
  instrument.price_exponent = static_cast<std::int8_t>(data[1] % 37 - 18);
  instrument.size_exponent = static_cast<std::int8_t>(data[2] % 37 - 18);
  instrument.symbol.assign(data[3], 'S');
  alignas(8) std::uint8_t record[tw::kRecordSizeMax] = {};
  std::memcpy(record, data + 4, std::min(size - 4, sizeof record));
  reinterpret_cast<tw::Header*>(record)->type = type;

  tw::wire::AvroEncoder encoder;
  const auto bytes = encoder.Encode(record, instrument, 1);
  const char* schema = SchemaOf(type);
  if (schema == nullptr) {
    if (!bytes.empty()) std::abort();
    return 0;
  }
  // Throws, and so ends the run, at a byte that does not fit the schema.
  const auto fields = ReaderOf(schema).Read(bytes.subspan(5));
  if (fields.at("symbol") != instrument.symbol) std::abort();
  return 0;
}
