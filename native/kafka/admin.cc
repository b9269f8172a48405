#include "kafka/admin.h"

#include <utility>

#include "kafka/admin_call.h"

namespace tw::kafka {

std::unique_ptr<Admin> Admin::Make(const Properties& properties, std::string* error) {
  std::unique_ptr<Admin> admin(new Admin);
  admin->properties_ = WithDefaults(properties);
  admin->errors_ = std::make_shared<Errors>();
  // A producer is the lighter of the two kinds: it joins nothing.
  admin->client_ = admin->NewClient(RD_KAFKA_PRODUCER, admin->properties_, error);
  return admin->client_ == nullptr ? nullptr : std::move(admin);
}

std::unique_ptr<Client> Admin::NewClient(rd_kafka_type_t type, const Properties& properties, std::string* error) const {
  ClientEvents events;
  events.on_error = [errors = errors_](rd_kafka_resp_err_t code, const std::string& text, bool) { errors->Add(code, text); };
  return Client::Make(type, properties, std::move(events), error);
}

// librdkafka 2.12 takes for granted that who asks for committed offsets is a member of some group: it crashes a producer when the
// coordinator has moved. This consumer never subscribes, so it joins nothing; with the group that is asked for first it needs no
// right that the question itself does not need.
Client* Admin::ConsumerFor(const std::string& group, std::string* error) {
  const std::lock_guard lock(consumer_mutex_);
  if (consumer_ == nullptr) {
    Properties properties = properties_;
    properties["group.id"] = group;
    properties["group.protocol"] = "classic";
    properties["enable.auto.commit"] = "false";
    consumer_ = NewClient(RD_KAFKA_CONSUMER, properties, error);
  }
  return consumer_.get();
}

Admin::~Admin() = default;

Failure Admin::Cluster(int timeout_ms, ClusterInfo* out) {
  AdminCall call(this, RD_KAFKA_ADMIN_OP_DESCRIBECLUSTER, timeout_ms);
  rd_kafka_DescribeCluster(call.client(), call.options(), call.queue());
  if (Failure failure = call.Wait()) return failure;
  const auto* result = rd_kafka_event_DescribeCluster_result(call.event());
  const char* id = rd_kafka_DescribeCluster_result_cluster_id(result);
  const rd_kafka_Node_t* controller = rd_kafka_DescribeCluster_result_controller(result);
  *out = {id == nullptr ? "" : id, controller == nullptr ? -1 : rd_kafka_Node_id(controller), {}};
  std::size_t count = 0;
  const rd_kafka_Node_t** nodes = rd_kafka_DescribeCluster_result_nodes(result, &count);
  for (std::size_t i = 0; i < count; ++i) {
    out->brokers.push_back({rd_kafka_Node_id(nodes[i]), rd_kafka_Node_host(nodes[i]), rd_kafka_Node_port(nodes[i])});
  }
  return {};
}

}  // namespace tw::kafka
