#pragma once

// What the conformance suite knows of each launcher, and nothing more.

#include <string>
#include <vector>

#include "tests/conformance/scratch.h"
#include "worker/launch/launcher.h"

namespace forebay::worker {

// How to ask a launcher for a run that behaves in some way.
struct LauncherKind {
  std::string type;
  // Whether what it made is found by a new launcher on the same state directory.
  bool survives = false;
  // Whether it tells a signal by an exit code too.
  bool signals_have_exit_codes = false;
  // Whether a grace that has begun can be shortened: kubelets of Kubernetes 1.33 wait for the first
  // one to the end.
  bool shortens_grace = true;
};
// Docker's is one of them where FOREBAY_TEST_DOCKER names an engine with the test images, that of
// Kubernetes where FOREBAY_TEST_KUBECONFIG names a cluster whose nodes have, or can pull,
// FOREBAY_TEST_KUBERNETES_IMAGE with a shell in it; in FOREBAY_TEST_KUBERNETES_NAMESPACE, or
// default.
const std::vector<LauncherKind>& AllLaunchers();

// A run that ends at once with the exit code.
Json ExitsWith(const LauncherKind& kind, int code);
// One that ends by the signal.
Json EndsBySignal(const LauncherKind& kind, int signal);
// One that writes "line 1" to "line <count>" and then ends well.
Json Writes(const LauncherKind& kind, int64_t count);
// One that runs for minutes, and ends when asked to.
Json RunsLong(const LauncherKind& kind);
// One that runs for minutes and does not listen. Both write "ready" or a first line once they run.
Json IgnoresStop(const LauncherKind& kind);

// A launcher on a directory of its own, and the waiting that tests need.
class Fixture {
 public:
  explicit Fixture(const LauncherKind& kind, LauncherOptions options = {});
  // Takes away what the test left running.
  ~Fixture();

  Launcher& launcher() { return *launcher_; }
  // Another launcher object on the same directory, as after a restart of the worker.
  void Restart();
  // The same without the new one.
  void Drop() { launcher_.reset(); }
  const std::string& state_dir() const { return scratch_.path(); }

  // A spec with a name of its own.
  LaunchSpec Spec(const Json& configuration);
  // Launches and waits until it is ready to begin.
  void Launch(const LaunchSpec& spec);
  // The same and lets it begin; returns its name.
  std::string Begin(const Json& configuration);

  // Wait until it is so, at most 30 s; the observation then. Lines of the run itself count.
  Observation WaitForStage(const std::string& name, Stage stage);
  Observation WaitForLines(const std::string& name, int64_t lines);
  // All lines from `from` on.
  std::vector<v1::LogEntry> Log(const std::string& name, int64_t from = 0);
  // The lines of the run itself, without what the launcher says in front of them.
  std::vector<std::string> Text(const std::string& name);
  // How many lines that is.
  int64_t LinesInFront(const std::string& name);
  // Launches, begins, and waits for the end.
  Observation RunToEnd(const Json& configuration, std::string* name = nullptr);

 private:
  std::string type_;
  // Of its own, so that it finds nothing of another.
  std::string pool_;
  Scratch scratch_;
  LauncherOptions options_;
  std::unique_ptr<Launcher> launcher_;
};

// Calls `done` until it says true, at most 30 s; whether it did.
bool Eventually(const std::function<bool()>& done);

}  // namespace forebay::worker
