#pragma once

// Parameters of a statement in PostgreSQL's text format. Array parameters carry one column of a
// whole batch each and are unnested by the statement.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "common/base/uuid.h"

namespace forebay::server {

using Params = std::vector<std::optional<std::string>>;

// Builds a Params in the order of $1, $2, …
class Args {
 public:
  Args& Text(std::string_view value) { return Push(std::string(value)); }
  Args& Int(int64_t value) { return Push(std::to_string(value)); }
  Args& Double(double value);
  Args& Bool(bool value) { return Push(value ? "t" : "f"); }
  Args& Id(const Uuid& value) { return Push(value.ToString()); }
  // As microseconds since 1970, for from_micros().
  Args& Time(absl::Time value) { return Int(absl::ToUnixMicros(value)); }
  Args& Bytes(std::string_view value);
  Args& Null() {
    params_.emplace_back(std::nullopt);
    return *this;
  }
  template <typename T>
  Args& OptionalInt(const std::optional<T>& value) {
    return value.has_value() ? Int(*value) : Null();
  }
  Args& Array(std::string literal) { return Push(std::move(literal)); }

  const Params& params() const { return params_; }
  operator const Params&() const { return params_; }  // NOLINT(google-explicit-constructor)

 private:
  Args& Push(std::string value) {
    params_.emplace_back(std::move(value));
    return *this;
  }
  Params params_;
};

// One array literal, built element by element: {1,2,NULL,"a\"b"}.
class ArrayLiteral {
 public:
  void Text(std::string_view value);
  void Int(int64_t value) { Raw(std::to_string(value)); }
  void Bool(bool value) { Raw(value ? "t" : "f"); }
  void Id(const Uuid& value) { Raw(value.ToString()); }
  void Time(absl::Time value) { Int(absl::ToUnixMicros(value)); }
  void Bytes(std::string_view value);
  void Null() { Raw("NULL"); }
  // The literal; the builder is empty afterwards.
  std::string Take();

 private:
  void Raw(std::string_view value);
  std::string text_ = "{";
};

std::string TextArray(std::span<const std::string> values);
std::string IdArray(std::span<const Uuid> values);

}  // namespace forebay::server
