"""A server that is far away: bytes are passed on to it and back, until a text in them cuts the line.

The client has to be another process: libpq does not let go of the interpreter while it waits.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """Listens on a port of this machine for a server behind a socket.

    The connection in which a client sends `cut_at` is closed on both sides; where `for_good`, all others are as well,
    and nobody is let in any more. `cuts` counts how often that happened.
    """

    socket_path: str
    cut_at: bytes
    for_good: bool = False
    port: int = 0
    cuts: int = 0
    _open: list[socket.socket] = field(default_factory=list)

    def __enter__(self) -> Proxy:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._close(self._listener, *self._open)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.for_good and self.cuts:
                    client.close()
                    continue
                server = socket.socket(socket.AF_UNIX)
                server.connect(self.socket_path)
                self._open += [client, server]
                threading.Thread(target=self._pass_on, args=(client, server, True), daemon=True).start()
                threading.Thread(target=self._pass_on, args=(server, client, False), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, from_client: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if from_client and self.cut_at in data and not (self.cuts and not self.for_good):
                    self.cuts += 1
                    self._close(*(self._open if self.for_good else (source, target)))
                    return
                target.sendall(data)
        self._close(source, target)

    def _close(self, *sockets: socket.socket) -> None:
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
