// librdkafka's lists of things, owned.
#pragma once
#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <vector>

#include "kafka/admin_types.h"

namespace tw::kafka {

// An array of objects as the admin API takes them.
template <class T, void (*kDestroy)(T*)>
class List {
 public:
  List() = default;
  ~List() {
    for (T* object : objects_) kDestroy(object);
  }
  List(const List&) = delete;
  List& operator=(const List&) = delete;

  void Add(T* object) { objects_.push_back(object); }
  T** data() { return objects_.data(); }
  std::size_t size() const { return objects_.size(); }

 private:
  std::vector<T*> objects_;
};

using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t, void (*)(rd_kafka_topic_partition_list_t*)>;

inline PartitionList NewPartitionList(std::size_t size) {
  return {rd_kafka_topic_partition_list_new(static_cast<int>(size)), rd_kafka_topic_partition_list_destroy};
}
inline PartitionList PartitionListOf(const std::vector<TopicPartition>& partitions, std::int64_t offset) {
  PartitionList list = NewPartitionList(partitions.size());
  for (const TopicPartition& at : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), at.topic.c_str(), at.partition)->offset = offset;
  }
  return list;
}

// Valid as long as the strings.
inline std::vector<const char*> TextsOf(const std::vector<std::string>& strings) {
  std::vector<const char*> texts;
  for (const std::string& each : strings) texts.push_back(each.c_str());
  return texts;
}

}  // namespace tw::kafka
