// NativeFeed: one feed session. Live it takes a frame per call, in a replay a chunk per call; it decodes on the calling
// thread into a ring that the NativeBatcher drains. No call here blocks the event loop for longer than one slice of a chunk.
#include "addon/addon.h"
#include "addon/feed_core.h"
#include "addon/handles.h"
#include "batch/scan.h"
#include "feed/csv_source.h"
#include "feed/dbn_source.h"

namespace tw::addon {
namespace {

std::span<const std::uint8_t> BytesOf(const Napi::Value& value, const char* what) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a Uint8Array");
  }
  const auto array = value.As<Napi::Uint8Array>();
  return {array.Data(), array.ByteLength()};
}

std::uint64_t TimeOf(const Napi::Value& value, std::uint64_t fallback) {
  if (!value.IsBigInt()) return fallback;
  bool lossless = false;
  return value.As<Napi::BigInt>().Uint64Value(&lossless);
}

FeedCoreOptions ReadOptions(const Napi::Object& options) {
  FeedCoreOptions out;
  out.venue = StringOption(options, "venue", "");
  out.exchange = static_cast<std::uint8_t>(NumberOption(options, "exchange", 0));
  out.session.source = static_cast<std::uint8_t>(NumberOption(options, "source", 0));
  out.session.shard = static_cast<std::uint16_t>(NumberOption(options, "shard", 0));
  out.session.epoch = static_cast<std::uint32_t>(NumberOption(options, "epoch", 0));
  out.session.has_receive_times = BooleanOption(options, "hasReceiveTimes", true);
  out.session.sampled = BooleanOption(options, "sampled", false);
  out.ring.slots = static_cast<std::size_t>(std::clamp(NumberOption(options, "ringSlots", 65'536), 64.0, 16'777'216.0));
  out.scan = BooleanOption(options, "scan", false);
  if (out.scan) out.session.unknown_max = 1'000'000;
  out.ring.live = BooleanOption(options, "live", false);
  const std::string policy = StringOption(options, "policy", "drop");
  if (policy == "block") {
    out.ring.policy = ring::Policy::kBlock;
  } else if (policy == "drop") {
    out.ring.policy = ring::Policy::kDrop;
  } else if (policy == "conflate") {
    out.ring.policy = ring::Policy::kConflate;
  } else {
    throw Napi::TypeError::New(options.Env(), "policy must be block, drop or conflate");
  }
  if (const Napi::Value types = options.Get("dataTypes"); types.IsArray()) {
    const auto list = types.As<Napi::Array>();
    for (std::uint32_t i = 0; i < list.Length(); ++i) {
      const std::string name = list.Get(i).ToString();
      const auto type = DataTypeOf(name);
      if (!type) throw Napi::TypeError::New(options.Env(), "unknown data type " + name);
      out.ring.data_types |= batch::Bit(*type);
    }
  }
  if (const Napi::Value venue = options.Get("venueOptions"); venue.IsObject()) {
    const auto from = venue.As<Napi::Object>();
    out.venue_options.depth_levels = static_cast<std::uint32_t>(NumberOption(from, "depthLevels", 0));
    out.venue_options.book_levels = BooleanOption(from, "bookLevels", false);
    out.venue_options.trades = BooleanOption(from, "trades", true);
    out.venue_options.quotes = BooleanOption(from, "quotes", true);
    out.venue_options.bars = BooleanOption(from, "bars", false);
  }
  return out;
}

class NativeFeed : public Napi::ObjectWrap<NativeFeed> {
 public:
  static void Register(Napi::Env env, Napi::Object exports) {
    exports.Set("NativeFeed", DefineClass(env, "NativeFeed",
                                          {InstanceMethod<&NativeFeed::AddInstrument>("addInstrument"),
                                           InstanceMethod<&NativeFeed::Push>("push"),
                                           InstanceMethod<&NativeFeed::PushRest>("pushRest"),
                                           InstanceMethod<&NativeFeed::Tick>("tick"),
                                           InstanceMethod<&NativeFeed::Reconnect>("reconnect"),
                                           InstanceMethod<&NativeFeed::TakeRequests>("takeRequests"),
                                           InstanceMethod<&NativeFeed::RecordTo>("recordTo"),
                                           InstanceMethod<&NativeFeed::StopRecording>("stopRecording"),
                                           InstanceMethod<&NativeFeed::RecordListing>("recordListing"),
                                           InstanceMethod<&NativeFeed::Listings>("listings"),
                                           InstanceMethod<&NativeFeed::AddLane>("addLane"),
                                           InstanceMethod<&NativeFeed::OpenSource>("openSource"),
                                           InstanceMethod<&NativeFeed::Resume>("resume"),
                                           InstanceMethod<&NativeFeed::Chunk>("chunk"),
                                           InstanceMethod<&NativeFeed::Pump>("pump"),
                                           InstanceMethod<&NativeFeed::Wants>("wants"),
                                           InstanceMethod<&NativeFeed::Finish>("finish"),
                                           InstanceMethod<&NativeFeed::Stop>("stop"),
                                           InstanceMethod<&NativeFeed::Stats>("stats"),
                                           InstanceAccessor<&NativeFeed::Flushed>("flushed"),
                                           InstanceAccessor<&NativeFeed::TsRecv>("tsRecv"),
                                           InstanceAccessor<&NativeFeed::NextTs>("nextTs"),
                                           InstanceAccessor<&NativeFeed::Epoch>("epoch")}));
  }

  explicit NativeFeed(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    if (info.Length() < 1 || !info[0].IsObject()) throw Napi::TypeError::New(info.Env(), "new NativeFeed({batcher, venue, …})");
    const auto options = info[0].As<Napi::Object>();
    const FeedCoreOptions core = ReadOptions(options);
    core_ = std::make_unique<FeedCore>(BatcherOf(options.Get("batcher"), "batcher"), core);
    if (!core_->known_venue()) throw Napi::TypeError::New(info.Env(), "unknown venue " + core.venue);
    if (const Napi::Value call = options.Get("onUnknown"); call.IsFunction()) {
      on_unknown_ = Napi::Persistent(call.As<Napi::Function>());
      core_->session().set_list_on_sight(ListOnSight, this);
    }
  }

 private:
  // The session met a name it does not know: JavaScript registers it and answers its id, or 0. An exception waits until the
  // decoder has returned.
  static feed::FeedInstrument* ListOnSight(void* context, std::string_view venue_symbol) {
    auto* self = static_cast<NativeFeed*>(context);
    if (self->failed_) return nullptr;
    const Napi::Env env = self->on_unknown_.Env();
    const Napi::HandleScope scope(env);
    try {
      const Napi::Value id = self->on_unknown_.Call({Napi::String::New(env, std::string(venue_symbol))});
      if (!id.IsNumber() || id.As<Napi::Number>().Uint32Value() == 0) return nullptr;
      if (!self->core_->AddInstrument(id.As<Napi::Number>().Uint32Value(), venue_symbol, 0)) return nullptr;
      return self->core_->session().AddInstrument(self->core_->batcher().instruments->Find(id.As<Napi::Number>().Uint32Value()),
                                                  {}, 0);
    } catch (const Napi::Error& error) {
      self->error_ = Napi::Persistent(error.Value().As<Napi::Object>());
      self->failed_ = true;
      return nullptr;
    }
  }
  // After a call into the decoder: what waited is thrown.
  void Check(Napi::Env env) {
    if (failed_) [[unlikely]] {
      failed_ = false;
      throw Napi::Error(env, error_.Value());
    }
    if (core_->filter().refused_epoch() != 0) [[unlikely]] {
      throw Napi::Error::New(env, "epoch " + std::to_string(core_->filter().refused_epoch()) + " lies below " +
                                      std::to_string(core_->filter().highest_epoch()) +
                                      ", which the log already holds for source " +
                                      std::to_string(core_->options().session.source));
    }
  }

  // addInstrument(id, venueSymbol, venueKey): false when the instrument table does not hold the id.
  Napi::Value AddInstrument(const Napi::CallbackInfo& info) {
    if (info.Length() < 1 || !info[0].IsNumber())
      throw Napi::TypeError::New(info.Env(), "addInstrument(id, venueSymbol, venueKey)");
    const std::string symbol = info[1].IsString() ? info[1].As<Napi::String>().Utf8Value() : std::string();
    const std::uint64_t key =
        info[2].IsNumber() ? static_cast<std::uint64_t>(info[2].As<Napi::Number>().Int64Value()) : TimeOf(info[2], 0);
    return Napi::Boolean::New(info.Env(), core_->AddInstrument(info[0].As<Napi::Number>().Uint32Value(), symbol, key));
  }
  // push(frame, kind, tsRecvNs?)
  Napi::Value Push(const Napi::CallbackInfo& info) {
    const std::uint64_t ts_recv = TimeOf(info[2], ring::WallNowNs());
    const auto frame = BytesOf(info[0], "frame");
    const std::uint32_t kind = info[1].IsNumber() ? info[1].As<Napi::Number>().Uint32Value() : 0;
    if (kind < 1 || kind > 3) throw Napi::TypeError::New(info.Env(), "kind must be 1 (text), 2 (binary) or 3 (REST)");
    core_->Push(frame, static_cast<feed::FrameKind>(kind), {}, ts_recv);
    Check(info.Env());
    return info.Env().Undefined();
  }
  // pushRest(url, body, tsRecvNs?)
  Napi::Value PushRest(const Napi::CallbackInfo& info) {
    if (!info[0].IsString()) throw Napi::TypeError::New(info.Env(), "pushRest(url: string, body: Uint8Array)");
    const std::string url = info[0].As<Napi::String>();
    core_->Push(BytesOf(info[1], "body"), feed::FrameKind::kRest, url, TimeOf(info[2], ring::WallNowNs()));
    Check(info.Env());
    return info.Env().Undefined();
  }
  Napi::Value Tick(const Napi::CallbackInfo& info) {
    core_->Tick(TimeOf(info[0], ring::WallNowNs()));
    return info.Env().Undefined();
  }
  Napi::Value Reconnect(const Napi::CallbackInfo& info) {
    core_->Reconnect(info[0].IsNumber() ? info[0].As<Napi::Number>().Uint32Value() : 0);
    return Count(info.Env(), core_->session().epoch());
  }
  Napi::Value TakeRequests(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    auto out = Napi::Array::New(env);
    if (core_->venue() == nullptr) return out;
    std::uint32_t count = 0;
    for (const feed::FeedRequest& request : core_->venue()->TakeRequests()) {
      auto item = Napi::Object::New(env);
      item.Set("kind", Napi::String::New(env, request.kind == feed::FeedRequest::Kind::kSnapshot ? "snapshot" : "resubscribe"));
      item.Set("venueSymbol", Napi::String::New(env, request.venue_symbol));
      out.Set(count++, item);
    }
    return out;
  }
  Napi::Value RecordTo(const Napi::CallbackInfo& info) {
    if (!info[0].IsString()) throw Napi::TypeError::New(info.Env(), "recordTo(file: string)");
    std::string error;
    if (!core_->RecordTo(info[0].As<Napi::String>(), &error)) throw Napi::Error::New(info.Env(), error);
    return info.Env().Undefined();
  }
  Napi::Value StopRecording(const Napi::CallbackInfo& info) {
    core_->StopRecording();
    return info.Env().Undefined();
  }

  // recordListing(text): instruments, before the frames that need them. Nothing when no recording runs.
  Napi::Value RecordListing(const Napi::CallbackInfo& info) {
    if (!info[0].IsString()) throw Napi::TypeError::New(info.Env(), "recordListing(text: string)");
    if (core_->recorder() != nullptr) core_->recorder()->Listing(info[0].As<Napi::String>().Utf8Value());
    return info.Env().Undefined();
  }
  // listings(): what a scanned recording lists, in its order.
  Napi::Value Listings(const Napi::CallbackInfo& info) {
    auto out = Napi::Array::New(info.Env());
    if (core_->player() == nullptr) return out;
    for (const std::string& text : core_->player()->listings()) out.Set(out.Length(), Napi::String::New(info.Env(), text));
    return out;
  }

  // addLane(format): a file of the recording, in the order of their numbers.
  Napi::Value AddLane(const Napi::CallbackInfo& info) {
    const std::string format = info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : "";
    if (!core_->AddLane(feed::CaptureFormatOf(format)))
      throw Napi::TypeError::New(info.Env(), "no capture format " + format + ", or a feed without venue");
    return Count(info.Env(), core_->player()->lanes() - 1);
  }
  // openSource('dbn' | 'csv', program?): the next file is one of records. Again for each file.
  Napi::Value OpenSource(const Napi::CallbackInfo& info) {
    const std::string kind = info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : "";
    std::string error = "no source " + kind;
    std::unique_ptr<feed::RecordSource> source;
    if (kind == "dbn") source = feed::MakeDbnSource(core_->options().venue_options, &core_->session());
    if (kind == "csv")
      source = feed::MakeCsvSource(info[1].IsString() ? info[1].As<Napi::String>().Utf8Value() : "", &core_->session(), &error);
    if (!core_->OpenSource(std::move(source))) throw Napi::TypeError::New(info.Env(), error);
    return info.Env().Undefined();
  }
  // resume(topics): reads what the log holds of this source; returns how many records that is.
  Napi::Value Resume(const Napi::CallbackInfo& info) {
    if (!info[0].IsArray()) throw Napi::TypeError::New(info.Env(), "resume(topics: string[])");
    std::vector<std::string> topics;
    const auto list = info[0].As<Napi::Array>();
    for (std::uint32_t i = 0; i < list.Length(); ++i) topics.push_back(list.Get(i).ToString());
    feed::ResumeState state = batch::ScanSource(*core_->batcher().log, topics, core_->options().session.source);
    const std::uint64_t records = state.records;
    core_->filter().Load(std::move(state));
    return Count(info.Env(), records);
  }
  // chunk(lane, bytes, last, untilNs?): how many bytes were used.
  Napi::Value Chunk(const Napi::CallbackInfo& info) {
    const std::size_t lane = info[0].IsNumber() ? info[0].As<Napi::Number>().Uint32Value() : 0;
    const auto bytes = BytesOf(info[1], "bytes");
    if (!core_->HasLane(lane)) throw Napi::RangeError::New(info.Env(), "no such lane, and no source is open");
    const std::size_t used = core_->Chunk(lane, bytes, info[2].ToBoolean(), TimeOf(info[3], feed::CapturePlayer::kNoLimit));
    Check(info.Env());
    return Count(info.Env(), used);
  }
  // pump(untilNs?): true when frames wait for room in the ring, or for their time.
  Napi::Value Pump(const Napi::CallbackInfo& info) {
    const bool more = core_->Pump(TimeOf(info[0], feed::CapturePlayer::kNoLimit));
    Check(info.Env());
    return Napi::Boolean::New(info.Env(), more);
  }
  Napi::Value Wants(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), core_->player() == nullptr ? -1 : core_->player()->wants());
  }

  Napi::Value Finish(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), core_->Finish()); }
  Napi::Value Stop(const Napi::CallbackInfo& info) {
    core_->Stop();
    return info.Env().Undefined();
  }
  Napi::Value Flushed(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), core_->flushed()); }
  Napi::Value TsRecv(const Napi::CallbackInfo& info) { return Napi::BigInt::New(info.Env(), core_->session().ts_recv()); }
  Napi::Value NextTs(const Napi::CallbackInfo& info) {
    return Napi::BigInt::New(info.Env(), core_->player() == nullptr ? std::uint64_t{0} : core_->player()->next());
  }
  Napi::Value Epoch(const Napi::CallbackInfo& info) { return Count(info.Env(), core_->session().epoch()); }

  Napi::Value Stats(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const feed::SessionStats& stats = core_->session().stats();
    auto out = Napi::Object::New(env);
    out.Set("frames", Count(env, stats.frames));
    out.Set("records", Count(env, stats.records));
    out.Set("gaps", Count(env, stats.gaps));
    out.Set("refused", Count(env, stats.refused));
    out.Set("conflated", Count(env, core_->ring().conflated()));
    out.Set("clocks", Count(env, stats.clocks));
    out.Set("suspect", Count(env, stats.suspect));
    out.Set("repeats", Count(env, core_->filter().skipped()));
    auto reasons = Napi::Object::New(env);
    auto skipped = Napi::Object::New(env);
    for (std::size_t i = 1; i < kReasonCount; ++i) {
      const Reason reason = static_cast<Reason>(i);
      if (stats.reasons[reason] != 0) reasons.Set(ReasonName(reason), Count(env, stats.reasons[reason]));
      if (core_->player() != nullptr && core_->player()->skipped()[reason] != 0) {
        skipped.Set(ReasonName(reason), Count(env, core_->player()->skipped()[reason]));
      }
    }
    out.Set("reasons", reasons);
    out.Set("skipped", skipped);
    auto unknown = Napi::Array::New(env);
    for (const std::string& name : core_->session().unknown_symbols())
      unknown.Set(unknown.Length(), Napi::String::New(env, name));
    out.Set("unknown", unknown);
    const feed::BookStats books = core_->venue() == nullptr ? feed::BookStats{} : core_->venue()->book_stats();
    auto book = Napi::Object::New(env);
    book.Set("checks", Count(env, books.checks));
    book.Set("mismatches", Count(env, books.mismatches));
    book.Set("resyncs", Count(env, books.resyncs));
    book.Set("quarantined", Count(env, books.quarantined));
    out.Set("books", book);
    auto ring = Napi::Object::New(env);
    ring.Set("capacity", Count(env, core_->ring().capacity()));
    ring.Set("depth", Count(env, core_->ring().depth()));
    ring.Set("depthMax", Count(env, core_->ring().depth_max()));
    ring.Set("pushed", Count(env, core_->ring().pushed()));
    ring.Set("blocked", Count(env, core_->ring().blocked()));
    out.Set("ring", ring);
    out.Set("decodeNs", LatencyObject(env, core_->decode_ns()));
    out.Set("ringNs", LatencyObject(env, core_->ring().latency()));
    auto recording = Napi::Object::New(env);
    recording.Set("frames", Count(env, core_->recorder() == nullptr ? 0 : core_->recorder()->frames()));
    recording.Set("bytes", Count(env, core_->recorder() == nullptr ? 0 : core_->recorder()->bytes()));
    recording.Set("error", Napi::String::New(env, core_->recorder() == nullptr ? "" : core_->recorder()->error()));
    out.Set("recording", recording);
    return out;
  }

  std::unique_ptr<FeedCore> core_;
  Napi::FunctionReference on_unknown_;
  Napi::ObjectReference error_;
  bool failed_ = false;
};

// dbnLacksReceiveTimes(firstBytes)
Napi::Value DbnLacksReceiveTimes(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), feed::DbnLacksReceiveTimes(BytesOf(info[0], "firstBytes")));
}

// detectCapture(firstBytes): the format's name, or '' when the bytes do not tell.
Napi::Value DetectCapture(const Napi::CallbackInfo& info) {
  const auto format = feed::DetectCapture(BytesOf(info[0], "firstBytes"));
  return Napi::String::New(info.Env(), format == feed::CaptureFormat::kUnknown ? "" : feed::CaptureFormatName(format));
}

}  // namespace

void RegisterFeed(Napi::Env env, Napi::Object exports) {
  NativeFeed::Register(env, exports);
  exports.Set("dbnLacksReceiveTimes", Napi::Function::New(env, DbnLacksReceiveTimes, "dbnLacksReceiveTimes"));
  exports.Set("detectCapture", Napi::Function::New(env, DetectCapture, "detectCapture"));
}

}  // namespace tw::addon
