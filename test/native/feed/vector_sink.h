// A sink that keeps every record, for tests. `full` makes it refuse.
#pragma once
#include <cstring>
#include <string>
#include <vector>

#include "feed/session.h"
#include "wire/record_hash.h"

namespace tw::feed {

class VectorSink : public RecordSink {
 public:
  bool Push(const void* record, std::size_t size) override {
    if (full) return false;
    const std::size_t at = words_.size();
    words_.resize(at + (size + 7) / 8);
    std::memcpy(&words_[at], record, size);
    starts_.push_back(at);
    return true;
  }
  std::size_t size() const { return starts_.size(); }
  const Header& header(std::size_t i) const { return *reinterpret_cast<const Header*>(&words_[starts_.at(i)]); }
  const Header& last() const { return header(starts_.size() - 1); }
  template <class Record>
  const Record& As(std::size_t i) const {
    return *reinterpret_cast<const Record*>(&words_[starts_.at(i)]);
  }
  std::string bytes() const { return {reinterpret_cast<const char*>(words_.data()), words_.size() * 8}; }
  std::string hash() const {
    wire::RecordHash hash;
    for (std::size_t i = 0; i < size(); ++i) hash.Add(&header(i));
    return hash.Digest();
  }
  std::size_t count(RecordType type) const {
    std::size_t n = 0;
    for (std::size_t i = 0; i < size(); ++i) n += header(i).type == type ? 1 : 0;
    return n;
  }
  void clear() { words_.clear(), starts_.clear(); }

  bool full = false;

 private:
  std::vector<std::uint64_t> words_;
  std::vector<std::size_t> starts_;
};

}  // namespace tw::feed
