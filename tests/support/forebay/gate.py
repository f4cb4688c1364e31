"""A TCP proxy between two real processes that cuts, holds back and swallows what passes."""

import collections
import contextlib
import selectors
import socket
import threading
import time


class TcpGate:
    """Listens on `listen`, a free port of loopback if nothing is said, and forwards to `target` ("host:port"). Thread-safe.

    open       everything passes (the state at first)
    cut        connections are reset, new ones refused by an immediate reset
    freeze     connections stay open and nothing passes either way: the other end looks alive and is silent
    swallow    requests pass, answers are thrown away: the caller never learns what became of its call
    """

    def __init__(self, target: str, listen: tuple[str, int] = ("127.0.0.1", 0)):
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))
        self._state = "open"
        self._delay = 0.0
        self._closing = False
        # What is held back: (when it is due, where it came from, the bytes; none for the end of the stream).
        self._held: collections.deque[tuple[float, socket.socket, bytes]] = collections.deque()
        self._silenced: set[socket.socket] = set()
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._upward: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(listen)
        self.address = "%s:%d" % self._listener.getsockname()
        self.bytes_up = 0
        self.bytes_down = 0
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def open(self):
        """Everything passes again. Connections that were silenced are reset: what they lost cannot be made good."""
        with self._lock:
            broken = self._state != "open"
            self._state = "open"
            if broken:
                self._reset_all()

    def cut(self):
        with self._lock:
            self._state = "cut"
            self._reset_all()

    def freeze(self):
        with self._lock:
            self._state = "freeze"

    def swallow_replies(self):
        with self._lock:
            self._state = "swallow"

    def delay(self, seconds: float):
        """Holds back every piece that passes by so much, without keeping others waiting for it."""
        self._delay = seconds

    def silence(self, port: int):
        """Lets nothing more pass, either way, on the one connection that its target sees coming from `port`."""
        with self._lock:
            (end,) = (end for end in self._pairs if end not in self._upward and end.getsockname()[1] == port)
            self._silenced |= {end, self._pairs[end]}

    @contextlib.contextmanager
    def while_cut(self):
        self.cut()
        try:
            yield
        finally:
            self.open()

    def close(self):
        self._closing = True
        self._thread.join()
        with self._lock:
            self._reset_all()
        self._listener.close()

    def _serve(self):
        while not self._closing:
            for key, _ in self._selector.select(self._pause()):
                with self._lock:
                    if key.fileobj is self._listener:
                        self._accept()
                    elif key.fileobj in self._pairs:
                        self._receive(key.fileobj)
            with self._lock:
                self._let_go()
            if self._state == "freeze" or self._silenced:
                time.sleep(0.02)

    def _pause(self) -> float:
        with self._lock:
            due = self._held[0][0] - time.monotonic() if self._held and self._state != "freeze" else 0.05
        return max(0.0, min(0.05, due))

    def _let_go(self):
        """What was held back long enough goes its way."""
        while self._state != "freeze" and self._held and self._held[0][0] <= time.monotonic():
            _, source, data = self._held.popleft()
            if source in self._pairs and source not in self._silenced:
                self._forward(source, data)

    def _accept(self):
        client, _ = self._listener.accept()
        if self._state == "cut":
            self._reset(client)
            return
        try:
            server = socket.create_connection(self._target, timeout=2)
        except OSError:
            self._reset(client)
            return
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(end, selectors.EVENT_READ)
        self._pairs[client], self._pairs[server] = server, client
        self._upward.add(client)

    def _receive(self, source: socket.socket):
        if self._state == "freeze" or source in self._silenced:
            return
        try:
            data = source.recv(1 << 16)
        except OSError:
            self._close_pair(source)
            return
        if not self._delay and not self._held:
            self._forward(source, data)
            return
        # Never before what is held back already, whatever the delay was then.
        last = self._held[-1][0] if self._held else 0.0
        self._held.append((max(last, time.monotonic() + self._delay), source, data))
        if not data:
            self._selector.unregister(source)

    def _forward(self, source: socket.socket, data: bytes):
        if not data:
            self._close_pair(source)
            return
        try:
            if source in self._upward:
                self.bytes_up += len(data)
                self._pairs[source].sendall(data)
            elif self._state != "swallow":
                self.bytes_down += len(data)
                self._pairs[source].sendall(data)
        except OSError:
            self._close_pair(source)

    def _close_pair(self, source: socket.socket):
        for end in (source, self._pairs.get(source)):
            if end is not None and end in self._pairs:
                del self._pairs[end]
                self._upward.discard(end)
                self._silenced.discard(end)
                self._forget(end)
                end.close()

    def _reset_all(self):
        for end in list(self._pairs):
            self._forget(end)
            self._reset(end)
        self._pairs.clear()
        self._upward.clear()
        self._silenced.clear()
        self._held.clear()

    def _forget(self, end: socket.socket):
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(end)

    @staticmethod
    def _reset(end: socket.socket):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        end.close()
