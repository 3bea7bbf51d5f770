"""What stands between a client and a server in production: a pooler in transaction mode, and what it can do wrong.

Speaks the protocol as far as that takes (protocol-flow.html): like PgBouncer it refuses `options` at start, and each
transaction may get another connection of the server.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from remediate.postgres.server import Endpoint

_SSL, _GSS, _CANCEL = 80877103, 80877104, 80877102


@dataclass
class Pooler:
    """Listens on a port of this machine. `sent` are the statements that clients sent, with the number of the server's
    connection that took each.

    `version` replaces what the server says of itself; `refusal` (SQLSTATE, message) is what every client is told;
    `cut_at` is a text in a statement at which the client's connection is closed.
    """

    endpoint: Endpoint
    version: str | None = None
    refusal: tuple[str, str] | None = None
    cut_at: str | None = None
    sent: list[tuple[int, str]] = field(default_factory=list)
    port: int = 0

    def __enter__(self) -> Pooler:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, EOFError):
            startup = self._startup(client)
            if startup is None:
                return
            if "options" in startup:
                client.sendall(_error("08P01", "unsupported startup parameter: options"))
                return
            if self.refusal is not None:
                client.sendall(_error(*self.refusal))
                return
            pool = [_Upstream(self.endpoint, startup) for _ in range(2)]
            try:
                client.sendall(_message(b"R", struct.pack("!I", 0)) + self._told(pool[0].told))
                self._relay(client, pool)
            finally:
                for one in pool:
                    one.socket.close()

    def _startup(self, client: socket.socket) -> dict[str, str] | None:
        while True:
            (length,) = struct.unpack("!I", _exactly(client, 4))
            body = _exactly(client, length - 4)
            (code,) = struct.unpack("!I", body[:4])
            if code in (_SSL, _GSS):
                client.sendall(b"N")
            elif code == _CANCEL:
                return None
            else:
                words = body[4:].split(b"\0")
                return {
                    name.decode(): value.decode() for name, value in zip(words[::2], words[1::2], strict=False) if name
                }

    def _told(self, told: list[tuple[bytes, bytes]]) -> bytes:
        answer = b""
        for kind, body in told:
            if kind == b"S" and body.startswith(b"server_version\0") and self.version is not None:
                body = b"server_version\0" + self.version.encode() + b"\0"
            answer += _message(kind, body)
        return answer

    def _relay(self, client: socket.socket, pool: list[_Upstream]) -> None:
        turns = itertools.cycle(range(len(pool)))
        mine: int | None = None
        while True:
            kind, body = _read(client)
            if kind == b"X":
                return
            if mine is None:
                mine = next(turns)
            if kind in b"QP":
                text = body[1:] if kind == b"P" else body
                statement = text.partition(b"\0")[0].decode()
                self.sent.append((mine, statement))
                if self.cut_at is not None and self.cut_at in statement:
                    return
            pool[mine].socket.sendall(_message(kind, body))
            if kind in b"QS":
                for answer, content in _until_ready(pool[mine].socket):
                    client.sendall(_message(answer, content))
                if content == b"I":  # no transaction is open: the connection is anybody's again
                    mine = None


class _Upstream:
    def __init__(self, endpoint: Endpoint, startup: dict[str, str]) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(f"{endpoint.host}/.s.PGSQL.{endpoint.port}")
        words = b"".join(f"{name}\0{value}\0".encode() for name, value in startup.items()) + b"\0"
        self.socket.sendall(struct.pack("!II", len(words) + 8, 196608) + words)
        self.told = [(kind, body) for kind, body in _until_ready(self.socket) if kind != b"R"]


def _until_ready(server: socket.socket) -> Iterator[tuple[bytes, bytes]]:
    while True:
        kind, body = _read(server)
        yield kind, body
        if kind in b"Z":
            return


def _read(peer: socket.socket) -> tuple[bytes, bytes]:
    kind = _exactly(peer, 1)
    (length,) = struct.unpack("!I", _exactly(peer, 4))
    return kind, _exactly(peer, length - 4)


def _exactly(peer: socket.socket, number: int) -> bytes:
    data = b""
    while len(data) < number:
        more = peer.recv(number - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def _error(code: str, message: str) -> bytes:
    fields = f"SFATAL\0VFATAL\0C{code}\0M{message}\0\0".encode()
    return _message(b"E", fields)
