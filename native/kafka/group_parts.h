// Small things that a group's member needs of librdkafka.
#pragma once
#include <librdkafka/rdkafka.h>

#include <memory>

namespace tw::kafka {

// Errors that say: the partition is not ours any more.
inline bool IsFencing(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR_FENCED_MEMBER_EPOCH:
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST: return true;
    default: return false;
  }
}

// The group went on to another generation while the commit was under way. A partition that stays with its member is committed again in
// the new one; one that does not stay was told to be revoked or lost.
inline bool IsStale(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION || error == RD_KAFKA_RESP_ERR_STALE_MEMBER_EPOCH;
}

struct ListDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
};
using List = std::unique_ptr<rd_kafka_topic_partition_list_t, ListDeleter>;

}  // namespace tw::kafka
