#include "common/config/config.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/config/fields.h"
#include "common/config/help.h"
#include "common/config/yaml.h"

namespace forebay {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr char kConfigFlag[] = "config";

struct Flag {
  std::string name;
  std::optional<std::string> value;
};

std::string ToUpper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

std::string FlagOf(std::string_view field) { return "--" + ReplaceAll(field, "_", "-"); }

// `kind` is "key", "flag" or "environment variable"; `known` is spelled the same way as `name`.
absl::Status Unknown(std::string_view kind, std::string_view name,
                     const std::vector<std::string>& known, std::string_view where) {
  const std::string nearest = NearestName(name, known);
  return Error(absl::StatusCode::kInvalidArgument, "UNKNOWN_CONFIG_KEY")
      .Field(name, "")
      .With("nearest", nearest)
      .With("allowed", Join(known, ", "))
      .Says("unknown {} `{}`{}{}", kind, name, where,
            nearest.empty() ? "" : fmt::format("; did you mean `{}`?", nearest));
}

std::vector<std::string> ListParts(std::string_view text) {
  std::vector<std::string> parts;
  for (const std::string_view part : Split(text, ',')) {
    if (const auto trimmed = Trim(part); !trimmed.empty()) parts.emplace_back(trimmed);
  }
  return parts;
}

absl::StatusOr<std::string> ReadConfigFile(const std::string& path) {
  std::error_code ignored;
  std::ifstream file(path, std::ios::binary);
  // Reading a directory would throw.
  if (file && !std::filesystem::is_directory(path, ignored)) {
    return std::string{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  return Error(absl::StatusCode::kNotFound, "CONFIG_FILE_UNREADABLE")
      .Field(kConfigFlag, path)
      .Says("cannot read the configuration file {}", path);
}

std::string ScalarText(const Json& value) {
  return value.is_string() ? value.get<std::string>() : DumpJson(value);
}

absl::StatusOr<std::vector<std::string>> TextsOf(const Json& value, const FieldDescriptor& field) {
  std::vector<std::string> texts;
  if (field.is_repeated() && value.is_string()) return ListParts(value.get<std::string>());
  const bool list = field.is_repeated() && value.is_array();
  for (const Json& item : list ? value : Json::array({value})) {
    if (item.is_structured() || item.is_null()) {
      return Error(absl::StatusCode::kInvalidArgument, "INVALID_CONFIG_VALUE")
          .Field(field.name(), DumpJson(value))
          .Says("{} must be {}, not {}", field.name(), FieldTypeName(field), DumpJson(value));
    }
    texts.push_back(ScalarText(item));
  }
  return texts;
}

absl::Status LoadFile(const std::string& path, Message& config) {
  ASSIGN_OR_RETURN(const std::string text, ReadConfigFile(path));
  ASSIGN_OR_RETURN(const Json document, ParseYaml(text, path));
  if (document.is_null()) return absl::OkStatus();
  const Descriptor& descriptor = *config.GetDescriptor();
  if (!document.is_object()) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_YAML")
        .Field(path, "")
        .Says("{} must hold keys and values, not {}", path, JsonTypeName(document));
  }
  for (const auto& [key, value] : document.items()) {
    const FieldDescriptor* field = descriptor.FindFieldByName(key);
    if (field == nullptr) return Unknown("key", key, FieldNames(descriptor), " in " + path);
    auto texts = TextsOf(value, *field);
    if (!texts.ok()) return Annotate(texts.status(), path);
    RETURN_IF_ERROR(Annotate(SetField(config, *field, *texts, key), path));
  }
  return absl::OkStatus();
}

absl::Status LoadEnvironment(const ConfigSources& sources, Message& config) {
  const Descriptor& descriptor = *config.GetDescriptor();
  std::vector<std::string> known;
  for (const std::string& name : FieldNames(descriptor))
    known.push_back(sources.environment_prefix + ToUpper(name));
  for (const auto& [name, value] : sources.environment) {
    if (!name.starts_with(sources.environment_prefix)) continue;
    const FieldDescriptor* field = descriptor.FindFieldByName(
        ToLower(std::string_view(name).substr(sources.environment_prefix.size())));
    if (field == nullptr || ToUpper(name) != name)
      return Unknown("environment variable", name, known, "");
    const auto texts = field->is_repeated() ? ListParts(value) : std::vector{value};
    RETURN_IF_ERROR(SetField(config, *field, texts, name));
  }
  return absl::OkStatus();
}

bool IsBoolFlag(const Descriptor& descriptor, std::string_view flag) {
  const auto* field = descriptor.FindFieldByName(ReplaceAll(flag, "-", "_"));
  return field != nullptr && field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL;
}

absl::StatusOr<std::vector<Flag>> SplitFlags(const std::vector<std::string>& arguments,
                                             const Descriptor& descriptor) {
  std::vector<Flag> flags;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (!argument.starts_with("--") || argument.size() == 2) {
      return Error(absl::StatusCode::kInvalidArgument, "UNKNOWN_CONFIG_KEY")
          .Field("arguments", argument)
          .Says("unexpected argument `{}`: only flags like --log-level=debug are taken", argument);
    }
    const size_t equals = argument.find('=');
    Flag flag{std::string(argument.substr(2, equals - 2)), std::nullopt};
    if (equals != std::string_view::npos) {
      flag.value = argument.substr(equals + 1);
    } else if (i + 1 < arguments.size() && !IsBoolFlag(descriptor, flag.name) &&
               !arguments[i + 1].starts_with("--")) {
      flag.value = arguments[++i];
    }
    flags.push_back(std::move(flag));
  }
  return flags;
}

bool Asks(const std::vector<Flag>& flags, std::string_view name) {
  for (const Flag& flag : flags) {
    if (flag.name == name && !flag.value.has_value()) return true;
  }
  return false;
}

absl::Status MissingValue(std::string_view flag) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_CONFIG_VALUE")
      .Field(flag, "")
      .Says("{} needs a value: {}=…", flag, flag);
}

