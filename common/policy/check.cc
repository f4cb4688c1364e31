#include "common/policy/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "common/job_template/pointer.h"
#include "common/policy/glob.h"

namespace forebay {
namespace {

std::string ListText(const std::vector<Json>& items) {
  if (items.empty()) return "nothing";
  std::vector<std::string> texts;
  for (const Json& item : items) {
    texts.push_back(item.is_string() ? item.get<std::string>() : DumpJson(item));
  }
  return Join(texts, ", ");
}

// "docker.io/library/python" of "docker.io/library/python:3.12@sha256:…".
std::string_view ImageName(std::string_view image) {
  image = image.substr(0, image.find('@'));
  const size_t colon = image.rfind(':');
  const size_t slash = image.rfind('/');
  return colon != std::string_view::npos && colon > slash ? image.substr(0, colon) : image;
}

bool ImageMatches(std::string_view glob, std::string_view image) {
  // A glob without tag or digest is about the name.
  const size_t slash = glob.rfind('/');
  const std::string_view last = slash == std::string_view::npos ? glob : glob.substr(slash);
  if (last.find_first_of(":@") == std::string_view::npos) {
    return GlobMatches(glob, ImageName(image));
  }
  return GlobMatches(glob, image) || GlobMatches(glob, image.substr(0, image.find('@')));
}

// A mount is named by what is mounted, or by all of it.
bool VolumeMatches(std::string_view glob, std::string_view volume) {
  if (glob.find(':') != std::string_view::npos) return GlobMatches(glob, volume);
  return GlobMatches(glob, volume.substr(0, volume.find(':')));
}

bool Matches(FieldKind kind, const Json& pattern, const Json& value) {
  if (!pattern.is_string() || !value.is_string()) return pattern == value;
  const auto& glob = pattern.get_ref<const std::string&>();
  const auto& text = value.get_ref<const std::string&>();
  if (kind == FieldKind::kImage) return ImageMatches(glob, text);
  if (kind == FieldKind::kVolumes) return VolumeMatches(glob, text);
  return GlobMatches(glob, text);
}

bool MatchesAny(FieldKind kind, const std::vector<Json>& patterns, const Json& value) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const Json& pattern) { return Matches(kind, pattern, value); });
}

// Calls `wrong` for each item that stands in the field until it says true; where the item stands,
// and what it is.
std::optional<Fault> FirstItem(const Json& value, const std::function<bool(const Json&)>& wrong) {
  if (!value.is_structured()) {
    if (!wrong(value)) return std::nullopt;
    return Fault{"", value, "", ""};
  }
  size_t index = 0;
  for (const auto& [key, item] : value.items()) {
    const Json name = value.is_object() ? Json(key) : item;
    const std::string step = value.is_object() ? PointerStep(key) : std::to_string(index++);
    if (wrong(name)) return Fault{"/" + step, name, "", ""};
  }
  return std::nullopt;
}

// What an empty list of allowed values forbids as little as a rule would notice.
bool IsNothing(const Json& value) {
  return value == false || value == 0 || (value.is_structured() && value.empty());
}

std::optional<Fault> CheckAllow(const Rule& rule, const Json& value) {
  if (!rule.allow.has_value()) return std::nullopt;
  if (rule.allow->empty() && IsNothing(value)) return std::nullopt;
  auto fault = FirstItem(
      value, [&](const Json& item) { return !MatchesAny(rule.field->kind, *rule.allow, item); });
  if (!fault.has_value()) return std::nullopt;
  fault->allowed = ListText(*rule.allow);
  fault->why = "which is not among what is allowed: " + fault->allowed;
  return fault;
}

std::optional<Fault> CheckDeny(const Rule& rule, const Json& value) {
  auto fault = FirstItem(
      value, [&](const Json& item) { return MatchesAny(rule.field->kind, rule.deny, item); });
  if (fault.has_value()) fault->why = "which is denied";
  return fault;
}

std::string LimitText(const Rule& rule, double limit) {
  if (rule.field->kind == FieldKind::kSize) return fmt::format("{:.0f} bytes", limit);
  return fmt::format("{}", limit);
}

