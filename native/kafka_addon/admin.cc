// NativeKafkaAdmin: the control plane, as the interface KafkaAdmin in src/native/kafka.ts says.
//
// Threads: each call waits on a thread of its own, at most the client's time-out. close(), or the end of the environment, ends what
// waits.
#include "kafka/admin.h"

#include <functional>
#include <memory>
#include <utility>

#include "addon/async_call.h"
#include "kafka_addon/addon.h"
#include "kafka_addon/values.h"

namespace tw::kafka_addon {
namespace {

using kafka::Admin;
using kafka::Failure;

constexpr int kTimeoutMs = 10'000;

class NativeKafkaAdmin : public Napi::ObjectWrap<NativeKafkaAdmin> {
 public:
  static void Register(Napi::Env env, Napi::Object exports) {
    using Self = NativeKafkaAdmin;
    exports.Set(
        "NativeKafkaAdmin",
        DefineClass(
            env, "NativeKafkaAdmin",
            {InstanceMethod<&Self::Cluster>("cluster"), InstanceMethod<&Self::Topics>("topics"),
             InstanceMethod<&Self::TopicConfigs>("topicConfigs"), InstanceMethod<&Self::BrokerConfig>("brokerConfig"),
             InstanceMethod<&Self::CreateTopics>("createTopics"), InstanceMethod<&Self::CreatePartitions>("createPartitions"),
             InstanceMethod<&Self::AlterTopicConfigs>("alterTopicConfigs"), InstanceMethod<&Self::DeleteTopics>("deleteTopics"),
             InstanceMethod<&Self::Offsets>("offsets"), InstanceMethod<&Self::Groups>("groups"),
             InstanceMethod<&Self::DescribeGroups>("describeGroups"), InstanceMethod<&Self::Committed>("committed"),
             InstanceMethod<&Self::AlterCommitted>("alterCommitted"), InstanceMethod<&Self::DeleteGroups>("deleteGroups"),
             InstanceMethod<&Self::Close>("close")}));
  }

  // new NativeKafkaAdmin(properties, timeoutMs?)
  explicit NativeKafkaAdmin(const Napi::CallbackInfo& info) : ObjectWrap(info), env_(info.Env()) {
    const kafka::Properties properties = PairsOf(info[0], "properties");
    if (!info[1].IsUndefined()) timeout_ms_ = static_cast<int>(addon::WholeOf(info[1], "timeoutMs", 3'600'000));
    std::string error;
    admin_ = Admin::Make(properties, &error);
    if (admin_ == nullptr) throw ErrorOf(info.Env(), {"_INVALID_ARG", error});
    napi_add_env_cleanup_hook(env_, &NativeKafkaAdmin::OnCleanup, this);
  }
  ~NativeKafkaAdmin() override { Drop(); }

 private:
  static void OnCleanup(void* self) {
    auto* admin = static_cast<NativeKafkaAdmin*>(self);
    if (admin->admin_ != nullptr) admin->admin_->Cancel();
    admin->admin_.reset();
  }
  void Drop() {
    if (admin_ == nullptr) return;
    napi_remove_env_cleanup_hook(env_, &NativeKafkaAdmin::OnCleanup, this);
    OnCleanup(this);
  }
  void Close(const Napi::CallbackInfo&) { Drop(); }

  // `ask` fills an Answer on the call's thread; `convert` makes the promise's value of it.
  template <class Answer>
  Napi::Value Call(Napi::Env env, std::function<Failure(Admin&, int, Answer*)> ask,
                   std::function<Napi::Value(Napi::Env, const Answer&)> convert) {
    using Told = std::pair<Failure, Answer>;
    return addon::AsyncCall<Told>::Start(
        env,
        [admin = admin_, timeout_ms = timeout_ms_, ask = std::move(ask)] {
          Told told;
          told.first = admin == nullptr ? Failure{"_DESTROY", "the client was closed"} : ask(*admin, timeout_ms, &told.second);
          return told;
        },
        [convert = std::move(convert)](Napi::Env in, Told& told) {
          if (told.first) throw ErrorOf(in, told.first);
          return convert(in, told.second);
        },
        [admin = admin_] {
          if (admin != nullptr) admin->Cancel();
        });
  }
  // The same for lists, item by item.
  template <class Item>
  Napi::Value CallList(Napi::Env env, std::function<Failure(Admin&, int, std::vector<Item>*)> ask,
                       Napi::Value (*convert)(Napi::Env, const Item&)) {
    return Call<std::vector<Item>>(env, std::move(ask), [convert](Napi::Env in, const std::vector<Item>& items) {
      return Napi::Value(ListOf(in, items, convert));
    });
  }

  Napi::Value Cluster(const Napi::CallbackInfo& info) {
    return Call<kafka::ClusterInfo>(
        info.Env(), [](Admin& admin, int timeout_ms, kafka::ClusterInfo* out) { return admin.Cluster(timeout_ms, out); },
        ClusterOf);
  }

  // topics(names?): all of them without names.
  Napi::Value Topics(const Napi::CallbackInfo& info) {
    const bool all = info[0].IsUndefined();
    auto names = all ? std::vector<std::string>() : TextsOf(info[0], "names");
    return CallList<kafka::TopicInfo>(
        info.Env(),
        [all, names = std::move(names)](Admin& admin, int timeout_ms, std::vector<kafka::TopicInfo>* out) {
          if (!all) return admin.Topics(names, timeout_ms, out);
          std::vector<std::string> known;
          if (Failure failure = admin.TopicNames(timeout_ms, &known)) return failure;
          return admin.Topics(known, timeout_ms, out);
        },
        TopicOf);
  }

