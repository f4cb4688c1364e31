#include "worker/launch/process/holder/connections.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace forebay::holder {

Connections::Connections(UniqueFd listener) : listener_(std::move(listener)) {
  ::fcntl(listener_.get(), F_SETFL, O_NONBLOCK);
}

void Connections::AddTo(std::vector<pollfd>& polled) const {
  polled.push_back({listener_.get(), POLLIN, 0});
  for (const Client& client : clients_) polled.push_back({client.socket.get(), POLLIN, 0});
}

std::vector<Command> Connections::Receive(const Notice& greeting) {
  Accept(greeting);
  std::vector<Command> commands;
  for (Client& client : clients_) Receive(client, commands);
  std::erase_if(clients_, [](const Client& client) { return client.gone; });
  return commands;
}

void Connections::Accept(const Notice& greeting) {
  while (true) {
    UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket.ok()) return;
    clients_.push_back({std::move(socket)});
    Send(clients_.back(), Serialize(greeting));
  }
}

void Connections::Receive(Client& client, std::vector<Command>& commands) {
  char packet[kMostPacket];
  while (true) {
    const ssize_t got = ::recv(client.socket.get(), packet, sizeof packet, 0);
    if (got < 0 && errno == EINTR) continue;
    client.gone = got == 0 || (got < 0 && errno != EAGAIN);
    if (got <= 0) return;
    if (auto command = ParseCommand({packet, static_cast<size_t>(got)})) {
      commands.push_back(*command);
    }
  }
}

void Connections::Send(const Notice& notice) {
  const std::string packet = Serialize(notice);
  for (Client& client : clients_) Send(client, packet);
}

void Connections::Send(Client& client, const std::string& packet) {
  const ssize_t sent = ::send(client.socket.get(), packet.data(), packet.size(), MSG_NOSIGNAL);
  client.behind = sent < 0 && errno == EAGAIN;
}

bool Connections::behind() const {
  return std::any_of(clients_.begin(), clients_.end(), [](const Client& c) { return c.behind; });
}

}  // namespace forebay::holder
