#include "worker/launch/process/format/fields.h"

#include "common/base/text.h"

namespace forebay::holder {

void AddField(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append(" ").append(std::to_string(value.size())).append("\n");
  text.append(value).append("\n");
}

void AddField(std::string& text, std::string_view name, int64_t value) {
  AddField(text, name, std::string_view(std::to_string(value)));
}

std::optional<std::vector<Field>> ParseFields(std::string_view text) {
  std::vector<Field> fields;
  while (!text.empty()) {
    const size_t space = text.find(' ');
    const size_t line_end = text.find('\n');
    if (line_end == text.npos || space > line_end) return std::nullopt;
    const auto length = ParseInt(text.substr(space + 1, line_end - space - 1));
    const size_t rest = text.size() - line_end - 1;
    if (!length.has_value() || *length < 0 || static_cast<size_t>(*length) + 1 > rest)
      return std::nullopt;
    const auto size = static_cast<size_t>(*length);
    if (text[line_end + 1 + size] != '\n') return std::nullopt;
    fields.push_back(
        {std::string(text.substr(0, space)), std::string(text.substr(line_end + 1, size))});
    text.remove_prefix(line_end + 1 + size + 1);
  }
  return fields;
}

}  // namespace forebay::holder
