#include "publish/view_publisher.h"

#include <map>
#include <utility>

namespace tw::publish {
namespace {

class ViewFactory final : public WriterFactory {
 public:
  ViewFactory(std::shared_ptr<InstrumentTable> instruments, std::vector<ViewTopic> views,
              std::shared_ptr<WriterCounters> counters)
      : instruments_(std::move(instruments)), views_(std::move(views)), counters_(std::move(counters)) {}

  // The brokers say how many partitions a view has, so that its records stand where a client that counts them looks.
  bool Make(Producer* producer, std::span<LaneStart> lanes, const std::function<bool()>& beat, std::string* error) override {
    std::map<std::string, std::uint32_t> partitions;
    for (LaneStart& lane : lanes) {
      Topic* topic = producer->TopicOf(lane.topic);
      std::uint32_t& count = partitions[lane.topic];
      if (count == 0) count = PartitionsOf(producer->handle(), *topic, beat, error);
      if (count == 0) return false;
      lane.writer = std::make_unique<ViewWriter>(producer, topic, count, lane.flight, instruments_, counters_,
                                                 views_[lane.topic_index].options);
    }
    return true;
  }

 private:
  const std::shared_ptr<InstrumentTable> instruments_;
  const std::vector<ViewTopic> views_;
  const std::shared_ptr<WriterCounters> counters_;
};

}  // namespace

std::unique_ptr<Publisher> MakeViewPublisher(std::shared_ptr<journal::Log> log, std::shared_ptr<InstrumentTable> instruments,
                                             ViewPublisherOptions options) {
  PublisherOptions publisher;
  for (const ViewTopic& view : options.views) publisher.topics.push_back(view.topic);
  publisher.group = options.group;
  publisher.durable = options.durable;
  publisher.thread_name = "tw-views";
  publisher.producer = options.producer;
  publisher.commit_ms = options.commit_ms;
  publisher.stop_ms = options.stop_ms;
  publisher.now_ns = options.now_ns;
  auto counters = std::make_shared<WriterCounters>();
  auto factory = std::make_unique<ViewFactory>(std::move(instruments), std::move(options.views), counters);
  return std::make_unique<Publisher>(std::move(log), std::move(publisher), std::move(counters), std::move(factory));
}

}  // namespace tw::publish
