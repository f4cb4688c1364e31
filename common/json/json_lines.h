#pragma once

// A stream of JSON objects, one a line, as servers send them.

#include <functional>
#include <string>
#include <string_view>

#include "common/json/json.h"

namespace forebay {

// Not thread-safe. A line that is no object, or longer than `longest_line` bytes, is passed over.
class JsonLines {
 public:
  explicit JsonLines(std::function<void(const Json&)> object, size_t longest_line = 1 << 20)
      : object_(std::move(object)), longest_line_(longest_line) {}

  void Feed(std::string_view bytes);

 private:
  void Take(std::string_view line);

  const std::function<void(const Json&)> object_;
  const size_t longest_line_;
  std::string pending_;
  bool overlong_ = false;
};

}  // namespace forebay
