#include "tests/bench/submitter.h"

#include <algorithm>

#include "common/base/clock.h"

namespace forebay::bench {
namespace {

constexpr std::chrono::seconds kCallDeadline(60);
constexpr size_t kNamePrefix = std::string_view("flowRuns/").size();

}  // namespace

SubmitPlan PlanFrom(const Options& options) {
  SubmitPlan plan;
  plan.server = options.Text("server");
  plan.token = FirstLine(options.Text("key-file"));
  plan.deployment = options.Text("deployment");
  plan.parameters = options.Text("parameters", "");
  plan.runs = options.Number("runs", 1000);
  plan.batch = options.Number("batch", 1);
  plan.calls_in_flight = options.Number("calls-in-flight", 1);
  plan.rate = options.Number("rate", 0);
  return plan;
}

Submitter::Submitter(SubmitPlan plan, Pickup& pickup) : plan_(std::move(plan)), pickup_(pickup) {
  stub_ = v1::FlowRunService::NewStub(OwnConnection(plan_.server));
}

Submitter::~Submitter() {
  if (thread_.joinable()) thread_.join();
}

void Submitter::Start() {
  thread_ = std::thread([this] { Run(); });
}

bool Submitter::Due(absl::Duration now) const {
  if (sent_ >= plan_.runs || in_flight_ >= plan_.calls_in_flight) return false;
  if (plan_.rate == 0) return true;
  return absl::ToDoubleSeconds(now - began_) * static_cast<double>(plan_.rate) >=
         static_cast<double>(sent_);
}

void Submitter::Run() {
  began_ = SystemClock().Monotonic();
  while (accepted_ + refused_ < plan_.runs) {
    for (absl::Duration now = SystemClock().Monotonic(); Due(now); now = SystemClock().Monotonic())
      Submit(now);
    void* tag = nullptr;
    bool ok = false;
    const auto patience = std::chrono::microseconds(plan_.rate == 0 ? 100'000 : 200);
    const auto deadline = std::chrono::system_clock::now() + patience;
    if (queue_.AsyncNext(&tag, &ok, deadline) == grpc::CompletionQueue::GOT_EVENT)
      static_cast<Tag*>(tag)->Done();
  }
  finished_ = true;
}

void Submitter::Submit(absl::Duration now) {
  ++in_flight_;
  const int64_t count = std::min(plan_.batch, plan_.runs - sent_);
  sent_ += count;
  if (plan_.batch == 1) return SubmitOne(now);
  SubmitBatch(count, now);
}

void Submitter::SubmitOne(absl::Duration sent) {
  v1::CreateFlowRunRequest request;
  request.set_deployment(plan_.deployment);
  request.set_parameters(plan_.parameters);
  AsyncCall<v1::CreateFlowRunResponse>::Start(
      plan_.token, kCallDeadline,
      [&](grpc::ClientContext* context) {
        return stub_->PrepareAsyncCreateFlowRun(context, request, &queue_);
      },
      [this, sent](const grpc::Status& status, v1::CreateFlowRunResponse& response) {
        if (status.ok()) {
          const std::string run_id = response.flow_run().name().substr(kNamePrefix);
          pickup_.Acknowledged(run_id, sent, SystemClock().Monotonic());
        }
        Answered(status.ok() ? 1 : 0, status.ok() ? 0 : 1);
      });
}

void Submitter::SubmitBatch(int64_t count, absl::Duration sent) {
  v1::BatchCreateFlowRunsRequest request;
  for (int64_t i = 0; i < count; ++i) {
    v1::CreateFlowRunRequest& run = *request.add_requests();
    run.set_deployment(plan_.deployment);
    run.set_parameters(plan_.parameters);
  }
  AsyncCall<v1::BatchCreateFlowRunsResponse>::Start(
      plan_.token, kCallDeadline,
      [&](grpc::ClientContext* context) {
        return stub_->PrepareAsyncBatchCreateFlowRuns(context, request, &queue_);
      },
      [this, sent, count](const grpc::Status&, v1::BatchCreateFlowRunsResponse& response) {
        const absl::Duration now = SystemClock().Monotonic();
        int64_t taken = 0;
        for (const auto& item : response.items()) {
          if (item.error_code() != 0) continue;
          ++taken;
          pickup_.Acknowledged(item.name().substr(kNamePrefix), sent, now);
        }
        Answered(taken, count - taken);
      });
}

void Submitter::Answered(int64_t accepted, int64_t refused) {
  --in_flight_;
  accepted_ += accepted;
  refused_ += refused;
}

}  // namespace forebay::bench
