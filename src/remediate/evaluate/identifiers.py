"""Identifiers and digests that programs make: `uuid` and Node's `crypto`.

What is drawn at random has a stand-in, another one at each call and the same in each run of ours, so that the rows that
it goes into are known but for it.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from remediate.evaluate.builtins.encodings import Bytes, create_hash
from remediate.evaluate.conversions import to_text
from remediate.evaluate.machine import Machine
from remediate.evaluate.objects import Library, Native, argument, first
from remediate.evaluate.values import Drawn, Unknown, Value
from remediate.source.place import Place

if TYPE_CHECKING:
    from remediate.evaluate.modules import Modules

_NAMESPACES = {"DNS": uuid.NAMESPACE_DNS, "URL": uuid.NAMESPACE_URL}
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
        return Bytes((drawn * (length // len(drawn) + 1))[:length], place)

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