absl::Status LoadFlags(const std::vector<Flag>& flags, Message& config) {
  const Descriptor& descriptor = *config.GetDescriptor();
  std::vector<std::string> known = {"--config", "--help", "--version"};
  for (const std::string& name : FieldNames(descriptor)) known.push_back(FlagOf(name));
  std::map<const FieldDescriptor*, std::vector<std::string>> lists;
  for (const Flag& flag : flags) {
    if (flag.name == kConfigFlag) continue;
    const std::string shown = "--" + flag.name;
    const auto* field = descriptor.FindFieldByName(ReplaceAll(flag.name, "-", "_"));
    if (field == nullptr || FlagOf(field->name()) != shown)
      return Unknown("flag", shown, known, "");
    if (!flag.value.has_value() && !IsBoolFlag(descriptor, flag.name)) return MissingValue(shown);
    const std::string value = flag.value.value_or("true");
    std::vector<std::string> texts = {value};
    if (field->is_repeated()) {
      auto& list = lists[field];
      for (std::string& part : ListParts(value)) list.push_back(std::move(part));
      texts = list;
    }
    RETURN_IF_ERROR(SetField(config, *field, texts, shown));
  }
  return absl::OkStatus();
}

}  // namespace

ConfigSources ConfigSourcesOf(int argc, const char* const* argv, const char* const* environment) {
  ConfigSources sources;
  for (int i = 1; i < argc; ++i) sources.arguments.emplace_back(argv[i]);
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    const size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    sources.environment.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return sources;
}

absl::StatusOr<std::optional<std::string>> LoadConfig(const ConfigSources& sources,
                                                      Message& config) {
  ASSIGN_OR_RETURN(const auto flags, SplitFlags(sources.arguments, *config.GetDescriptor()));
  if (Asks(flags, "help")) return HelpText(sources, *config.GetDescriptor());
  if (Asks(flags, "version")) return fmt::format("{} {}\n", sources.program, FOREBAY_VERSION);
  for (const Flag& flag : flags) {
    if (flag.name != kConfigFlag) continue;
    if (!flag.value.has_value()) return MissingValue("--config");
    RETURN_IF_ERROR(LoadFile(*flag.value, config));
  }
  RETURN_IF_ERROR(LoadEnvironment(sources, config));
  RETURN_IF_ERROR(LoadFlags(flags, config));
  return std::nullopt;
}

}  // namespace forebay
