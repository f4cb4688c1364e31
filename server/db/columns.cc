#include "server/db/columns.h"

namespace forebay::server {
namespace {

void Append(std::string& out, uint64_t value, size_t size) {
  for (size_t i = size; i > 0; --i) out += static_cast<char>(value >> (8 * (i - 1)));
}

constexpr uint64_t kNullLength = 0xFFFFFFFF;

}  // namespace

void Column::Null() {
  nulls_ = true;
  ++count_;
  Append(elements_, kNullLength, 4);
}

void Column::Element(std::string_view bytes) {
  ++count_;
  Append(elements_, bytes.size(), 4);
  elements_ += bytes;
}

void Column::Integer(uint64_t value, size_t size) {
  ++count_;
  Append(elements_, size, 4);
  Append(elements_, value, size);
}

std::string Column::Take() {
  std::string array;
  array.reserve(20 + elements_.size());
  Append(array, count_ == 0 ? 0 : 1, 4);  // Dimensions.
  Append(array, nulls_ ? 1 : 0, 4);
  Append(array, type_, 4);
  if (count_ > 0) {
    Append(array, count_, 4);
    Append(array, 1, 4);  // The first index.
  }
  array += elements_;
  elements_.clear();
  count_ = 0;
  nulls_ = false;
  return array;
}

void IdColumn::Add(const Uuid& id) {
  Element({reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
}

std::string BinaryInt(int32_t value) {
  std::string bytes;
  Append(bytes, static_cast<uint32_t>(value), 4);
  return bytes;
}

std::string BinaryIds(std::span<const Uuid> ids) {
  IdColumn column;
  for (const Uuid& id : ids) column.Add(id);
  return column.Take();
}

}  // namespace forebay::server
