#include "decode/dbn.h"
#include "decode/describe.h"
#include "decode/json_text.h"

namespace tw::decode {
namespace {

std::uint64_t Unsigned(const std::uint8_t* at, std::size_t size) {
  std::uint64_t value = 0;
  std::memcpy(&value, at, size);
  return value;
}

std::int64_t Signed(const std::uint8_t* at, std::size_t size) {
  const unsigned shift = static_cast<unsigned>(64 - 8 * size);
  return static_cast<std::int64_t>(Unsigned(at, size) << shift) >> shift;
}

void AppendField(const DbnField& field, const std::uint8_t* record, JsonObject* line) {
  const std::uint8_t* at = record + field.offset;
  const auto* text = reinterpret_cast<const char*>(at);
  switch (field.kind) {
    case DbnKind::kUnsigned: line->Number(field.name, Unsigned(at, field.size)); break;
    case DbnKind::kSigned: line->Number(field.name, Signed(at, field.size)); break;
    case DbnKind::kChar: line->Text(field.name, {text, *at == 0 ? 0u : 1u}); break;
    case DbnKind::kText: line->Text(field.name, {text, ::strnlen(text, field.size)}); break;
    case DbnKind::kYesNo:
      if (*at == 'Y') line->Number(field.name, 1);
      else if (*at == 'N') line->Number(field.name, 0);
      else line->Text(field.name, "");
      break;
  }
}

// Returns false when nothing after it can be read.
bool AppendRecord(std::span<const std::uint8_t>* bytes, bool ts_out, std::string* out, ReasonCounters* counts) {
  const std::size_t size = DbnRecordSize(*bytes);
  if (size == 0 || size > bytes->size()) {
    counts->Add(size == 0 && bytes->size() >= 2 ? Reason::kBadLength : Reason::kTruncated);
    return false;
  }
  const std::uint8_t* record = bytes->data();
  *bytes = bytes->subspan(size);
  const std::size_t body = ts_out && size >= kDbnHeader + 8 ? size - 8 : size;
  const std::span<const DbnField> fields = DbnFields(record[1], body);
  JsonObject line(out);
  if (fields.empty()) {
    counts->Add(Reason::kUnknownType);
    line.Number("rtype", record[1]).Number("length", size).Text("refused", ReasonName(Reason::kUnknownType));
  }
  for (const DbnField& field : fields) AppendField(field, record, &line);
  if (!fields.empty() && body != size) line.Number("ts_out", Unsigned(record + body, 8));
  line.End();
  out->push_back('\n');
  return true;
}

}  // namespace

void AppendDbnJson(std::span<const std::uint8_t> bytes, bool bare_packet, std::string* out, ReasonCounters* counts) {
  DbnMetadata metadata;
  // A fragment is records without the metadata before them.
  const bool fragment = bare_packet || (bytes.size() >= 2 && (bytes[0] != 'D' || bytes[1] != 'B') && !DbnFields(bytes[1], DbnRecordSize(bytes)).empty());
  if (!fragment) {
    std::size_t size = 0;
    Reason reason = DbnMetadataSize(bytes, &size);
    if (reason == Reason::kNone) reason = ParseDbnMetadata(bytes, &metadata);
    if (reason != Reason::kNone) {
      counts->Add(reason);
      return;
    }
    bytes = bytes.subspan(size);
  }
  while (!bytes.empty() && AppendRecord(&bytes, metadata.ts_out, out, counts)) {
  }
}

}  // namespace tw::decode
