#include "server/api/service_table.h"
#include "common/base/status.h"

#include <google/protobuf/descriptor.h>

#include "forebay/v1/options.pb.h"
#include "server/api/service_table_grpc.h"

namespace forebay::server {
namespace {

absl::Status Misbuilt(const std::string& method, const std::string& why) {
  return Error(absl::StatusCode::kInternal, "METHOD_NOT_SERVED")
      .With("method", method)
      .Says("{}: {}", method, why);
}

}  // namespace

ServiceTable::ServiceTable(Authenticator& authenticator, Executor& executor, const Clock& clock,
                           CallMeters& meters)
    : authenticator_(authenticator), executor_(executor), clock_(clock), meters_(meters) {}
ServiceTable::~ServiceTable() = default;

std::set<std::string> ServiceTable::service_names() const {
  std::set<std::string> names;
  for (const auto& [method, entry] : methods_) names.insert(method.substr(0, method.rfind('.')));
  return names;
}

absl::Status ServiceTable::BuildMethod(const google::protobuf::MethodDescriptor& method,
                                       DynamicService& service) {
  const v1::Access access = method.options().GetExtension(v1::access);
  if (access == v1::ACCESS_UNSPECIFIED) return Misbuilt(method.full_name(), "has no access option");
  const auto entry = methods_.find(method.full_name());
  if (entry == methods_.end()) return Misbuilt(method.full_name(), "has no handler");
  entry->second.method.access = access;
  entry->second.method.meter =
      &meters_.Make(fmt::format("{}.{}", method.service()->name(), method.name()));
  if (entry->second.install)
    entry->second.install(service, "/" + method.service()->full_name() + "/" + method.name());
  return absl::OkStatus();
}

absl::StatusOr<std::vector<grpc::Service*>> ServiceTable::Build() {
  std::vector<grpc::Service*> built;
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  for (const std::string& name : service_names()) {
    const auto* descriptor = pool->FindServiceByName(name);
    if (descriptor == nullptr) return Misbuilt(name, "is not linked into this server");
    auto service = std::make_unique<DynamicService>();
    for (int i = 0; i < descriptor->method_count(); ++i)
      RETURN_IF_ERROR(BuildMethod(*descriptor->method(i), *service));
    if (service->empty()) continue;
    built.push_back(service.get());
    services_.push_back(std::move(service));
  }
  return built;
}

const ServiceTable::Method* ServiceTable::Find(const std::string& path) const {
  const size_t slash = path.rfind('/');
  if (path.empty() || path.front() != '/' || slash == 0) return nullptr;
  const auto entry = methods_.find(path.substr(1, slash - 1) + "." + path.substr(slash + 1));
  return entry == methods_.end() ? nullptr : &entry->second.method;
}

void ServiceTable::Admit(const std::string& authorization, const Method& method,
                         const std::shared_ptr<CallState>& call,
                         std::function<void(const Caller&)> go) {
  call->MeterBy(*method.meter, clock_);
  authenticator_.Authenticate(authorization, [access = method.access, call,
                                              go = std::move(go)](absl::StatusOr<Caller> caller) {
    if (!caller.ok()) return call->FinishOnce(caller.status());
    if (absl::Status allowed = CheckAccess(*caller, access); !allowed.ok())
      return call->FinishOnce(allowed);
    go(*caller);
  });
}

}  // namespace forebay::server
