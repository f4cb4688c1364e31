#include "server/db/params.h"

#include <fmt/format.h>

#include "common/base/text.h"

namespace forebay::server {

Args& Args::Double(double value) { return Push(fmt::format("{}", value)); }

Args& Args::Bytes(std::string_view value) { return Push("\\x" + HexEncode(value)); }

void ArrayLiteral::Raw(std::string_view value) {
  if (text_.size() > 1) text_ += ',';
  text_ += value;
}

void ArrayLiteral::Text(std::string_view value) {
  if (text_.size() > 1) text_ += ',';
  text_ += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += c;
  }
  text_ += '"';
}

void ArrayLiteral::Bytes(std::string_view value) {
  if (text_.size() > 1) text_ += ',';
  text_ += "\"\\\\x";
  text_ += HexEncode(value);
  text_ += '"';
}

std::string ArrayLiteral::Take() {
  std::string taken = std::move(text_) + "}";
  text_ = "{";
  return taken;
}

std::string TextArray(std::span<const std::string> values) {
  ArrayLiteral literal;
  for (const std::string& value : values) literal.Text(value);
  return literal.Take();
}

std::string IdArray(std::span<const Uuid> values) {
  ArrayLiteral literal;
  for (const Uuid& value : values) literal.Id(value);
  return literal.Take();
}

}  // namespace forebay::server
