#include "server/api/update_mask.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "common/base/status.h"

namespace forebay::server {

absl::StatusOr<UpdateMask> UpdateMask::Parse(const google::protobuf::FieldMask& mask,
                                             std::span<const std::string_view> allowed,
                                             std::string_view what) {
  UpdateMask parsed;
  parsed.paths_.assign(mask.paths().begin(), mask.paths().end());
  if (parsed.paths_.empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "UPDATE_MASK_EMPTY")
        .Says("update_mask names no field");
  }
  for (const std::string& path : parsed.paths_) {
    if (std::find(allowed.begin(), allowed.end(), path) != allowed.end()) continue;
    const std::string known = fmt::format("{}", fmt::join(allowed, ", "));
    return Error(absl::StatusCode::kInvalidArgument, "UNKNOWN_FIELD")
        .Field("update_mask", path)
        .With("allowed", known)
        .Says("'{}' is not a field of {} that can be changed; these can: {}", path, what, known);
  }
  return parsed;
}

bool UpdateMask::Names(std::string_view path) const {
  return std::find(paths_.begin(), paths_.end(), path) != paths_.end();
}

}  // namespace forebay::server
