#include "cli/follow.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <sstream>

#include "cli/exit_code.h"
#include "common/base/status.h"
#include "common/base/sync.h"
#include "forebay/v1/flow_run.grpc.pb.h"
#include "forebay/v1/log.grpc.pb.h"
#include "tests/support/catch.h"

namespace forebay::cli {
namespace {

// The two services that following needs, over a real socket: answers what it is told, and fails
// when it is told.
class RunOnServer final : public v1::FlowRunService::Service, public v1::LogService::Service {
 public:
  RunOnServer() {
    run_.set_name("flowRuns/1");
    run_.set_display_name("brave-otter");
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(static_cast<v1::FlowRunService::Service*>(this));
    builder.RegisterService(static_cast<v1::LogService::Service*>(this));
    server_ = builder.BuildAndStart();
  }
  ~RunOnServer() override { server_->Shutdown(); }

  std::string address() const { return fmt::format("127.0.0.1:{}", port_); }

  void Enter(v1::StateType type, const std::string& message) {
    MutexLock lock(mutex_);
    run_.mutable_state()->set_type(type);
    run_.mutable_state()->set_message(message);
    run_.set_version(run_.version() + 1);
    *run_.add_states() = run_.state();
    changed_.NotifyAll();
  }
  void Write(const std::string& text, v1::LogStream stream = v1::LOG_STREAM_STDOUT,
             bool partial = false) {
    MutexLock lock(mutex_);
    v1::LogLine line;
    line.set_offset(static_cast<int64_t>(lines_.size()));
    line.mutable_entry()->set_text(text);
    line.mutable_entry()->set_stream(stream);
    line.mutable_entry()->set_partial(partial);
    lines_.push_back(line);
    changed_.NotifyAll();
  }
  // Each answer is preceded by so many refusals.
  void BeFlaky(int refusals) {
    MutexLock lock(mutex_);
    refusals_ = refusals;
  }

  grpc::Status GetFlowRun(grpc::ServerContext*, const v1::GetFlowRunRequest*,
                          v1::GetFlowRunResponse* response) override {
    MutexLock lock(mutex_);
    if (Refuses()) return Away();
    *response->mutable_flow_run() = run_;
    return grpc::Status::OK;
  }

  grpc::Status WatchFlowRun(grpc::ServerContext* context, const v1::WatchFlowRunRequest* request,
                            v1::WatchFlowRunResponse* response) override {
    MutexLock lock(mutex_);
    if (Refuses()) return Away();
    const int64_t known = request->known_version();
    const auto wait =
        absl::Seconds(request->wait().seconds()) + absl::Nanoseconds(request->wait().nanos());
    Park(context, wait, [&]() REQUIRES(mutex_) { return run_.version() > known; });
    *response->mutable_flow_run() = run_;
    return grpc::Status::OK;
  }

  grpc::Status ListLogLines(grpc::ServerContext* context, const v1::ListLogLinesRequest* request,
                            v1::ListLogLinesResponse* response) override {
    constexpr size_t kPage = 7;
    MutexLock lock(mutex_);
    if (Refuses()) return Away();
    size_t next = static_cast<size_t>(request->offset());
    Park(context, absl::Seconds(request->wait().seconds()),
         [&]() REQUIRES(mutex_) { return next < lines_.size() || IsOver(run_.state().type()); });
    while (next < lines_.size() && response->lines_size() < static_cast<int>(kPage)) {
      *response->add_lines() = lines_[next++];
    }
    response->set_next_offset(static_cast<int64_t>(next));
    response->set_complete(next == lines_.size() && IsOver(run_.state().type()));
    return grpc::Status::OK;
  }

 private:
  static grpc::Status Away() { return {grpc::StatusCode::UNAVAILABLE, "away"}; }

  bool Refuses() REQUIRES(mutex_) {
    if (refusals_ == 0 || ++calls_ % (refusals_ + 1) == 1) return false;
    return true;
  }

  template <typename Condition>
  void Park(grpc::ServerContext* context, absl::Duration wait, Condition condition)
      REQUIRES(mutex_) {
    const absl::Duration end = SystemClock().Monotonic() + wait;
    while (!condition() && !context->IsCancelled() && SystemClock().Monotonic() < end) {
      changed_.WaitFor(mutex_, absl::Milliseconds(5));
    }
  }

  Mutex mutex_;
  CondVar changed_;
  v1::FlowRun run_ GUARDED_BY(mutex_);
  std::vector<v1::LogLine> lines_ GUARDED_BY(mutex_);
  int refusals_ GUARDED_BY(mutex_) = 0;
  int calls_ GUARDED_BY(mutex_) = 0;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

class Follower {
 public:
  explicit Follower(const RunOnServer& server)
      : session_(Options(server), out_, err_, SystemClock()) {}

