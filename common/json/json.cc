#include "common/json/json.h"

#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay {
namespace {

constexpr size_t kShownValueBytes = 120;

std::string Shown(std::string_view text) {
  if (text.size() <= kShownValueBytes) return ToValidUtf8(text);
  return ToValidUtf8(text.substr(0, kShownValueBytes)) + "…";
}

absl::Status InvalidJson(std::string_view field, std::string_view text, std::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_JSON")
      .Field(field, Shown(text))
      .Says("{} is not valid JSON: {}", field, why);
}

// "[json.exception.parse_error.101] parse error at line 1, column 2: …" without what only its maker
// needs.
std::string PlainReason(std::string_view what) {
  if (const size_t end = what.find("] "); what.starts_with('[') && end != std::string_view::npos) {
    what.remove_prefix(end + 2);
  }
  constexpr std::string_view kLead = "parse error at ";
  if (what.starts_with(kLead)) what.remove_prefix(kLead.size());
  return ToValidUtf8(what);
}

bool LooksLikeInteger(std::string_view number) {
  return number.find_first_of(".eE") == std::string_view::npos;
}

// Builds the value while it watches what the library's own builder lets pass: duplicate keys,
// depth, integers that would silently become floating point.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return Add(nullptr); }
  bool boolean(bool value) override { return Add(value); }
  bool number_integer(int64_t value) override { return Add(value); }
  bool number_unsigned(uint64_t value) override { return Add(value); }
  bool number_float(double value, const std::string& text) override {
    if (LooksLikeInteger(text)) return Refuse(fmt::format("{} does not fit 64 bits", Shown(text)));
    return Add(value);
  }
  bool string(std::string& value) override { return Add(std::move(value)); }
  bool binary(nlohmann::json::binary_t&) override { return Refuse("binary values are not JSON"); }
  bool start_object(size_t) override { return Open(Json::object()); }
  bool start_array(size_t) override { return Open(Json::array()); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }
  bool key(std::string& name) override {
    if (!open_.back().keys.insert(name).second) {
      return Refuse(fmt::format("key `{}` appears twice in one object", Shown(name)));
    }
    open_.back().key = std::move(name);
    return true;
  }
  bool parse_error(size_t, const std::string&, const nlohmann::json::exception& error) override {
    return Refuse(PlainReason(error.what()));
  }

  Json TakeRoot() { return std::move(root_); }
  const std::string& refusal() const { return refusal_; }

 private:
  struct Container {
    Json value;
    std::string key;
    std::unordered_set<std::string> keys;
  };

  bool Refuse(std::string why) {
    refusal_ = std::move(why);
    return false;
  }

  bool Add(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return true;
    }
    Container& parent = open_.back();
    if (parent.value.is_array()) {
      parent.value.push_back(std::move(value));
    } else {
      // The key is known to be new: without this, each insertion would search the whole object.
      auto& object = parent.value.get_ref<Json::object_t&>();
      static_cast<Json::object_t::Container&>(object).emplace_back(parent.key, std::move(value));
    }
    return true;
  }

  bool Open(Json empty) {
    if (open_.size() >= static_cast<size_t>(kMaxJsonDepth)) {
      return Refuse(fmt::format("nested deeper than {} levels", kMaxJsonDepth));
    }
    open_.push_back({std::move(empty), {}, {}});
    return true;
  }

  bool Close() {
    Json value = std::move(open_.back().value);
    open_.pop_back();
    return Add(std::move(value));
  }

  std::vector<Container> open_;
  Json root_;
  std::string refusal_;
};

}  // namespace

absl::StatusOr<Json> ParseJson(std::string_view text, std::string_view field) {
  Builder builder;
  if (!Json::sax_parse(text, &builder)) return InvalidJson(field, text, builder.refusal());
  return builder.TakeRoot();
}

absl::StatusOr<Json> ParseJsonObject(std::string_view text, std::string_view field) {
  if (Trim(text).empty()) return Json::object();
  ASSIGN_OR_RETURN(Json value, ParseJson(text, field));
  if (!value.is_object()) {
    return InvalidJson(field, text,
                       fmt::format("it must be an object, not {}", JsonTypeName(value)));
  }
  return value;
}

std::string DumpJson(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string DumpPrettyJson(const Json& value) {
  return value.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string_view JsonTypeName(const Json& value) {
  if (value.is_object()) return "object";
  if (value.is_array()) return "array";
  if (value.is_string()) return "string";
  if (value.is_boolean()) return "boolean";
  if (value.is_null()) return "null";
  return "number";
}

}  // namespace forebay
