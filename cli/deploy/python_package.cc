#include "cli/deploy/python_package.h"

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/process.h"
#include "common/base/status.h"
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

std::vector<std::string> ArgumentsOf(const std::vector<std::string>& words) {
  std::vector<std::string> arguments = {"-m", "forebay"};
  arguments.insert(arguments.end(), words.begin(), words.end());
  return arguments;
}

// A directory of its own that goes with the scope.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (fs::temp_directory_path() / "forebay-python-XXXXXX").string();
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
      .Says("{} cannot import the package forebay, which is needed for Python flows", python);
}

// python -m says 1 for a package that is not there as for every other exception.
absl::Status Unanswered(const ExitStatus& exit) {
  SubprocessSpec spec;
  spec.argv = {Python(), "-c", "import forebay"};
  spec.environment = CurrentEnvironment();
  const auto imported = RunCommand(spec, absl::Seconds(30));
  if (!imported.ok() || !imported->exit.success()) return PackageMissing(Python());
  return Error(absl::StatusCode::kInternal, "PYTHON_FAILED")
      .Field("interpreter", Python())
      .Says("{} ended with {} and gave no answer; what it said stands above", Python(),
            exit.ToString());
}

absl::Status ErrorOf(const Json& error) {
  Error status(absl::StatusCode::kInvalidArgument, error.value("reason", "NOT_A_FLOW"));
  const std::string message = error.value("message", "");
  const std::string next = error.value("next", "");
  if (next.empty()) return std::move(status).Says("{}", message);
  return std::move(status).Next(next).Says("{}", message);
}

}  // namespace

absl::StatusOr<Json> AskPython(const std::vector<std::string>& words, const std::string& directory,
                               std::string_view input) {
  const Scratch scratch;
  const std::string question = (scratch.path() / "question.json").string();
  RETURN_IF_ERROR(WriteFileAtomically(question, input));
  const std::string answer = (scratch.path() / "answer.json").string();
  SubprocessSpec spec;
  spec.argv = ArgumentsOf(words);
  spec.argv.insert(spec.argv.begin(), Python());
  spec.environment = CurrentEnvironment();
  spec.working_directory = directory;
  spec.group = SubprocessSpec::Group::kSame;
  spec.input = Redirect::ToFile(question);
  spec.output = Redirect::ToFile(answer);
  spec.errors = Redirect::Inherit();
  ASSIGN_OR_RETURN(Subprocess child, Subprocess::Start(spec));
  const auto exit = child.Wait();
  const auto text = ReadSmallFile(answer);
  if (!text.ok() || text->empty()) return Unanswered(*exit);
  ASSIGN_OR_RETURN(Json object, ParseJsonObject(*text, "the answer of python"));
  if (object.contains("error")) return ErrorOf(object["error"]);
  return object;
}

absl::Status BecomePython(const std::vector<std::string>& words) {
  const std::string python = Python();
  if (python.find('/') != std::string::npos) return Exec(python, ArgumentsOf(words));
  ASSIGN_OR_RETURN(const std::string program, FindProgram(python));
  return Exec(program, ArgumentsOf(words));
}

}  // namespace forebay::cli
