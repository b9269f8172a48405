#include "kafka/admin.h"

#include <utility>

#include "kafka/admin_call.h"

namespace tw::kafka {

std::unique_ptr<Admin> Admin::Make(const Properties& properties, std::string* error) {
  std::unique_ptr<Admin> admin(new Admin);
  admin->errors_ = std::make_shared<Errors>();
  ClientEvents events;
  events.on_error = [errors = admin->errors_](rd_kafka_resp_err_t code, const std::string& text, bool) {
    errors->Add(code, text);
  };
  // A producer is the lighter of the two kinds: it joins nothing.
  admin->client_ = Client::Make(RD_KAFKA_PRODUCER, WithDefaults(properties), std::move(events), error);
  return admin->client_ == nullptr ? nullptr : std::move(admin);
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
