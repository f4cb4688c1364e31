#pragma once

// Reads a rendered job configuration key by key, so that no key stays unread.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/json/json.h"

namespace forebay {

// For one object. Each getter reads one key; null is the same as absent and leaves `value` as it
// was. The first error is kept, and Finish tells it, or else the first key that no getter asked
// for. All errors are INVALID_ARGUMENT (INVALID_JOB) with `field`. Not thread-safe.
class JobFields {
 public:
  // `where`: what stands before a key in errors, e.g. "limits.". `object` outlives this.
  JobFields(const Json& object, std::string where);

  void Get(const std::string& key, std::string& value);
  void Get(const std::string& key, bool& value);
  // At least `least`.
  void Get(const std::string& key, int64_t& value, int64_t least);
  void Get(const std::string& key, std::vector<std::string>& value);
  void Get(const std::string& key, std::map<std::string, std::string>& value);
  // Whatever stands there, or null.
  const Json* GetValue(const std::string& key) { return Find(key); }
  // An object; a pointer into the object given, or null.
  const Json* GetObject(const std::string& key);
  absl::Status Finish();

 private:
  const Json* Find(const std::string& key);
  void Wrong(const std::string& key, const Json& value, std::string_view expected);

  const Json& object_;
  const std::string where_;
  std::vector<std::string> known_;
  absl::Status error_;
};

// INVALID_ARGUMENT (INVALID_JOB) about one field of the job configuration.
absl::Status InvalidJob(std::string_view field, std::string_view value, std::string_view problem);

}  // namespace forebay
