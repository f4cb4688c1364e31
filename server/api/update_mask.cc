#include "server/api/update_mask.h"

#include <fmt/ranges.h>
#include <google/protobuf/util/field_mask_util.h>

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

void UpdateMask::Overlay(const google::protobuf::Message& given,
                         google::protobuf::Message& resource) const {
  const google::protobuf::Reflection& fields = *given.GetReflection();
  google::protobuf::FieldMask mask;
  for (const std::string& path : paths_) {
    const auto* oneof = given.GetDescriptor()->FindOneofByName(path);
    if (oneof == nullptr) {
      mask.add_paths(path);
      continue;
    }
    fields.ClearOneof(&resource, oneof);
    if (fields.HasOneof(given, oneof))
      mask.add_paths(fields.GetOneofFieldDescriptor(given, oneof)->name());
  }
  google::protobuf::util::FieldMaskUtil::MergeOptions replace;
  replace.set_replace_message_fields(true);
  replace.set_replace_repeated_fields(true);
  google::protobuf::util::FieldMaskUtil::MergeMessageTo(given, mask, replace, &resource);
}

bool UpdateMask::Names(std::string_view path) const {
  return std::find(paths_.begin(), paths_.end(), path) != paths_.end();
}

}  // namespace forebay::server