  Session& session() { return session_; }
  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }

 private:
  static SessionOptions Options(const RunOnServer& server) {
    SessionOptions options;
    options.server = server.address();
    options.config_directory = "/nonexistent";
    return options;
  }

  std::ostringstream out_;
  std::ostringstream err_;
  Session session_;
};

std::string NumberedLines(RunOnServer& server, int count) {
  std::string expected;
  for (int i = 0; i < count; ++i) {
    server.Write(fmt::format("line {}", i));
    expected += fmt::format("line {}\n", i);
  }
  return expected;
}

TEST_CASE("A log is printed page by page to its end") {
  RunOnServer server;
  const std::string expected = NumberedLines(server, 100);
  Follower follower(server);
  REQUIRE(PrintLog(follower.session(), "flowRuns/1", {}).ok());
  CHECK(follower.out() == expected);
}

TEST_CASE("A log begins where it is told to") {
  RunOnServer server;
  NumberedLines(server, 10);
  Follower follower(server);
  REQUIRE(PrintLog(follower.session(), "flowRuns/1", {.offset = 8}).ok());
  CHECK(follower.out() == "line 8\nline 9\n");
}

TEST_CASE("A server that comes and goes costs no line and repeats none") {
  RunOnServer server;
  const std::string expected = NumberedLines(server, 40);
  server.Enter(v1::STATE_TYPE_COMPLETED, "");
  server.BeFlaky(2);
  Follower follower(server);
  REQUIRE(PrintLog(follower.session(), "flowRuns/1", {.follow = true}).ok());
  CHECK(follower.out() == expected);
}

TEST_CASE("A server that was never there is told at once") {
  Follower follower{RunOnServer()};
  CHECK(ReasonOf(PrintLog(follower.session(), "flowRuns/1", {.follow = true})) ==
        kServerUnreachable);
}

TEST_CASE("Split lines are joined unless the other stream spoke in between") {
  RunOnServer server;
  server.Write("one, ", v1::LOG_STREAM_STDOUT, true);
  server.Write("two");
  server.Write("half", v1::LOG_STREAM_STDOUT, true);
  server.Write("error", v1::LOG_STREAM_STDERR);
  server.Write("end", v1::LOG_STREAM_STDOUT, true);
  Follower follower(server);
  REQUIRE(PrintLog(follower.session(), "flowRuns/1", {}).ok());
  CHECK(follower.out() == "one, two\nhalf\nerror\nend\n");
}

TEST_CASE("A run is followed to its end: each state once and in order, and its log") {
  RunOnServer server;
  server.Enter(v1::STATE_TYPE_SCHEDULED, "waits");
  server.Enter(v1::STATE_TYPE_PENDING, "granted");
  server.Enter(v1::STATE_TYPE_RUNNING, "began");
  const std::string expected = NumberedLines(server, 20);
  server.Enter(v1::STATE_TYPE_COMPLETED, "exit code 0");
  Follower follower(server);
  CHECK(FollowRun(follower.session(), "flowRuns/1", std::nullopt).ok());
  CHECK(follower.out() == expected);
  const std::string told = follower.err();
  size_t at = 0;
  for (const char* word : {"SCHEDULED   waits", "PENDING     granted", "RUNNING     began",
                           "COMPLETED   exit code 0"}) {
    INFO(told);
    at = told.find(word, at);
    REQUIRE(at != std::string::npos);
    CHECK(told.find(word, at + 1) == std::string::npos);
  }
}

TEST_CASE("How the run ended is what following answers") {
  const std::pair<v1::StateType, int> ends[] = {{v1::STATE_TYPE_COMPLETED, 0},
                                                {v1::STATE_TYPE_FAILED, 6},
                                                {v1::STATE_TYPE_CRASHED, 7},
                                                {v1::STATE_TYPE_CANCELLED, 7}};
  for (const auto& [type, code] : ends) {
    RunOnServer server;
    server.Enter(type, "as it went");
    Follower follower(server);
    const auto status = FollowRun(follower.session(), "flowRuns/1", std::nullopt);
    CHECK(ExitCodeOf(status) == code);
    CHECK((code == 0 || MessageOf(status).ends_with("as it went")));
  }
}

TEST_CASE("When the time is up, following ends and the open polls with it") {
  RunOnServer server;
  server.Enter(v1::STATE_TYPE_RUNNING, "");
  Follower follower(server);
  const auto status = FollowRun(follower.session(), "flowRuns/1", absl::Milliseconds(50));
  CHECK(ExitCodeOf(status) == kExitWaitTimedOut);
  CHECK(DetailOf(status)->metadata.at("next") == "forebay flow-run watch 1");
}

}  // namespace
}  // namespace forebay::cli
