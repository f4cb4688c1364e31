#include "common/json/json_lines.h"

#include <nlohmann/json.hpp>

#include "common/base/text.h"

namespace forebay {

void JsonLines::Feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    if (!overlong_) pending_ += bytes.substr(0, end);
    if (pending_.size() > longest_line_) {
      overlong_ = true;
      pending_.clear();
    }
    if (end == std::string_view::npos) return;
    if (!overlong_) Take(pending_);
    overlong_ = false;
    pending_.clear();
    bytes.remove_prefix(end + 1);
  }
}

void JsonLines::Take(std::string_view line) {
  if (Trim(line).empty()) return;
  const auto parsed = ParseJson(line, "message");
  if (parsed.ok() && parsed->is_object()) object_(*parsed);
}

}  // namespace forebay
