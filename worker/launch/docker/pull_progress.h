#pragma once

// What an engine tells while it pulls an image, as lines for the run's log. Pure.

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "common/json/json.h"
#include "worker/launch/engine_words.h"

namespace forebay::worker {

// Not thread-safe. A line for each stage of each layer and, while it is loaded, for each quarter.
class PullProgress {
 public:
  explicit PullProgress(std::function<void(std::string_view)> say) : say_(std::move(say)) {}

  void Take(const Json& message);
  // What the engine says went wrong; empty: nothing.
  const std::string& error() const { return error_; }

 private:
  struct Layer {
    std::string status;
    int64_t quarters = 0;
  };
  void TakeLayer(const std::string& id, const std::string& status, const Json& message);
  void Say(const std::string& line);

  const std::function<void(std::string_view)> say_;
  std::map<std::string, Layer> layers_;
  std::string error_;
  int said_ = 0;
};

}  // namespace forebay::worker
