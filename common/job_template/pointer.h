#pragma once

// JSON pointers (RFC 6901) as they are built on the way down a document. Pure.

#include <string>
#include <string_view>

namespace forebay {

// `key` with ~ and / escaped.
std::string PointerStep(std::string_view key);

// "/limits/a~1b" as ".limits.a/b", to be written behind the name of a field.
std::string DottedPointer(std::string_view pointer);

// Appends a step to the pointer for the time of a scope.
class Descend {
 public:
  Descend(std::string& pointer, std::string_view key) : pointer_(pointer), length_(pointer.size()) {
    pointer_ += '/';
    pointer_ += PointerStep(key);
  }
  ~Descend() { pointer_.resize(length_); }
  Descend(const Descend&) = delete;
  Descend& operator=(const Descend&) = delete;

 private:
  std::string& pointer_;
  size_t length_;
};

}  // namespace forebay
