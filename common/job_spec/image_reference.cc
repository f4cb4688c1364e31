#include "common/job_spec/image_reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "common/base/text.h"
#include "common/job_spec/job_fields.h"

namespace forebay {
namespace {

constexpr size_t kMostCharacters = 255;
constexpr size_t kMostTag = 128;
constexpr size_t kDigestHex = 64;
constexpr std::string_view kDefaultRegistry = "docker.io";

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlnum(char c) { return IsLower(c) || IsDigit(c) || (c >= 'A' && c <= 'Z'); }
bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); }

bool All(std::string_view text, bool (*is)(char)) {
  return std::all_of(text.begin(), text.end(), is);
}

// Alphanumerics joined by one `.`, one or two `_`, or any number of `-`.
bool IsPathComponent(std::string_view part) {
  size_t at = 0;
  while (true) {
    const size_t word = at;
    while (at < part.size() && (IsLower(part[at]) || IsDigit(part[at]))) ++at;
    if (at == word) return false;
    if (at == part.size()) return true;
    const size_t separator = at;
    while (at < part.size() && part[at] == part[separator] && !IsAlnum(part[at])) ++at;
    const size_t length = at - separator;
    const char kind = part[separator];
    if (!(kind == '-' || (kind == '.' && length == 1) || (kind == '_' && length <= 2))) {
      return false;
    }
  }
}

bool IsHostLabel(std::string_view label) {
  return !label.empty() && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), [](char c) { return IsAlnum(c) || c == '-'; });
}

// host[:port], without a dot at its end.
bool IsRegistry(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    const std::string_view port = text.substr(colon + 1);
    if (port.empty() || port.size() > 5 || !All(port, IsDigit)) return false;
  }
  const auto labels = Split(text.substr(0, colon), '.');
  return std::all_of(labels.begin(), labels.end(), IsHostLabel);
}

bool NamesRegistry(std::string_view first) {
  return first.find_first_of(".:") != std::string_view::npos || first == "localhost";
}

bool IsTag(std::string_view tag) {
  const auto word = [](char c) { return IsAlnum(c) || c == '_'; };
  return !tag.empty() && tag.size() <= kMostTag && word(tag.front()) &&
         std::all_of(tag.begin(), tag.end(),
                     [&](char c) { return word(c) || c == '.' || c == '-'; });
}

bool IsDigest(std::string_view digest) {
  constexpr std::string_view kAlgorithm = "sha256:";
  if (!digest.starts_with(kAlgorithm)) return false;
  digest.remove_prefix(kAlgorithm.size());
  return digest.size() == kDigestHex && All(digest, IsHex);
}

// Takes tag and digest off the end of `rest`.
bool TakeVersion(std::string_view& rest, ImageReference& image) {
  if (const size_t at = rest.find('@'); at != std::string_view::npos) {
    image.digest = rest.substr(at + 1);
    if (!IsDigest(image.digest)) return false;
    rest = rest.substr(0, at);
  }
  const size_t colon = rest.rfind(':');
  const size_t slash = rest.rfind('/');
  if (colon == std::string_view::npos || (slash != std::string_view::npos && colon < slash)) {
    return true;
  }
  image.tag = rest.substr(colon + 1);
  rest = rest.substr(0, colon);
  return IsTag(image.tag);
}

bool TakeName(std::string_view rest, ImageReference& image) {
  const size_t slash = rest.find('/');
  image.registry = kDefaultRegistry;
  if (slash != std::string_view::npos && NamesRegistry(rest.substr(0, slash))) {
    if (!IsRegistry(rest.substr(0, slash))) return false;
    image.registry = ToLower(rest.substr(0, slash));
    rest.remove_prefix(slash + 1);
  }
  if (image.registry == "index.docker.io") image.registry = kDefaultRegistry;
  image.repository = rest;
  const auto parts = Split(rest, '/');
  if (!std::all_of(parts.begin(), parts.end(), IsPathComponent)) return false;
  if (parts.size() == 1 && image.registry == kDefaultRegistry) {
    image.repository = "library/" + image.repository;
  }
  return true;
}

}  // namespace

std::string ImageReference::ToString() const {
  std::string text = Name();
  if (!tag.empty()) text += ":" + tag;
  if (!digest.empty()) text += "@" + digest;
  return text;
}

absl::StatusOr<ImageReference> ParseImageReference(std::string_view text, std::string_view field) {
  if (text.empty()) return InvalidJob(field, "", "is empty: it must name an image");
  if (text.size() > kMostCharacters) {
    return InvalidJob(field, text.substr(0, kMostCharacters), "has more than 255 characters");
  }
  if (text.size() == kDigestHex && All(text, IsHex)) {
    return InvalidJob(field, text, "is an image's id; name the image, with @sha256:... if need be");
  }
  ImageReference image;
  std::string_view rest = text;
  if (!TakeVersion(rest, image) || !TakeName(rest, image)) {
    return InvalidJob(field, text,
                      fmt::format("('{}') is not an image reference; it has the form "
                                  "[registry/]name[:tag][@sha256:...], the name in lower case",
                                  ToValidUtf8(text)));
  }
  image.floating = image.digest.empty() && (image.tag.empty() || image.tag == "latest");
  if (image.tag.empty() && image.digest.empty()) image.tag = "latest";
  return image;
}

}  // namespace forebay
