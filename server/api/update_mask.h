#pragma once

// Which fields an update may change, and changing them. Pure.

#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/message.h>

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
  // Lays the named fields of `given` over `resource`, a message of the same type; what `given` does
  // not have is cleared there. A oneof's name stands for whichever of its fields is set.
  void Overlay(const google::protobuf::Message& given, google::protobuf::Message& resource) const;

 private:
  std::vector<std::string> paths_;
};

}  // namespace forebay::server
