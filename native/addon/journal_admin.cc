// Looking after a log directory from JavaScript: each call is one asynchronous pass on the thread pool over a log of its own,
// so that it works on a directory whether or not this process has it open. Progress is coalesced: what JavaScript has not
// taken when the next one comes is replaced.
#include <atomic>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "addon/addon.h"
#include "addon/handles.h"
#include "journal/admin.h"

namespace tw::addon {
namespace {

using journal::Status;

std::string Text(const Napi::Value& value, const char* what) {
  if (!value.IsString()) throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a string");
  return value.As<Napi::String>().Utf8Value();
}

// A whole number from a number or a bigint.
std::uint64_t Whole(const Napi::Value& value, const char* what) {
  if (value.IsBigInt()) {
    bool lossless = false;
    const std::uint64_t number = value.As<Napi::BigInt>().Uint64Value(&lossless);
    if (lossless) return number;
  } else if (value.IsNumber()) {
    const double number = value.As<Napi::Number>().DoubleValue();
    if (number >= 0 && number <= 9007199254740991.0 && number == std::floor(number)) return static_cast<std::uint64_t>(number);
  }
  throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a whole number, not negative");
}

Napi::Value Count(Napi::Env env, std::uint64_t number) { return Napi::Number::New(env, static_cast<double>(number)); }
Napi::Value Exact(Napi::Env env, std::uint64_t number) { return Napi::BigInt::New(env, number); }

// Most passes work on files; some on the log of any engine.
enum class Target { kDirectory, kAnyLog };

// One pass: `work` runs on the pool, `result` makes its value on the JavaScript thread.
class AdminWorker : public Napi::AsyncProgressWorker<journal::Progress> {
 public:
  using Work = std::function<Status(journal::Log&, const journal::OnProgress&)>;
  using Result = std::function<Napi::Value(Napi::Env)>;

  static Napi::Value Start(const Napi::CallbackInfo& info, Target target, bool read_only, const Napi::Value& on_progress, Work work, Result result) {
    auto* worker = new AdminWorker(info, target, read_only, std::move(work), std::move(result));
    if (on_progress.IsFunction()) worker->on_progress_ = Napi::Persistent(on_progress.As<Napi::Function>());
    const Napi::Promise promise = worker->deferred_.Promise();
    worker->Queue();
    return promise;
  }

  ~AdminWorker() override { napi_remove_env_cleanup_hook(env_, Stop, stop_.get()); }

 private:
  AdminWorker(const Napi::CallbackInfo& info, Target target, bool read_only, Work work, Result result)
      : AsyncProgressWorker(info.Env(), "tickwire.journal"),
        env_(info.Env()),
        given_(target == Target::kDirectory || info[0].IsString() ? nullptr : LogOf(info[0], "directory or log")),
        directory_(given_ == nullptr ? Text(info[0], "directory") : given_->directory()),
        read_only_(read_only),
        work_(std::move(work)),
        result_(std::move(result)),
        deferred_(Napi::Promise::Deferred::New(info.Env())),
        stop_(std::make_unique<std::atomic<bool>>(false)) {
    // An env that goes away waits for its pool work: the pass ends at its next progress.
    napi_add_env_cleanup_hook(env_, Stop, stop_.get());
  }
  static void Stop(void* stop) { static_cast<std::atomic<bool>*>(stop)->store(true); }

  void Execute(const ExecutionProgress& progress) override {
    std::string error;
    const std::shared_ptr<journal::Log> log = given_ != nullptr ? given_ : journal::Log::Open(directory_, {.read_only = read_only_}, &error);
    if (log == nullptr) return SetError(error);
    const bool wanted = !on_progress_.IsEmpty();
    const Status status = work_(*log, [&](const journal::Progress& now) {
      if (wanted) progress.Send(&now, 1);
      return !stop_->load();
    });
    if (status != Status::kOk) SetError((directory_.empty() ? std::string("the log cannot be verified") : directory_) + ": " + journal::StatusName(status));
  }
  void OnProgress(const journal::Progress* now, std::size_t count) override {
    if (now == nullptr || count == 0 || on_progress_.IsEmpty()) return;
    const Napi::HandleScope scope(Env());
    auto object = Napi::Object::New(Env());
    object.Set("bytesDone", Count(Env(), now->bytes_done));
    object.Set("bytesTotal", Count(Env(), now->bytes_total));
    object.Set("messages", Count(Env(), now->messages));
    object.Set("records", Count(Env(), now->records));
    on_progress_.Call({object});
  }
  void OnOK() override {
    const Napi::HandleScope scope(Env());
    deferred_.Resolve(result_(Env()));
  }
  void OnError(const Napi::Error& error) override {
    const Napi::HandleScope scope(Env());
    deferred_.Reject(error.Value());
  }

