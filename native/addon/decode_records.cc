// decodeRecords: the bytes of a venue or file source as records, for `tickwire decode --records` and the tests. One session, a
// sink that keeps what it gets: not the path of a live feed.
#include "addon/addon.h"
#include "addon/handles.h"
#include "feed/csv_source.h"
#include "feed/dbn_source.h"
#include "feed/venue_feed.h"
#include "wire/json.h"

namespace tw::addon {
namespace {

class TextSink : public feed::RecordSink {
 public:
  TextSink(const InstrumentTable* instruments, bool text) : instruments_(instruments), text_(text) {}
  bool Push(const void* record, std::size_t size) override {
    alignas(8) std::uint8_t copy[kRecordSizeMax];
    std::memcpy(copy, record, size);
    ++counts[static_cast<std::size_t>(reinterpret_cast<const Header*>(copy)->type)];
    if (!text_) return true;
    wire::AppendRecordJson(copy, *instruments_, &out);
    out.push_back('\n');
    return true;
  }
  std::array<std::uint64_t, kRecordTypeMax + 1> counts{};
  std::string out;

 private:
  const InstrumentTable* instruments_;
  bool text_;
};

struct Wishes {
  feed::VenueOptions venue;
  std::string program;
  std::uint64_t ts_recv = 0;
  bool text = true;
};

Wishes WishesOf(const Napi::Object& options) {
  Wishes wishes;
  wishes.venue.bars = options.Get("bars").ToBoolean();
  if (options.Get("depthLevels").IsNumber()) wishes.venue.depth_levels = options.Get("depthLevels").As<Napi::Number>().Uint32Value();
  if (options.Get("program").IsString()) wishes.program = options.Get("program").As<Napi::String>().Utf8Value();
  bool lossless = false;
  if (options.Get("tsRecv").IsBigInt()) wishes.ts_recv = options.Get("tsRecv").As<Napi::BigInt>().Uint64Value(&lossless);
  if (options.Get("text").IsBoolean()) wishes.text = options.Get("text").ToBoolean();
  return wishes;
}

// listings: [id, venueSymbol, venueKey][].
void List(const Napi::Array& listings, const InstrumentTable& table, feed::Session* session) {
  for (std::uint32_t i = 0; i < listings.Length(); ++i) {
    const Napi::Value item = listings[i];
    if (!item.IsArray() || item.As<Napi::Array>().Length() < 3) throw Napi::TypeError::New(item.Env(), "a listing is [id, symbol, key]");
    const auto listing = item.As<Napi::Array>();
    const Napi::Value id = listing[0u], symbol = listing[1u], key = listing[2u];
    if (!id.IsNumber() || !symbol.IsString() || !key.IsBigInt()) throw Napi::TypeError::New(item.Env(), "a listing is [number, string, bigint]");
    const Instrument* instrument = table.Find(id.As<Napi::Number>().Uint32Value());
    if (instrument == nullptr) throw Napi::RangeError::New(item.Env(), "a listing names an instrument that is not in the table");
    bool lossless = false;
    session->AddInstrument(instrument, symbol.As<Napi::String>().Utf8Value(), key.As<Napi::BigInt>().Uint64Value(&lossless));
  }
}

// decodeRecords(venue | 'dbn' | 'csv', bytes, instruments, listings, options): {text, counts, records}.
Napi::Value DecodeRecords(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() < 5 || !info[0].IsString() || !info[1].IsTypedArray() || !info[3].IsArray() || !info[4].IsObject() ||
      info[1].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw Napi::TypeError::New(env, "decodeRecords(venue, bytes: Uint8Array, instruments, listings: [], options: {})");
  }
  const std::string venue = info[0].As<Napi::String>();
  const auto bytes = info[1].As<Napi::Uint8Array>();
  const std::span<const std::uint8_t> span(bytes.Data(), bytes.ByteLength());
  const auto instruments = InstrumentsOf(info[2], "instruments");
  const Wishes wishes = WishesOf(info[4].As<Napi::Object>());
  TextSink sink(instruments.get(), wishes.text);
  const bool file = venue == "csv" || (venue == "dbn" && feed::DbnLacksReceiveTimes(span));
  feed::Session session({.epoch = 1, .has_receive_times = !file, .sampled = venue == "kite" || venue == "dhan"}, &sink);
  List(info[3].As<Napi::Array>(), *instruments, &session);
  if (venue == "csv" || venue == "dbn") {
    std::string error;
    auto source = venue == "dbn" ? feed::MakeDbnSource(wishes.venue, &session) : feed::MakeCsvSource(wishes.program, &session, &error);
    if (source == nullptr) throw Napi::TypeError::New(env, error);
    source->Feed(span, true);
  } else {
    auto feed = feed::MakeVenueFeed(venue, wishes.venue, &session);
    if (feed == nullptr) throw Napi::RangeError::New(env, "decodeRecords does not know the venue " + venue);
    session.BeginFrame(wishes.ts_recv);
    feed->OnFrame(span, venue == "kite" || venue == "dhan" ? feed::FrameKind::kBinary : feed::FrameKind::kText, "");
  }
  session.Finish();

  Napi::Object counts = Napi::Object::New(env);
  for (std::size_t i = 1; i < kReasonCount; ++i) {
    const auto reason = static_cast<Reason>(i);
    const std::uint64_t count = session.stats().reasons[reason];
    if (count != 0) counts.Set(ReasonName(reason), Napi::Number::New(env, static_cast<double>(count)));
  }
  Napi::Array records = Napi::Array::New(env, sink.counts.size());
  for (std::uint32_t i = 0; i < sink.counts.size(); ++i) records[i] = Napi::Number::New(env, static_cast<double>(sink.counts[i]));
  Napi::Object out = Napi::Object::New(env);
  out.Set("text", Napi::Buffer<char>::Copy(env, sink.out.data(), sink.out.size()));
  out.Set("counts", counts);
  out.Set("records", records);
  return out;
}

}  // namespace

void RegisterDecodeRecords(Napi::Env env, Napi::Object exports) {
  exports.Set("decodeRecords", Napi::Function::New(env, DecodeRecords, "decodeRecords"));
}

}  // namespace tw::addon
