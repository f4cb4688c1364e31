#include "server/api/reflected_services.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/impl/server_initializer.h>

#include <algorithm>

namespace forebay::server {
namespace {

class Plugin final : public grpc::reflection::ProtoServerReflectionPlugin {
 public:
  explicit Plugin(std::set<std::string> names) : names_(std::move(names)) {}

  void Finish(grpc::ServerInitializer* initializer) override {
    // The server's own list, which is what reflection reads; nobody else can add to it.
    auto& listed = const_cast<std::vector<std::string>&>(*initializer->GetServiceList());
    for (const std::string& name : names_) {
      if (std::find(listed.begin(), listed.end(), name) == listed.end()) listed.push_back(name);
    }
    ProtoServerReflectionPlugin::Finish(initializer);
  }

 private:
  const std::set<std::string> names_;
};

class Option final : public grpc::ServerBuilderOption {
 public:
  explicit Option(std::set<std::string> names) : names_(std::move(names)) {}

  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    plugins->push_back(std::make_unique<Plugin>(names_));
  }

 private:
  const std::set<std::string> names_;
};

}  // namespace

std::unique_ptr<grpc::ServerBuilderOption> ReflectServices(std::set<std::string> names) {
  return std::make_unique<Option>(std::move(names));
}

}  // namespace forebay::server
