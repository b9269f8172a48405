#include "addon/bar_options.h"

#include <string>

namespace tw::addon {
namespace {

double NumberOf(const Napi::Object& object, const char* name, double least, double most) {
  const Napi::Value value = object.Get(name);
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : least - 1;
  if (!(number >= least && number <= most) || number != static_cast<double>(static_cast<std::int64_t>(number))) {
    throw Napi::TypeError::New(object.Env(), std::string("bars: ") + name + " must be a whole number from " + std::to_string(least) + " to " +
                                                 std::to_string(most));
  }
  return number;
}

}  // namespace

bars::Options BarOptionsOf(const Napi::Value& value) {
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "bars: options must be an object");
  const auto object = value.As<Napi::Object>();
  bars::Options options;
  const Napi::Value intervals = object.Get("intervalsMs");
  if (!intervals.IsArray()) throw Napi::TypeError::New(value.Env(), "bars: intervalsMs must be an array");
  const auto list = intervals.As<Napi::Array>();
  for (std::uint32_t i = 0; i < std::min<std::uint32_t>(list.Length(), 1000); ++i) {
    const Napi::Value interval = list.Get(i);
    if (!interval.IsNumber()) throw Napi::TypeError::New(value.Env(), "bars: intervalsMs must hold numbers");
    options.intervals_ms.push_back(interval.As<Napi::Number>().Uint32Value());
  }
  options.bases = static_cast<std::uint8_t>(NumberOf(object, "bases", 0, 255));
  options.lateness_ns = static_cast<std::uint64_t>(NumberOf(object, "latenessNs", 0, 9e15));
  options.parts_interval_ms = static_cast<std::uint32_t>(NumberOf(object, "partsIntervalMs", 1, bars::kIntervalMsMax));
  options.parts_basis = static_cast<BarBasis>(NumberOf(object, "partsBasis", 1, 6));
  const Napi::Value sessions = object.Get("sessions");
  if (sessions.IsArray()) {
    const auto array = sessions.As<Napi::Array>();
    for (std::uint32_t i = 0; i < std::min<std::uint32_t>(array.Length(), 256); ++i) {
      if (!array.Get(i).IsObject()) throw Napi::TypeError::New(value.Env(), "bars: a session must be an object");
      const auto session = array.Get(i).As<Napi::Object>();
      const Napi::Value transitions = session.Get("transitions");
      if (!transitions.IsTypedArray() || transitions.As<Napi::TypedArray>().TypedArrayType() != napi_float64_array) {
        throw Napi::TypeError::New(value.Env(), "bars: transitions must be a Float64Array of (unix second, offset second) pairs");
      }
      const auto pairs = transitions.As<Napi::Float64Array>();
      std::vector<TimeZone::Transition> zone;
      for (std::size_t t = 0; t + 1 < pairs.ElementLength(); t += 2) {
        if (!(pairs[t] > -1e11 && pairs[t] < 1e11) || !(pairs[t + 1] >= -86'400 && pairs[t + 1] <= 86'400)) {
          throw Napi::TypeError::New(value.Env(), "bars: a time zone transition is out of range");
        }
        zone.push_back({static_cast<std::int64_t>(pairs[t]), static_cast<std::int32_t>(pairs[t + 1])});
      }
      options.sessions.emplace_back(static_cast<std::uint8_t>(NumberOf(session, "exchange", 1, 255)),
                                    bars::SessionSpec{TimeZone(std::move(zone)), static_cast<std::int32_t>(NumberOf(session, "openS", 0, 86'400)),
                                                      static_cast<std::int32_t>(NumberOf(session, "closeS", 0, 86'400))});
    }
  }
  const std::string error = bars::CheckOptions(options);
  if (!error.empty()) throw Napi::TypeError::New(value.Env(), "bars: " + error);
  return options;
}

Napi::Object BarStatsOf(Napi::Env env, const bars::Stats& stats) {
  Napi::Object object = Napi::Object::New(env);
  auto set = [&](const char* name, std::uint64_t value) { object.Set(name, Napi::Number::New(env, static_cast<double>(value))); };
  set("records", stats.records);
  set("ticks", stats.ticks);
  set("bars", stats.bars);
  set("corrections", stats.corrections);
  set("late", stats.late);
  set("tooLate", stats.too_late);
  set("gaps", stats.gaps);
  set("clocks", stats.clocks);
  set("clocksRepeated", stats.clocks_repeated);
  set("repeats", stats.repeats);
  set("otherTypes", stats.other_types);
  set("offMarket", stats.off_market);
  set("suspect", stats.suspect);
  set("stale", stats.stale);
  set("outsideSession", stats.outside_session);
  set("badTime", stats.bad_time);
  set("badValue", stats.bad_value);
  set("overflow", stats.overflow);
  set("versionOverflow", stats.version_overflow);
  set("volumeResets", stats.volume_resets);
  set("misaligned", stats.misaligned);
  set("refusedNodes", stats.refused_nodes);
  return object;
}

}  // namespace tw::addon
