#include "cli/flow_inspection.h"

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/proto_values.h"
#include "common/base/status.h"
#include "common/json/json.h"
#include "common/os/files.h"
#include "common/os/subprocess.h"

namespace forebay::cli {
namespace {

namespace fs = std::filesystem;

std::string Python() {
  // No other thread exists yet in the command line.
  const char* named = std::getenv("FOREBAY_PYTHON");  // NOLINT(concurrency-mt-unsafe)
  return named == nullptr || *named == '\0' ? "python3" : named;
}

// A directory of its own that goes with the scope.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (fs::temp_directory_path() / "forebay-inspect-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

absl::Status PackageMissing(const std::string& python) {
  return Error(absl::StatusCode::kFailedPrecondition, "PYTHON_PACKAGE_MISSING")
      .Field("interpreter", python)
      .Next("pip install ./sdk/python")
      .Says("{} cannot import the package forebay, which is needed to deploy a Python flow",
            python);
}

absl::StatusOr<Json> Ask(const std::string& entrypoint) {
  const Scratch scratch;
  const std::string answer = (scratch.path() / "answer.json").string();
  SubprocessSpec spec;
  spec.argv = {Python(), "-m", "forebay", "flow", "inspect", entrypoint};
  spec.environment = CurrentEnvironment();
  spec.group = SubprocessSpec::Group::kSame;
  spec.output = Redirect::ToFile(answer);
  spec.errors = Redirect::Inherit();
  ASSIGN_OR_RETURN(Subprocess child, Subprocess::Start(spec));
  child.Wait();
  const auto text = ReadSmallFile(answer);
  if (!text.ok() || text->empty()) return PackageMissing(Python());
  return ParseJsonObject(*text, "the answer of python");
}

absl::Status FlowError(const Json& error) {
  return Error(absl::StatusCode::kInvalidArgument, error.value("reason", "NOT_A_FLOW"))
      .Says("{}", error.value("message", ""));
}

}  // namespace

absl::StatusOr<InspectedFlow> InspectFlow(const std::string& entrypoint) {
  ASSIGN_OR_RETURN(const Json answer, Ask(entrypoint));
  if (answer.contains("error")) return FlowError(answer["error"]);
  InspectedFlow flow;
  flow.name = answer.value("name", "");
  flow.interpreter = answer.value("interpreter", "");
  flow.description = answer.value("description", "");
  flow.version = answer.value("version", "");
  flow.parameter_schema = DumpJson(answer.value("parameter_schema", Json::object()));
  flow.retry.set_retries(answer.value("retries", 0));
  for (const Json& delay : answer.value("retry_delays", Json::array()))
    SetDuration(absl::Seconds(delay.get<double>()), *flow.retry.add_delays());
  if (answer.contains("timeout_seconds") && answer["timeout_seconds"].is_number())
    flow.timeout_seconds = answer["timeout_seconds"].get<double>();
  return flow;
}

}  // namespace forebay::cli