  Napi::Value TopicConfigs(const Napi::CallbackInfo& info) {
    return CallList<kafka::ResourceConfig>(
        info.Env(),
        [names = TextsOf(info[0], "names")](Admin& admin, int timeout_ms, std::vector<kafka::ResourceConfig>* out) {
          return admin.TopicConfigs(names, timeout_ms, out);
        },
        ConfigOf);
  }

  Napi::Value BrokerConfig(const Napi::CallbackInfo& info) {
    return CallList<kafka::ConfigEntry>(
        info.Env(),
        [id = static_cast<std::int32_t>(addon::WholeOf(info[0], "id", 2147483647.0))](Admin& admin, int timeout_ms,
                                                                                      std::vector<kafka::ConfigEntry>* out) {
          return admin.BrokerConfig(id, timeout_ms, out);
        },
        EntryOf);
  }

  static bool ValidateOnly(const Napi::Value& options) {
    return options.IsObject() && options.As<Napi::Object>().Get("validateOnly").ToBoolean();
  }

  using Outcomes = std::vector<kafka::Outcome>;

  Napi::Value CreateTopics(const Napi::CallbackInfo& info) {
    return CallList<kafka::Outcome>(
        info.Env(),
        [topics = ItemsOf(info[0], "topics", NewTopicOf), validate_only = ValidateOnly(info[1])](
            Admin& admin, int timeout_ms, Outcomes* out) { return admin.CreateTopics(topics, validate_only, timeout_ms, out); },
        OutcomeOf);
  }
  Napi::Value CreatePartitions(const Napi::CallbackInfo& info) {
    return CallList<kafka::Outcome>(
        info.Env(),
        [topics = ItemsOf(info[0], "topics", TotalOf), validate_only = ValidateOnly(info[1])](Admin& admin, int timeout_ms,
                                                                                              Outcomes* out) {
          return admin.CreatePartitions(topics, validate_only, timeout_ms, out);
        },
        OutcomeOf);
  }
  Napi::Value AlterTopicConfigs(const Napi::CallbackInfo& info) {
    return CallList<kafka::Outcome>(
        info.Env(),
        [topics = ItemsOf(info[0], "topics", TopicConfigOf)](Admin& admin, int timeout_ms, Outcomes* out) {
          return admin.AlterTopicConfigs(topics, timeout_ms, out);
        },
        OutcomeOf);
  }
  Napi::Value DeleteTopics(const Napi::CallbackInfo& info) {
    return CallList<kafka::Outcome>(
        info.Env(),
        [names = TextsOf(info[0], "names")](Admin& admin, int timeout_ms, Outcomes* out) {
          return admin.DeleteTopics(names, timeout_ms, out);
        },
        OutcomeOf);
  }

  Napi::Value Offsets(const Napi::CallbackInfo& info) {
    return CallList<kafka::OffsetRange>(
        info.Env(),
        [partitions = ItemsOf(info[0], "partitions", PartitionOf)](Admin& admin, int timeout_ms,
                                                                   std::vector<kafka::OffsetRange>* out) {
          return admin.Offsets(partitions, timeout_ms, out);
        },
        RangeOf);
  }

  Napi::Value Groups(const Napi::CallbackInfo& info) {
    return CallList<kafka::GroupListing>(
        info.Env(),
        [](Admin& admin, int timeout_ms, std::vector<kafka::GroupListing>* out) { return admin.Groups(timeout_ms, out); },
        ListingOf);
  }
  Napi::Value DescribeGroups(const Napi::CallbackInfo& info) {
    return CallList<kafka::GroupInfo>(
        info.Env(),
        [groups = TextsOf(info[0], "groups")](Admin& admin, int timeout_ms, std::vector<kafka::GroupInfo>* out) {
          return admin.DescribeGroups(groups, timeout_ms, out);
        },
        GroupOf);
  }
  Napi::Value Committed(const Napi::CallbackInfo& info) {
    return CallList<kafka::PartitionOffset>(
        info.Env(),
        [group = addon::TextOf(info[0], "group")](Admin& admin, int timeout_ms, std::vector<kafka::PartitionOffset>* out) {
          return admin.Committed(group, timeout_ms, out);
        },
        OffsetOf);
  }
  Napi::Value AlterCommitted(const Napi::CallbackInfo& info) {
    return CallList<kafka::Outcome>(
        info.Env(),
        [group = addon::TextOf(info[0], "group"), offsets = ItemsOf(info[1], "offsets", PartitionOffsetOf)](
            Admin& admin, int timeout_ms, Outcomes* out) { return admin.AlterCommitted(group, offsets, timeout_ms, out); },
        OutcomeOf);
  }
  Napi::Value DeleteGroups(const Napi::CallbackInfo& info) {
    return CallList<kafka::Outcome>(
        info.Env(),
        [groups = TextsOf(info[0], "groups")](Admin& admin, int timeout_ms, Outcomes* out) {
          return admin.DeleteGroups(groups, timeout_ms, out);
        },
        OutcomeOf);
  }

  const napi_env env_;
  int timeout_ms_ = kTimeoutMs;
  std::shared_ptr<Admin> admin_;  // Shared with calls that wait; null: closed.
};

}  // namespace

void RegisterAdmin(Napi::Env env, Napi::Object exports) { NativeKafkaAdmin::Register(env, exports); }

}  // namespace tw::kafka_addon
