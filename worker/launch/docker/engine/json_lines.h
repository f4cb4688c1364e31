#pragma once

// A stream of JSON objects, one a line, as engines send them.

#include <functional>
#include <string>
#include <string_view>

#include "common/json/json.h"

namespace forebay::worker {

// Not thread-safe. A line that is no object, or longer than 1 MiB, is passed over.
class JsonLines {
 public:
  explicit JsonLines(std::function<void(const Json&)> object) : object_(std::move(object)) {}

  void Feed(std::string_view bytes);

 private:
  void Take(std::string_view line);

  const std::function<void(const Json&)> object_;
  std::string pending_;
  bool overlong_ = false;
};

}  // namespace forebay::worker
