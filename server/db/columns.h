#pragma once

// A whole batch as the parameters of one statement, in PostgreSQL's binary format: one array for
// each column of the batch, which the statement unnests. For the hot statements: as text an id
// costs the database sixteen conversions of two digits, and both sides the quoting.
//
// An array's element type must be the one that the statement casts the parameter to; the database
// refuses any other (array_recv of PostgreSQL). Not thread-safe.

#include <cassert>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/uuid.h"

namespace forebay::server {

// In the order of $1, $2, …; none is null.
using BinaryParams = std::vector<std::string>;

// One array, built element by element.
class Column {
 public:
  void Null();
  // The parameter; the column is empty afterwards.
  std::string Take();

 protected:
  // `type`: the element's oid, which PostgreSQL never changes (pg_type.dat).
  explicit Column(uint32_t type) : type_(type) {}
  void Element(std::string_view bytes);
  // Most significant byte first.
  void Integer(uint64_t value, size_t size);

 private:
  const uint32_t type_;
  uint32_t count_ = 0;
  bool nulls_ = false;
  std::string elements_;
};

class IdColumn : public Column {
 public:
  IdColumn() : Column(2950) {}
  void Add(const Uuid& id);
  void Add(const std::optional<Uuid>& id) { id.has_value() ? Add(*id) : Null(); }
};

class TextColumn : public Column {
 public:
  TextColumn() : Column(25) {}
  void Add(std::string_view text) { Element(text); }
  void AddOptional(const std::optional<std::string>& text) {
    text.has_value() ? Element(*text) : Null();
  }
};

class BytesColumn : public Column {
 public:
  BytesColumn() : Column(17) {}
  void Add(std::string_view bytes) { Element(bytes); }
};

class BoolColumn : public Column {
 public:
  BoolColumn() : Column(16) {}
  void Add(bool value) { Integer(value ? 1 : 0, 1); }
};

// integer[], bigint[], smallint[].
template <typename Int, uint32_t kType>
class IntegerColumn : public Column {
 public:
  IntegerColumn() : Column(kType) {}
  void Add(int64_t value) {
    assert(static_cast<Int>(value) == value);
    Integer(static_cast<uint64_t>(value), sizeof(Int));
  }
  template <typename T>
  void Add(const std::optional<T>& value) {
    value.has_value() ? Add(static_cast<int64_t>(*value)) : Null();
  }
};
using IntColumn = IntegerColumn<int32_t, 23>;
using BigIntColumn = IntegerColumn<int64_t, 20>;
using SmallIntColumn = IntegerColumn<int16_t, 21>;

// A parameter that is one integer, not an array.
std::string BinaryInt(int32_t value);
std::string BinaryIds(std::span<const Uuid> ids);

}  // namespace forebay::server
