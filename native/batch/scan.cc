#include "batch/scan.h"

#include "wire/batch.h"

namespace tw::batch {

feed::ResumeState ScanSource(const journal::Log& log, const std::vector<std::string>& topics, std::uint8_t source) {
  feed::ResumeState state;
  for (const std::string& name : topics) {
    journal::TopicOptions topic;
    if (!log.FindTopic(name, &topic)) continue;
    for (std::uint32_t partition = 0; partition < topic.partitions; ++partition) {
      journal::Status status = journal::Status::kOk;
      const auto reader = log.OpenReader(name, partition, &status);
      if (reader == nullptr) continue;
      for (;;) {
        journal::MessageView message;
        status = reader->Next(&message);
        if (status == journal::Status::kSkipped || status == journal::Status::kExpired) continue;
        if (status != journal::Status::kOk) break;
        wire::BatchView view;
        if (message.kind != journal::Kind::kBatch || wire::BatchView::Parse(message.value, &view) != wire::BatchError::kNone)
          continue;
        for (std::uint32_t i = 0; i < view.size(); ++i) {
          if (view[i]->source == source) state.Add(view[i]);
        }
      }
    }
  }
  return state;
}

}  // namespace tw::batch
