#pragma once

// API messages as people want to read them in JSON and YAML. Pure.

#include <google/protobuf/message.h>

#include "common/json/json.h"

namespace forebay::cli {

// Field names as in the protos; 64-bit integers as numbers, enums without their prefix, times as
// RFC 3339, durations as "15s", JSON texts (parameters, job variables, templates) as the JSON they
// hold. Messages and `optional` fields that are absent are left out.
Json ToJson(const google::protobuf::Message& message);

// "STATE_TYPE_COMPLETED" -> "COMPLETED".
std::string ShortEnumName(const google::protobuf::EnumValueDescriptor& value);

}  // namespace forebay::cli
