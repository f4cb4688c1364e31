#pragma once

// Which fields an update may change. Pure.

#include <google/protobuf/field_mask.pb.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace forebay::server {

class UpdateMask {
 public:
  // INVALID_ARGUMENT (UPDATE_MASK_EMPTY, UNKNOWN_FIELD). `what`: "a deployment", for the text.
  static absl::StatusOr<UpdateMask> Parse(const google::protobuf::FieldMask& mask,
                                          std::span<const std::string_view> allowed,
                                          std::string_view what);
  bool Names(std::string_view path) const;
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  std::vector<std::string> paths_;
};

}  // namespace forebay::server
