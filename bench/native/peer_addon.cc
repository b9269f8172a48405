// Native halves of benches that compare with JavaScript, and the peer of ring.to-js: one thread-safe-function call per tick.
// Not part of the engine; built by bench/run.mjs alone.
#include <napi.h>

#include <atomic>
#include <cstring>
#include <string_view>
#include <thread>

#include "decode/binance.h"
#include "decode/kite.h"

namespace {

std::uint32_t Mix(std::uint32_t hash, std::uint32_t value) { return (hash ^ value) * 2654435761u; }

std::span<const std::uint8_t> BytesOf(const Napi::Value& value) {
  const auto array = value.As<Napi::Uint8Array>();
  return {array.Data(), array.ByteLength()};
}

// kiteFrame(frame): decodes every packet of one frame, returns a checksum over the fields that kiteconnect gives too.
Napi::Value KiteFrame(const Napi::CallbackInfo& info) {
  std::uint32_t hash = 0;
  tw::decode::KitePacket p;
  tw::decode::ForEachKitePacket(BytesOf(info[0]), [&](std::span<const std::uint8_t> packet) {
    if (tw::decode::DecodeKite(packet, &p) != tw::Reason::kNone || p.kind != tw::decode::KiteKind::kFull) return;
    // A plain sum of the fields, mixed once a packet: the checksum must not cost more than the decoding.
    const auto price = [](std::int32_t value) { return static_cast<std::uint32_t>(value); };
    std::uint32_t sum = p.token() + price(p.last_price()) + p.last_quantity() + price(p.average_price()) + p.volume() + p.buy_quantity() + p.sell_quantity() +
                        price(p.open()) + price(p.high()) + price(p.low()) + price(p.close()) + p.last_trade_time() + p.open_interest() + p.exchange_time();
    for (std::size_t k = 0; k < 10; ++k) {
      const auto level = p.depth(k);
      sum += level.quantity + price(level.price) + level.orders;
    }
    hash = Mix(hash, sum);
  });
  return Napi::Number::New(info.Env(), hash);
}

// binanceLines(chunk): decodes every line of a chunk of trade messages, returns a checksum.
Napi::Value BinanceLines(const Napi::CallbackInfo& info) {
  static thread_local tw::decode::BinanceDecoder decoder;
  const auto bytes = BytesOf(info[0]);
  const auto* at = reinterpret_cast<const char*>(bytes.data());
  const char* const end = at + bytes.size();
  std::uint32_t hash = 0;
  while (at < end) {
    const auto* stop = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
    if (stop == nullptr) stop = end;
    if (decoder.Decode({reinterpret_cast<const std::uint8_t*>(at), static_cast<std::size_t>(stop - at)}) == tw::decode::BinanceKind::kTrade) {
      const auto& trade = decoder.trade();
      std::int64_t price = 0;
      std::int64_t size = 0;
      tw::decode::ParseScaledText(trade.price, -2, &price);
      tw::decode::ParseScaledText(trade.size, -5, &size);
      hash = Mix(Mix(Mix(Mix(hash, static_cast<std::uint32_t>(price)), static_cast<std::uint32_t>(size)), static_cast<std::uint32_t>(trade.id)), trade.buyer_is_maker ? 1 : 0);
    }
    at = stop + 1;
  }
  return Napi::Number::New(info.Env(), hash);
}

// tickPerCall(count, callback(id, price, seq)): a native thread makes one call per tick; resolves when all were delivered.
Napi::Value TickPerCall(const Napi::CallbackInfo& info) {
  const auto count = info[0].As<Napi::Number>().Uint32Value();
  auto deferred = Napi::Promise::Deferred::New(info.Env());
  struct Work {
    Napi::Promise::Deferred deferred;
    Napi::ThreadSafeFunction call;
    std::thread thread;
  };
  auto* work = new Work{deferred, {}, {}};
  work->call = Napi::ThreadSafeFunction::New(info.Env(), info[1].As<Napi::Function>(), "tickPerCall", 4096, 1, [work](Napi::Env env) {
    work->thread.join();
    work->deferred.Resolve(env.Undefined());
    delete work;
  });
  work->thread = std::thread([work, count] {
    for (std::uint32_t i = 1; i <= count; ++i) {
      work->call.BlockingCall([i](Napi::Env env, Napi::Function callback) {
        callback.Call({Napi::Number::New(env, 1), Napi::Number::New(env, static_cast<double>(i) * 3), Napi::Number::New(env, i)});
      });
    }
    work->call.Release();
  });
  return deferred.Promise();
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("kiteFrame", Napi::Function::New(env, KiteFrame));
  exports.Set("binanceLines", Napi::Function::New(env, BinanceLines));
  exports.Set("tickPerCall", Napi::Function::New(env, TickPerCall));
  return exports;
}

}  // namespace

NODE_API_MODULE(tickwire_bench, Init)
