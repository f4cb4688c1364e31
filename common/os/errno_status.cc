#include "common/os/errno_status.h"

#include <cerrno>
#include <system_error>

#include "common/base/status.h"

namespace forebay {
namespace {

Error ErrorOf(int number) {
  switch (number) {
    case ENOENT:
      return Error(absl::StatusCode::kNotFound, "FILE_NOT_FOUND");
    case EEXIST:
      return Error(absl::StatusCode::kAlreadyExists, "FILE_EXISTS");
    case EACCES:
    case EPERM:
    case EROFS:
      return Error(absl::StatusCode::kPermissionDenied, "PERMISSION_DENIED");
    case ENOSPC:
    case EDQUOT:
      return Error(absl::StatusCode::kResourceExhausted, "NO_SPACE");
    default:
      return Error(absl::StatusCode::kUnavailable, "SYSTEM_CALL_FAILED");
  }
}

}  // namespace

absl::Status ErrnoStatus(int number, std::string_view what) {
  return ErrorOf(number)
      .With("what", what)
      .Says("{}: {}", what, std::generic_category().message(number));
}

}  // namespace forebay