  napi_env env_;
  std::shared_ptr<journal::Log> given_;
  std::string directory_;
  bool read_only_;
  Work work_;
  Result result_;
  Napi::Promise::Deferred deferred_;
  Napi::FunctionReference on_progress_;
  std::unique_ptr<std::atomic<bool>> stop_;
};

// journalVerify(directory or NativeLog of any engine, {topics?: string[], hash?: boolean}, onProgress?)
Napi::Value Verify(const Napi::CallbackInfo& info) {
  journal::VerifyOptions options;
  if (info[1].IsObject()) {
    const auto given = info[1].As<Napi::Object>();
    options.hash = given.Get("hash").ToBoolean();
    if (given.Get("epochMin").IsNumber()) options.epoch_min = given.Get("epochMin").As<Napi::Number>().Uint32Value();
    if (given.Get("topics").IsArray()) {
      const auto topics = given.Get("topics").As<Napi::Array>();
      for (std::uint32_t i = 0; i < topics.Length(); ++i) options.topics.push_back(Text(topics.Get(i), "topics"));
    }
  }
  auto report = std::make_shared<journal::VerifyReport>();
  return AdminWorker::Start(
      info, Target::kAnyLog, true, info[2],
      [report, options](journal::Log& log, const journal::OnProgress& progress) { return journal::Verify(log, options, progress, report.get()); },
      [report](Napi::Env env) {
        auto object = Napi::Object::New(env);
        object.Set("topics", Count(env, report->topics));
        object.Set("partitions", Count(env, report->partitions));
        object.Set("messages", Count(env, report->messages));
        object.Set("records", Count(env, report->records));
        object.Set("opaque", Count(env, report->opaque));
        object.Set("bytes", Count(env, report->bytes));
        object.Set("streams", Count(env, report->streams));
        object.Set("repeats", Count(env, report->repeats));
        object.Set("badBatches", Count(env, report->bad_batches));
        object.Set("damageCount", Count(env, report->damage_count));
        object.Set("offsetsLost", Exact(env, report->offsets_lost));
        if (!report->hash.empty()) object.Set("hash", Napi::String::New(env, report->hash));
        auto damages = Napi::Array::New(env, report->damages.size());
        for (std::size_t i = 0; i < report->damages.size(); ++i) {
          const journal::Damage& damage = report->damages[i];
          auto item = Napi::Object::New(env);
          item.Set("topic", damage.topic);
          item.Set("partition", Count(env, damage.partition));
          item.Set("fromOffset", Exact(env, damage.from_offset));
          item.Set("toOffset", Exact(env, damage.to_offset));
          item.Set("file", damage.file);
          item.Set("filePosition", Count(env, damage.file_position));
          damages.Set(static_cast<std::uint32_t>(i), item);
        }
        object.Set("damages", damages);
        return object;
      });
}

// journalUsage(directory)
Napi::Value DiskUsage(const Napi::CallbackInfo& info) {
  auto usages = std::make_shared<std::vector<journal::Usage>>();
  return AdminWorker::Start(
      info, Target::kDirectory, true, info.Env().Undefined(),
      [usages](journal::Log& log, const journal::OnProgress&) { return journal::DiskUsage(log, usages.get()); },
      [usages](Napi::Env env) {
        auto list = Napi::Array::New(env, usages->size());
        for (std::size_t i = 0; i < usages->size(); ++i) {
          const journal::Usage& usage = (*usages)[i];
          auto item = Napi::Object::New(env);
          item.Set("topic", usage.topic);
          item.Set("partition", Count(env, usage.partition));
          item.Set("beginOffset", Exact(env, usage.begin_offset));
          item.Set("endOffset", Exact(env, usage.end_offset));
          item.Set("bytes", Count(env, usage.bytes));
          item.Set("diskBytes", Count(env, usage.disk_bytes));
          item.Set("segments", Count(env, usage.segments));
          item.Set("tsRecvNewest", Exact(env, usage.ts_recv_newest));
          list.Set(static_cast<std::uint32_t>(i), item);
        }
        return list;
      });
}

Napi::Value DeletionObject(Napi::Env env, const journal::DeletionReport& report) {
  auto object = Napi::Object::New(env);
  object.Set("segments", Count(env, report.segments));
  object.Set("bytes", Count(env, report.bytes));
  auto list = Napi::Array::New(env, report.lost.size());
  for (std::size_t i = 0; i < report.lost.size(); ++i) {
    const auto& lost = report.lost[i];
    auto item = Napi::Object::New(env);
    item.Set("topic", lost.topic);
    item.Set("partition", Count(env, lost.partition));
    item.Set("instrumentId", Count(env, lost.stream.instrument_id));
    item.Set("type", Count(env, static_cast<std::uint64_t>(lost.stream.type)));
    item.Set("source", Count(env, lost.stream.source));
    item.Set("epoch", Count(env, lost.gap.header.epoch));
    item.Set("seq", Count(env, lost.gap.header.seq));
    item.Set("count", Count(env, lost.gap.count));
    list.Set(static_cast<std::uint32_t>(i), item);
  }
  object.Set("lost", list);
  return object;
}

// journalTrim(directory, {topic, partition, beforeOffset?, beforeTsRecv?})
Napi::Value Trim(const Napi::CallbackInfo& info) {
  if (!info[1].IsObject()) throw Napi::TypeError::New(info.Env(), "journalTrim(directory, {topic, partition, beforeOffset?, beforeTsRecv?})");
  const auto given = info[1].As<Napi::Object>();
  const std::string topic = Text(given.Get("topic"), "topic");
  const auto partition = static_cast<std::uint32_t>(Whole(given.Get("partition"), "partition"));
  const std::uint64_t offset = given.Get("beforeOffset").IsUndefined() ? 0 : Whole(given.Get("beforeOffset"), "beforeOffset");
  const std::uint64_t time = given.Get("beforeTsRecv").IsUndefined() ? 0 : Whole(given.Get("beforeTsRecv"), "beforeTsRecv");
  auto report = std::make_shared<journal::DeletionReport>();
  return AdminWorker::Start(
      info, Target::kDirectory, false, info.Env().Undefined(),
      [=](journal::Log& log, const journal::OnProgress&) { return journal::Trim(log, topic, partition, offset, time, report.get()); },
      [report](Napi::Env env) { return DeletionObject(env, *report); });
}

// journalRetain(directory, [{topic, partition, offset}]): what durable groups still need, at least.
Napi::Value Retain(const Napi::CallbackInfo& info) {
  std::map<std::pair<std::string, std::uint32_t>, std::uint64_t> needed;
  if (info[1].IsArray()) {
    const auto list = info[1].As<Napi::Array>();
    for (std::uint32_t i = 0; i < list.Length(); ++i) {
      const Napi::Value value = list.Get(i);
      if (!value.IsObject()) throw Napi::TypeError::New(info.Env(), "journalRetain(directory, [{topic, partition, offset}])");
      const auto item = value.As<Napi::Object>();
      const auto key = std::make_pair(Text(item.Get("topic"), "topic"), static_cast<std::uint32_t>(Whole(item.Get("partition"), "partition")));
      const std::uint64_t offset = Whole(item.Get("offset"), "offset");
      const auto known = needed.try_emplace(key, offset).first;
      known->second = std::min(known->second, offset);
    }
  }
  auto report = std::make_shared<journal::DeletionReport>();
  return AdminWorker::Start(
      info, Target::kDirectory, false, info.Env().Undefined(),
      [=](journal::Log& log, const journal::OnProgress&) {
        return journal::Retain(
            log,
            [&](std::string_view topic, std::uint32_t partition) {
              const auto found = needed.find({std::string(topic), partition});
              return found == needed.end() ? ~0ull : found->second;
            },
            report.get());
      },
      [report](Napi::Env env) { return DeletionObject(env, *report); });
}

// journalCompact(directory, topic, partition)
Napi::Value Compact(const Napi::CallbackInfo& info) {
  const std::string topic = Text(info[1], "topic");
  const auto partition = static_cast<std::uint32_t>(Whole(info[2], "partition"));
  auto report = std::make_shared<journal::CompactionReport>();
  return AdminWorker::Start(
      info, Target::kDirectory, false, info.Env().Undefined(),
      [=](journal::Log& log, const journal::OnProgress&) { return journal::Compact(log, topic, partition, report.get()); },
      [report](Napi::Env env) {
        auto object = Napi::Object::New(env);
        object.Set("segmentsBefore", Count(env, report->segments_before));
        object.Set("segmentsAfter", Count(env, report->segments_after));
        object.Set("bytesBefore", Count(env, report->bytes_before));
        object.Set("bytesAfter", Count(env, report->bytes_after));
        object.Set("messagesDropped", Count(env, report->messages_dropped));
        object.Set("tombstonesDropped", Count(env, report->tombstones_dropped));
        return object;
      });
}

}  // namespace

void RegisterJournalAdmin(Napi::Env env, Napi::Object exports) {
  exports.Set("journalVerify", Napi::Function::New(env, Verify, "journalVerify"));
  exports.Set("journalUsage", Napi::Function::New(env, DiskUsage, "journalUsage"));
  exports.Set("journalTrim", Napi::Function::New(env, Trim, "journalTrim"));
  exports.Set("journalRetain", Napi::Function::New(env, Retain, "journalRetain"));
  exports.Set("journalCompact", Napi::Function::New(env, Compact, "journalCompact"));
}

}  // namespace tw::addon
