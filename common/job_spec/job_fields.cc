#include "common/job_spec/job_fields.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay {

absl::Status InvalidJob(std::string_view field, std::string_view value, std::string_view problem) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_JOB")
      .Field(field, value)
      .Says("job configuration: '{}' {}", field, problem);
}

JobFields::JobFields(const Json& object, std::string where)
    : object_(object), where_(std::move(where)) {
  if (!object.is_object() && !object.is_null()) {
    error_ = InvalidJob(where_.empty() ? "job_configuration" : where_, DumpJson(object),
                        "is not an object");
  }
}

const Json* JobFields::Find(const std::string& key) {
  known_.push_back(key);
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(key);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

void JobFields::Wrong(const std::string& key, const Json& value, std::string_view expected) {
  if (!error_.ok()) return;
  error_ = InvalidJob(where_ + key, DumpJson(value),
                      fmt::format("is {}, not {}", JsonTypeName(value), expected));
}

void JobFields::Get(const std::string& key, std::string& value) {
  const Json* found = Find(key);
  if (found == nullptr) return;
  if (!found->is_string()) return Wrong(key, *found, "a string");
  value = found->get<std::string>();
}

void JobFields::Get(const std::string& key, bool& value) {
  const Json* found = Find(key);
  if (found == nullptr) return;
  if (!found->is_boolean()) return Wrong(key, *found, "true or false");
  value = found->get<bool>();
}

void JobFields::Get(const std::string& key, int64_t& value, int64_t least) {
  const Json* found = Find(key);
  if (found == nullptr) return;
  const bool too_large = found->is_number_unsigned() && found->get<uint64_t>() > INT64_MAX;
  if (!found->is_number_integer() || too_large) return Wrong(key, *found, "an integer");
  value = found->get<int64_t>();
  if (value < least && error_.ok()) {
    error_ = InvalidJob(where_ + key, DumpJson(*found), fmt::format("is less than {}", least));
  }
}

void JobFields::Get(const std::string& key, std::vector<std::string>& value) {
  const Json* found = Find(key);
  if (found == nullptr) return;
  const auto is_text = [](const Json& item) { return item.is_string(); };
  if (!found->is_array() || !std::all_of(found->begin(), found->end(), is_text)) {
    return Wrong(key, *found, "a list of strings");
  }
  value = found->get<std::vector<std::string>>();
}

void JobFields::Get(const std::string& key, std::map<std::string, std::string>& value) {
  const Json* found = GetObject(key);
  if (found == nullptr) return;
  for (const auto& [name, item] : found->items()) {
    if (!item.is_string()) return Wrong(key + "." + name, item, "a string");
    value[name] = item.get<std::string>();
  }
}

const Json* JobFields::GetObject(const std::string& key) {
  const Json* found = Find(key);
  if (found == nullptr || found->is_object()) return found;
  Wrong(key, *found, "an object");
  return nullptr;
}

absl::Status JobFields::Finish() {
  if (!error_.ok() || !object_.is_object()) return error_;
  for (const auto& [key, value] : object_.items()) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_JOB")
        .Field(where_ + key, DumpJson(value))
        .With("nearest", NearestName(key, known_))
        .With("allowed", Join(known_, ", "))
        .Says("job configuration: '{}' means nothing to this type of pool; known: {}", where_ + key,
              Join(known_, ", "));
  }
  return absl::OkStatus();
}

}  // namespace forebay
