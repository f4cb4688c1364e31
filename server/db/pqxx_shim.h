#pragma once

// What differs between libpqxx 6.4 (Debian 12), 7.8 (Ubuntu 24.04) and 7.10 (Debian 13), in one
// place.

#include <functional>
#include <memory>
#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <vector>

namespace forebay::server::pqxx_shim {

using TextParams = std::vector<std::optional<std::string>>;

#if PQXX_VERSION_MAJOR < 7
using WritePolicy = pqxx::readwrite_policy;
#else
using WritePolicy = pqxx::write_policy;
#endif
using Snapshot = pqxx::transaction<pqxx::isolation_level::repeatable_read, WritePolicy::read_only>;

#if PQXX_VERSION_MAJOR >= 7
inline pqxx::result RunPrepared(pqxx::transaction_base& tx, const std::string& name,
                                const pqxx::params& params) {
#if PQXX_VERSION_MAJOR > 7 || PQXX_VERSION_MINOR >= 9
  return tx.exec(pqxx::prepped{name}, params);
#else
  return tx.exec_prepared(name, params);
#endif
}
#endif

inline pqxx::result RunPrepared(pqxx::transaction_base& tx, const std::string& name,
                                const TextParams& values) {
#if PQXX_VERSION_MAJOR < 7
  return tx.exec_prepared(name, pqxx::prepare::make_dynamic_params(values));
#else
  pqxx::params params;
  params.append_multi(values);
  return RunPrepared(tx, name, params);
#endif
}

// All parameters in binary format.
inline pqxx::result RunPreparedBinary(pqxx::transaction_base& tx, const std::string& name,
                                      const std::vector<std::string>& values) {
#if PQXX_VERSION_MAJOR < 7
  std::vector<pqxx::binarystring> blobs;
  blobs.reserve(values.size());
  for (const std::string& value : values) blobs.emplace_back(value.data(), value.size());
  return tx.exec_prepared(name, pqxx::prepare::make_dynamic_params(blobs));
#else
  pqxx::params params;
  for (const std::string& value : values)
    params.append(pqxx::binary_cast(value.data(), value.size()));
  return RunPrepared(tx, name, params);
#endif
}

inline void Prepare(pqxx::connection& connection, const std::string& name, const std::string& sql) {
  connection.prepare(name, sql);
}

// Calls `fn` with the payload of each notification on `channel` while the value lives, from
// await_notification.
class Subscription {
 public:
  using Fn = std::function<void(const std::string&)>;
#if PQXX_VERSION_MAJOR > 7 || (PQXX_VERSION_MAJOR == 7 && PQXX_VERSION_MINOR >= 10)
  Subscription(pqxx::connection& connection, const std::string& channel, Fn fn) {
    connection.listen(channel, [fn = std::move(fn)](pqxx::notification received) {
      fn(std::string(received.payload));
    });
  }
#else
  Subscription(pqxx::connection& connection, const std::string& channel, Fn fn)
      : receiver_(std::make_unique<Receiver>(connection, channel, std::move(fn))) {}

 private:
  class Receiver final : public pqxx::notification_receiver {
   public:
    Receiver(pqxx::connection& connection, const std::string& channel, Fn fn)
        : pqxx::notification_receiver(connection, channel), fn_(std::move(fn)) {}
    void operator()(const std::string& payload, int) override { fn_(payload); }

   private:
    Fn fn_;
  };
  std::unique_ptr<Receiver> receiver_;
#endif
};

}  // namespace forebay::server::pqxx_shim
