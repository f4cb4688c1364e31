#pragma once

// Errors of this project: an absl::Status whose text is for people and whose ErrorInfo is for
// programs.
//
// Every module edge returns absl::Status or absl::StatusOr. Makers below attach a stable reason and
// metadata, which survive the wire (common/rpc/status_wire.h). Thread-safe: all values.

#include <fmt/format.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace forebay {

// What a program reads of an error. `metadata` holds all dynamic parts of the text; the keys
// `field`, `value`, `nearest`, `allowed` and `next` (the command to type next) mean the same
// everywhere.
struct ErrorDetail {
  std::string reason;
  std::map<std::string, std::string> metadata;
};

// Builds one error: Error(kNotFound, "WORK_POOL_NOT_FOUND").With("value", name).Next("forebay
// work-pool ls")
//                       .Says("work pool '{}' does not exist", name)
class Error {
 public:
  Error(absl::StatusCode code, std::string_view reason) : code_(code) { detail_.reason = reason; }

  Error&& With(std::string_view key, std::string_view value) && {
    detail_.metadata[std::string(key)] = std::string(value);
    return std::move(*this);
  }
  // The field of the request that is wrong, and the value it had.
  Error&& Field(std::string_view field, std::string_view value) && {
    return std::move(*this).With("field", field).With("value", value);
  }
  // The command to type next.
  Error&& Next(std::string_view command) && { return std::move(*this).With("next", command); }

  template <typename... Args>
  absl::Status Says(fmt::format_string<Args...> format, Args&&... args) && {
    return Build(fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  absl::Status Build(std::string_view message) const;

  absl::StatusCode code_;
  ErrorDetail detail_;
};

// The detail that Error attached, or nothing.
std::optional<ErrorDetail> DetailOf(const absl::Status& status);
// The reason, or empty.
std::string ReasonOf(const absl::Status& status);
// Attaches a detail to a status that is not OK.
void AttachDetail(absl::Status& status, const ErrorDetail& detail);

// The message as a std view; Debian's absl::string_view is a type of its own.
inline std::string_view MessageOf(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}
// "<context>: <message>" with code and detail kept.
absl::Status Annotate(const absl::Status& status, std::string_view context);

}  // namespace forebay

#define FOREBAY_CONCAT_INNER(a, b) a##b
#define FOREBAY_CONCAT(a, b) FOREBAY_CONCAT_INNER(a, b)

// Returns from the function if it is an error. NOLINTBEGIN(bugprone-macro-parentheses): of names.
#define RETURN_IF_ERROR(expr) RETURN_IF_ERROR_IMPL(FOREBAY_CONCAT(status_, __COUNTER__), expr)
#define RETURN_IF_ERROR_IMPL(tmp, expr)         \
  do {                                          \
    if (absl::Status tmp = (expr); !tmp.ok()) { \
      return tmp;                               \
    }                                           \
  } while (false)

// ASSIGN_OR_RETURN(auto x, F()): x gets the value, or the function returns the error.
#define ASSIGN_OR_RETURN(lhs, expr) \
  ASSIGN_OR_RETURN_IMPL(FOREBAY_CONCAT(status_or_, __COUNTER__), lhs, expr)
#define ASSIGN_OR_RETURN_IMPL(tmp, lhs, expr)    \
  auto tmp = (expr);                             \
  if (!tmp.ok()) return std::move(tmp).status(); \
  lhs = *std::move(tmp)  // NOLINTEND(bugprone-macro-parentheses)
