#include "common/config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <unordered_set>

#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay {
namespace {

constexpr size_t kMaxBytes = 1 << 20;
constexpr int kMaxNodes = 100'000;

// An exception inside this file only: the walk is recursive.
struct Refusal {
  std::string why;
  YAML::Mark mark;
};

std::string Place(const YAML::Mark& mark) {
  return mark.is_null() ? "" : fmt::format("line {}, column {}: ", mark.line + 1, mark.column + 1);
}

bool IsInteger(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// The core schema's float; what JSON cannot hold (.inf, .nan) stays text.
std::optional<double> ParseFloat(std::string_view text) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  if (text.find_first_not_of("0123456789+-.eE") != std::string_view::npos) return std::nullopt;
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

Json IntegerOf(std::string_view text, const YAML::Mark& mark) {
  const std::string_view digits = text.front() == '+' ? text.substr(1) : text;
  if (const auto value = ParseInt(digits)) return *value;
  uint64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (error != std::errc() || stop != end)
    throw Refusal{fmt::format("{} does not fit 64 bits", text), mark};
  return value;
}

Json PlainScalar(const std::string& text, const YAML::Mark& mark) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
    return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (IsInteger(text)) return IntegerOf(text, mark);
  if (const auto value = ParseFloat(text)) return *value;
  return text;
}

class Converter {
 public:
  Json Convert(const YAML::Node& node, int depth) {
    if (depth > kMaxJsonDepth)
      Refuse(fmt::format("nested deeper than {} levels", kMaxJsonDepth), node);
    if (++nodes_ > kMaxNodes)
      Refuse(fmt::format("more than {} values, aliases counted", kMaxNodes), node);
    const std::string& tag = node.Tag();
    if (!tag.empty() && tag != "?" && tag != "!")
      Refuse(fmt::format("the tag {} is not allowed", tag), node);
    if (node.IsMap()) return ConvertMap(node, depth);
    if (node.IsSequence()) return ConvertSequence(node, depth);
    if (!node.IsScalar()) return nullptr;
    return tag == "!" ? Json(node.Scalar()) : PlainScalar(node.Scalar(), node.Mark());
  }

 private:
  [[noreturn]] static void Refuse(std::string why, const YAML::Node& at) {
    throw Refusal{std::move(why), at.Mark()};
  }

  Json ConvertMap(const YAML::Node& node, int depth) {
    Json object = Json::object();
    std::unordered_set<std::string> keys;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) Refuse("a key must be plain text", entry.first);
      const std::string& key = entry.first.Scalar();
      if (!keys.insert(key).second) Refuse(fmt::format("key `{}` appears twice", key), entry.first);
      static_cast<Json::object_t::Container&>(object.get_ref<Json::object_t&>())
          .emplace_back(key, Convert(entry.second, depth + 1));
    }
    return object;
  }

  Json ConvertSequence(const YAML::Node& node, int depth) {
    Json array = Json::array();
    for (const auto& item : node) array.push_back(Convert(item, depth + 1));
    return array;
  }

  int nodes_ = 0;
};

class Ignored : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

// 0, 1, or 2 for more. YAML::LoadAll never ends on text whose documents are empty and consume
// nothing, such as a comma where no flow collection is open.
int CountDocuments(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Ignored ignored;
  int count = 0;
  while (count < 2 && parser.HandleNextDocument(ignored)) ++count;
  return count;
}

absl::Status InvalidYaml(std::string_view what, std::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_YAML")
      .Field(what, "")
      .Says("{} is not valid YAML: {}", what, why);
}

}  // namespace

absl::StatusOr<Json> ParseYaml(std::string_view text, std::string_view what) {
  if (text.size() > kMaxBytes) return InvalidYaml(what, "it is larger than 1 MiB");
  try {
    const std::string copy(text);
    const int documents = CountDocuments(copy);
    if (documents > 1) return InvalidYaml(what, "it holds more than one document");
    if (documents == 0) return Json();
    return Converter().Convert(YAML::Load(copy), 1);
  } catch (const Refusal& refusal) {
    return InvalidYaml(what, Place(refusal.mark) + refusal.why);
  } catch (const YAML::Exception& error) {
    return InvalidYaml(what, Place(error.mark) + error.msg);
  }
}

}  // namespace forebay
