#include "common/job_spec/kubernetes_schema.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/job_spec/job_fields.h"
#include "common/job_spec/kubernetes_fields.h"
#include "common/job_spec/quantity.h"
#include "common/job_template/pointer.h"

namespace forebay {
namespace {

using kubernetes::KnownField;
using kubernetes::KnownType;
using kubernetes::Shape;

bool IsText(const Json& value) { return value.is_string(); }
bool IsInteger(const Json& value) {
  return value.is_number_integer() &&
         !(value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX);
}

bool AllItems(const Json& value, bool (*fits)(const Json&)) {
  return std::all_of(value.begin(), value.end(), [fits](const Json& item) { return fits(item); });
}

// Nothing when the value has the shape, else what it should be; what is inside objects with fields
// of their own is not looked at.
std::string_view Expected(Shape shape, const Json& value) {
  switch (shape) {
    case Shape::kText:
      return value.is_string() ? "" : "a string";
    case Shape::kFlag:
      return value.is_boolean() ? "" : "true or false";
    case Shape::kInteger:
      return IsInteger(value) ? "" : "an integer";
    case Shape::kIntegers:
      return value.is_array() && AllItems(value, IsInteger) ? "" : "a list of integers";
    case Shape::kTexts:
      return value.is_array() && AllItems(value, IsText) ? "" : "a list of strings";
    case Shape::kTextMap:
      return value.is_object() && AllItems(value, IsText) ? "" : "an object of strings";
    case Shape::kQuantities:
    case Shape::kObject:
      return value.is_object() ? "" : "an object";
    case Shape::kObjects:
      return value.is_array() ? "" : "a list of objects";
    case Shape::kAny:
    case Shape::kRefused:
      break;
  }
  return "";
}

class ShapeCheck {
 public:
  absl::Status Object(const Json& object, KnownType type, const std::string& where) {
    if (!object.is_object()) return Wrong(where, object, "an object");
    for (const auto& [key, value] : object.items()) {
      const KnownField* field = type.Find(key);
      if (field == nullptr) return Unknown(where, key, value, type);
      RETURN_IF_ERROR(Field(*field, value, fmt::format("{}.{}", where, key)));
    }
    return absl::OkStatus();
  }

 private:
  static absl::Status Wrong(const std::string& where, const Json& value, std::string_view wanted) {
    return InvalidJob(where, DumpJson(value),
                      fmt::format("is {}, not {}", JsonTypeName(value), wanted));
  }

  static absl::Status Unknown(const std::string& where, const std::string& key, const Json& value,
                              KnownType type) {
    std::vector<std::string> names;
    for (const KnownField& field : type) names.emplace_back(field.name);
    const std::string nearest = NearestName(key, names);
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_JOB")
        .Field(where + "." + ToValidUtf8(key), DumpJson(value))
        .With("nearest", nearest)
        .With("allowed", Join(names, ", "))
        .Says(
            "job configuration: '{}.{}' is no field of Kubernetes that is known here{}; known: {}",
            where, ToValidUtf8(key),
            nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest), Join(names, ", "));
  }

  absl::Status Field(const KnownField& field, const Json& value, const std::string& where) {
    if (field.shape == Shape::kRefused) return InvalidJob(where, DumpJson(value), field.refusal);
    const std::string_view expected = Expected(field.shape, value);
    if (!expected.empty()) return Wrong(where, value, expected);
    if (field.shape == Shape::kQuantities) return Quantities(value, where);
    if (field.shape == Shape::kObject) return Object(value, field.type, where);
    if (field.shape != Shape::kObjects) return absl::OkStatus();
    for (size_t i = 0; i < value.size(); ++i) {
      RETURN_IF_ERROR(Object(value[i], field.type, fmt::format("{}.{}", where, i)));
    }
    return absl::OkStatus();
  }

  static absl::Status Quantities(const Json& amounts, const std::string& where) {
    for (const auto& [name, amount] : amounts.items()) {
      const auto quantity = QuantityOf(amount);
      const std::string field = where + "." + ToValidUtf8(name);
      if (!quantity.has_value()) {
        return InvalidJob(field, DumpJson(amount),
                          "is no quantity such as \"250m\", \"1.5\", \"64Mi\" or \"2G\"");
      }
      if (quantity->nanos < 0) return InvalidJob(field, DumpJson(amount), "is less than 0");
    }
    return absl::OkStatus();
  }
};

class Listing {
 public:
  void Object(const Json& object, KnownType type, const std::string& name) {
    for (const auto& [key, value] : object.items()) {
      const KnownField* field = type.Find(key);
      if (field == nullptr) continue;
      const Descend descend(pointer_, key);
      const std::string full = name.empty() ? key : fmt::format("{}.{}", name, key);
      if (field->listed) found_.push_back({Short(full), pointer_});
      if (field->shape == Shape::kObject) Object(value, field->type, full);
      if (field->shape == Shape::kObjects) Objects(value, field->type, full);
    }
  }

  std::vector<ListedField> Take() { return std::move(found_); }

 private:
  void Objects(const Json& list, KnownType type, const std::string& name) {
    for (size_t i = 0; i < list.size(); ++i) {
      const Descend descend(pointer_, std::to_string(i));
      Object(list[i], type, name);
    }
  }

  static std::string Short(const std::string& name) {
    constexpr std::string_view kPod = "spec.template.spec.";
    return name.starts_with(kPod) ? name.substr(kPod.size()) : name;
  }

  std::string pointer_;
  std::vector<ListedField> found_;
};

}  // namespace

absl::Status CheckManifestShape(const Json& manifest, std::string_view where) {
  return ShapeCheck().Object(manifest, kubernetes::JobType(), std::string(where));
}

std::vector<ListedField> ListedFields(const Json& manifest) {
  Listing listing;
  listing.Object(manifest, kubernetes::JobType(), "");
  return listing.Take();
}

bool IsVolumeKind(std::string_view name) {
  return name != "name" && kubernetes::VolumeType().Find(name) != nullptr;
}

}  // namespace forebay
