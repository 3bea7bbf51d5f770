"""Identifiers and digests that programs make: `uuid` and Node's `crypto`.

What is drawn at random has a stand-in, another one at each call and the same in each run of ours, so that the rows that
it goes into are known but for it.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from remediate.evaluate.conversions import to_text
from remediate.evaluate.machine import Machine
from remediate.evaluate.objects import Library, Native, ScriptObject, argument, first
from remediate.evaluate.values import UNDEFINED, Drawn, Unknown, Value
from remediate.source.place import Place

if TYPE_CHECKING:
    from remediate.evaluate.modules import Modules

_NAMESPACES = {"DNS": uuid.NAMESPACE_DNS, "URL": uuid.NAMESPACE_URL}
_ALGORITHMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
_MOST_BYTES = 1 << 16


def uuid_library(machine: Machine, modules: Modules) -> Value:
    """The package `uuid`."""
    members: dict[str, Value] = {
        f"v{version}": random_uuid(machine, f"uuid.v{version}", version) for version in (1, 4, 6, 7)
    }
    members |= {"v3": _named(uuid.uuid3, "v3"), "v5": _named(uuid.uuid5, "v5")}
    members |= {
        "NIL": str(uuid.UUID(int=0)),
        "MAX": str(uuid.UUID(int=2**128 - 1)),
        "validate": Native("validate", _validate),
    }
    library = Library("uuid", members)
    library.members["default"] = library
    return library


def uuid_function(version: int) -> Callable[[Machine, Modules], Value]:
    """`require('uuid/v4')`, as the package had it before version 7."""
    return lambda machine, modules: random_uuid(machine, f"uuid/v{version}", version)


def crypto_library(machine: Machine, modules: Modules) -> Value:
    """Node's module `crypto`."""
    library = crypto_object(machine)
    library.members["webcrypto"] = library.members["default"] = library
    return library


def crypto_object(machine: Machine) -> Library:
    """What Node's `crypto` has as a module and as a global."""

    def random_bytes(this: Value, arguments: list[Value], place: Place) -> Value:
        length = first(arguments)
        if not isinstance(length, int) or not 0 <= length <= _MOST_BYTES:
            return Unknown("crypto.randomBytes()", place)
        drawn = _drawn(machine, place)
        return _Bytes((drawn * (length // len(drawn) + 1))[:length], place)

    def create_hash(this: Value, arguments: list[Value], place: Place) -> Value:
        algorithm = to_text(first(arguments)).lower().replace("-", "")
        return _Hash(algorithm) if algorithm in _ALGORITHMS else Unknown(f"crypto.createHash('{algorithm}')", place)

    def unknown(name: str) -> Native:
        return Native(name, lambda this, arguments, place: Unknown(f"crypto.{name}()", place))

    members: dict[str, Value] = {
        "randomUUID": random_uuid(machine, "crypto.randomUUID", 4),
        "randomBytes": Native("randomBytes", random_bytes),
        "createHash": Native("createHash", create_hash),
    }
    members |= {
        name: unknown(name) for name in ("randomInt", "createHmac", "createCipheriv", "scryptSync", "pbkdf2Sync")
    }
    return Library("crypto", members)


def random_uuid(machine: Machine, name: str, version: int) -> Native:
    """A function that gives another UUID of that version at each call."""

    def draw(this: Value, arguments: list[Value], place: Place) -> Value:
        digits = bytearray(_drawn(machine, place)[:16])
        digits[6] = digits[6] & 0x0F | version << 4
        digits[8] = digits[8] & 0x3F | 0x80
        return Drawn(f"{name}()", place, stand_in=str(uuid.UUID(bytes=bytes(digits))))

    return Native(name.rpartition(".")[2], draw)


def _drawn(machine: Machine, place: Place) -> bytes:
    """Twenty bytes that no other call gives, in no other migration either."""
    machine.drawn += 1
    seed = f"{machine.modules.entry} {place} {machine.drawn}"
    return hashlib.sha1(seed.encode("utf-8", "replace"), usedforsecurity=False).digest()


def _named(make: Callable[[uuid.UUID, str], uuid.UUID], name: str) -> Native:
    def run(this: Value, arguments: list[Value], place: Place) -> Value:
        try:
            return str(make(uuid.UUID(to_text(argument(arguments, 1))), to_text(first(arguments))))
        except ValueError:
            return Unknown(f"uuid.{name}()", place)

    return Native(name, run, {key: str(namespace) for key, namespace in _NAMESPACES.items()})


def _validate(this: Value, arguments: list[Value], place: Place) -> Value:
    text = to_text(first(arguments))
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


class _Bytes(ScriptObject):
    """A Buffer, as far as it becomes text; `drawn` is where it was filled at random, if it was."""

    def __init__(self, data: bytes, drawn: Place | None = None) -> None:
        self.data = data
        self.drawn = drawn

    def get(self, name: str, place: Place) -> Value:
        if name == "length":
            return len(self.data)
        if name == "toString":
            return Native(name, self._to_text)
        return Unknown(f"{name} of a buffer is not interpreted", place)

    def primitive(self) -> Value:
        return Unknown("the bytes of a buffer")

    def _to_text(self, this: Value, arguments: Sequence[Value], place: Place) -> Value:
        written = _encoded(self.data, first(arguments), place)
        if self.drawn is None or not isinstance(written, str):
            return written
        return Drawn("crypto.randomBytes()", self.drawn, stand_in=written)


class _Hash(ScriptObject):
    """What `createHash` gives; `update` may be chained."""

    def __init__(self, algorithm: str) -> None:
        self.state = hashlib.new(algorithm, usedforsecurity=False)

    def get(self, name: str, place: Place) -> Value:
        if name == "update":
            return Native(name, self._update)
        if name == "digest":
            return Native(name, self._digest)
        return Unknown(f"{name} of a hash is not interpreted", place)

    def primitive(self) -> Value:
        return "[object Object]"

    def _update(self, this: Value, arguments: Sequence[Value], place: Place) -> Value:
        data = first(arguments)
        if isinstance(data, _Bytes):
            self.state.update(data.data)
        elif isinstance(data, str):
            self.state.update(data.encode("utf-8", "replace"))
        else:
            return Unknown("the hash of something that is not known", place)
        return self

    def _digest(self, this: Value, arguments: Sequence[Value], place: Place) -> Value:
        encoding = first(arguments)
        return _Bytes(self.state.digest()) if encoding is UNDEFINED else _encoded(self.state.digest(), encoding, place)


def _encoded(data: bytes, encoding: Value, place: Place) -> Value:
    if encoding == "hex":
        return data.hex()
    if encoding == "base64":
        return base64.b64encode(data).decode()
    if encoding == "base64url":
        return base64.urlsafe_b64encode(data).decode().rstrip("=")
    return Unknown("text of bytes that are none", place)
