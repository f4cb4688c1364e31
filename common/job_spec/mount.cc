#include "common/job_spec/mount.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/job_spec/job_fields.h"

namespace forebay {
namespace {

bool IsAlnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool IsPlainPart(std::string_view part) { return !part.empty() && part != "." && part != ".."; }

}  // namespace

bool IsEngineName(std::string_view name) {
  constexpr size_t kMostBytes = 128;
  return !name.empty() && name.size() <= kMostBytes && IsAlnum(name[0]) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return IsAlnum(c) || c == '_' || c == '.' || c == '-'; });
}

bool IsPlainPath(std::string_view path) {
  constexpr size_t kMostBytes = 4096;
  if (!path.starts_with('/') || path.size() > kMostBytes) return false;
  const auto control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; };
  if (std::any_of(path.begin(), path.end(), control)) return false;
  if (path == "/") return true;
  const auto parts = Split(path.substr(1), '/');
  return std::all_of(parts.begin(), parts.end(), IsPlainPart);
}

std::string VolumeMount::ToString() const {
  return source + ":" + target + (read_only ? ":ro" : "");
}

absl::StatusOr<VolumeMount> ParseMount(std::string_view text, std::string_view field) {
  const auto parts = Split(text, ':');
  if (parts.size() < 2 || parts.size() > 3) {
    return InvalidJob(field, text, "is not source:target or source:target:ro");
  }
  VolumeMount mount;
  mount.source = parts[0];
  mount.target = parts[1];
  mount.host_path = parts[0].starts_with('/');
  if (mount.host_path ? !IsPlainPath(parts[0]) : !IsEngineName(parts[0])) {
    return InvalidJob(field, text,
                      "does not begin with the name of a volume or an absolute path without '.', "
                      "'..' and '//'");
  }
  if (!IsPlainPath(parts[1]) || parts[1] == "/") {
    return InvalidJob(field, text,
                      "does not mount on an absolute path without '.', '..' and '//' below '/'");
  }
  if (parts.size() == 3 && parts[2] != "ro" && parts[2] != "rw") {
    return InvalidJob(field, text, "has another option than ro or rw");
  }
  mount.read_only = parts.size() == 3 && parts[2] == "ro";
  return mount;
}

}  // namespace forebay
