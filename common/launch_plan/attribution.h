#pragma once

// What every launcher adds to a job so that the run knows who it is and people see whose it is.
// Pure.

#include <cstdint>
#include <map>
#include <string>

namespace forebay {

struct Attribution {
  std::string run_id;
  std::string run_name;
  std::string attempt;
  std::string epoch;
  std::string flow;
  // flow/deployment.
  std::string deployment;
  std::string deployment_id;
  std::string work_pool;
  std::string work_queue;
  // As runs reach it.
  std::string server;
  std::string worker_id;
  std::string worker_name;
  // JSON object.
  std::string parameters;
};

// What the program of a Python flow needs to pass the start gate by itself.
struct OwnGate {
  // Single use.
  std::string ticket;
  // The server's HTTP listener, as runs reach it.
  std::string api_url;
  // Certificates of who may vouch for it, in PEM; empty: those that the run's system trusts.
  std::string authority;
};

// FOREBAY_…, below the `env` of the job configuration.
std::map<std::string, std::string> AttributionEnvironment(const Attribution& attribution);
std::map<std::string, std::string> OwnGateEnvironment(const OwnGate& gate);
// forebay.io/…, above the `labels` of the job configuration.
std::map<std::string, std::string> AttributionLabels(const Attribution& attribution);

}  // namespace forebay
