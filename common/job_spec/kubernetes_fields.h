#pragma once

// The tables behind kubernetes_schema.h. Pure.

#include <cstddef>
#include <string_view>

namespace forebay::kubernetes {

enum class Shape {
  // Passed on as it is.
  kAny,
  kText,
  kFlag,
  kInteger,
  kIntegers,
  kTexts,
  kTextMap,
  // Names and quantities.
  kQuantities,
  kObject,
  kObjects,
  // Known, and not the manifest's to say.
  kRefused,
};

struct KnownField;

// The fields of an object. Refers to a table that lives for ever.
struct KnownType {
  const KnownField* first = nullptr;
  size_t count = 0;

  const KnownField* begin() const { return first; }
  const KnownField* end() const;
  // Null for a name that is not known.
  const KnownField* Find(std::string_view name) const;
};

struct KnownField {
  std::string_view name;
  // Why it is refused; goes on behind the field's name.
  std::string_view refusal;
  // Of kObject and of the items of kObjects.
  KnownType type;
  Shape shape = Shape::kAny;
  // Whether the policy knows it by its name only (field `other`).
  bool listed = false;
};

inline const KnownField* KnownType::end() const { return first + count; }

KnownType JobType();
KnownType VolumeType();

}  // namespace forebay::kubernetes
