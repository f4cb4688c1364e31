#pragma once

#include <google/protobuf/message.h>

#include "absl/status/status.h"

namespace forebay::server {

// Whether the database can keep every text of the request, at any depth: it keeps no U+0000.
// INVALID_ARGUMENT (INVALID_TEXT) naming the first field that it could not keep, as
// "labels.team" or "tags". Bytes fields are taken as they are. Pure.
absl::Status CheckStorable(const google::protobuf::Message& request);

}  // namespace forebay::server
