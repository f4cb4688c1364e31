#pragma once

// The workers that are connected to this holder.

#include <poll.h>

#include <string>
#include <vector>

#include "common/os/unique_fd.h"
#include "worker/launch/process/format/control.h"

namespace forebay::holder {

class Connections {
 public:
  // `listener`: listening already.
  explicit Connections(UniqueFd listener);

  // Adds what to wait for.
  void AddTo(std::vector<pollfd>& polled) const;
  // Takes new connections, which get `greeting`, and what the others said. Never waits.
  std::vector<Command> Receive(const Notice& greeting);
  // A worker that does not read gets the latest notice once it does, or at a later call.
  void Send(const Notice& notice);
  bool any() const { return !clients_.empty(); }
  // Whether somebody lacks the latest notice.
  bool behind() const;

 private:
  struct Client {
    UniqueFd socket;
    bool behind = false;
    bool gone = false;
  };
  void Accept(const Notice& greeting);
  static void Receive(Client& client, std::vector<Command>& commands);
  static void Send(Client& client, const std::string& packet);

  UniqueFd listener_;
  std::vector<Client> clients_;
};

}  // namespace forebay::holder