std::optional<Fault> CheckLimits(const Rule& rule, const Json* value) {
  // Unlimited, said or not.
  const bool number = value != nullptr && value->is_number();
  const bool unlimited = !number || (rule.field->kind == FieldKind::kSize && *value < 0);
  const double given = number ? value->get<double>() : 0;
  if (rule.max.has_value() && (unlimited || given > *rule.max)) {
    const std::string most = "at most " + LimitText(rule, *rule.max);
    return Fault{"", value == nullptr ? Json() : *value, most,
                 unlimited ? "which is no limit; it must be " + most : "which is not " + most};
  }
  if (rule.min.has_value() && number && !unlimited && given < *rule.min) {
    const std::string least = "at least " + LimitText(rule, *rule.min);
    return Fault{"", *value, least, "which is not " + least};
  }
  return std::nullopt;
}

std::optional<Fault> CheckInclude(const Rule& rule, const Json* value) {
  for (const std::string& item : rule.include) {
    const bool there =
        value != nullptr && value->is_array() && std::ranges::count(*value, Json(item)) > 0;
    if (there) continue;
    return Fault{"", value == nullptr ? Json() : *value, item,
                 fmt::format("which does not contain {}", item)};
  }
  return std::nullopt;
}

std::optional<Fault> CheckForm(const Rule& rule, const Json& value) {
  if (rule.require_digest) {
    auto fault = FirstItem(value, [](const Json& image) {
      return !image.is_string() ||
             image.get_ref<const std::string&>().find('@') == std::string::npos;
    });
    if (fault.has_value()) {
      fault->allowed = "name@sha256:...";
      fault->why = "which has no digest";
      return fault;
    }
  }
  if (!rule.read_only) return std::nullopt;
  auto fault = FirstItem(value, [](const Json& item) {
    return !item.is_string() || !item.get_ref<const std::string&>().ends_with(":ro");
  });
  if (fault.has_value()) fault->why = "which is not read-only (:ro)";
  return fault;
}

bool IsForeignNetwork(const Json& mode) {
  return mode == "host" ||
         (mode.is_string() && mode.get_ref<const std::string&>().starts_with("container:"));
}

bool IsHostPath(const Json& volume) {
  return !volume.is_string() || volume.get_ref<const std::string&>().starts_with('/');
}

// nfs, iscsi, hostPath and so on reach past the cluster's own storage.
bool IsUnrestrictedVolume(const Json& volume) {
  constexpr std::string_view kKinds[] = {"configMap",
                                         "csi",
                                         "downwardAPI",
                                         "emptyDir",
                                         "ephemeral",
                                         "image",
                                         "projected",
                                         "persistentVolumeClaim",
                                         "secret",
                                         "serviceAccountToken",
                                         "clusterTrustBundle"};
  if (!volume.is_string()) return true;
  const std::string_view text = volume.get_ref<const std::string&>();
  return std::ranges::count(kKinds, text.substr(0, text.find(':'))) == 0;
}

bool IsUnconfined(const Json& profile) {
  return !profile.is_string() || profile.get_ref<const std::string&>().starts_with("Unconfined");
}

}  // namespace

std::optional<Fault> CheckRule(const Rule& rule, const Json* value) {
  if (auto fault = CheckLimits(rule, value)) return fault;
  if (auto fault = CheckInclude(rule, value)) return fault;
  if (value == nullptr) {
    if (!rule.required) return std::nullopt;
    return Fault{"", Json(), rule.allow.has_value() ? ListText(*rule.allow) : "",
                 "and must be given"};
  }
  if (auto fault = CheckAllow(rule, *value)) return fault;
  if (auto fault = CheckDeny(rule, *value)) return fault;
  return CheckForm(rule, *value);
}

std::optional<Fault> CheckBuiltIn(const FieldRule& field, const Json* value) {
  if (value == nullptr) return std::nullopt;
  std::optional<Fault> fault;
  switch (field.built_in) {
    case FieldRule::BuiltIn::kFree:
      return std::nullopt;
    case FieldRule::BuiltIn::kForbidden:
      if (IsNothing(*value)) return std::nullopt;
      fault = FirstItem(*value, [](const Json&) { return true; });
      break;
    case FieldRule::BuiltIn::kOwnNetwork:
      fault = FirstItem(*value, IsForeignNetwork);
      break;
    case FieldRule::BuiltIn::kNoHostPaths:
      fault = FirstItem(*value, IsHostPath);
      break;
    case FieldRule::BuiltIn::kRestrictedVolumes:
      fault = FirstItem(*value, IsUnrestrictedVolume);
      break;
    case FieldRule::BuiltIn::kConfined:
      fault = FirstItem(*value, IsUnconfined);
      break;
  }
  if (fault.has_value()) {
    fault->why = "which is denied unless a rule of the pool's policy allows it";
  }
  return fault;
}

}  // namespace forebay
