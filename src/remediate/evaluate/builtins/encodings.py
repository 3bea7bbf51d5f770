"""Texts in other forms: hashes, Buffer, base64 and percent signs, of which migrations make names that fit."""

from __future__ import annotations

import base64
import binascii
import hashlib
import urllib.parse

from remediate.evaluate.conversions import to_text
from remediate.evaluate.machine import Machine
from remediate.evaluate.objects import Native, ScriptObject, argument, first
from remediate.evaluate.values import UNDEFINED, Drawn, Unknown, Value
from remediate.source.place import Place

_HASHES = frozenset({"md5", "sha1", "sha224", "sha256", "sha384", "sha512"})


class Bytes(ScriptObject):
    """A Buffer; `drawn` is where it was filled at random, if it was."""

    def __init__(self, data: bytes, drawn: Place | None = None) -> None:
        self.data = data
        self.drawn = drawn

    def get(self, name: str, place: Place) -> Value:
        if name == "length":
            return len(self.data)
        if name == "toString":
            return Native("toString", self._to_text)
        return Unknown(f"Buffer.{name} is not interpreted", place)

    def text(self) -> Value:
        return self._to_text(self, [], Place(""))

    def _to_text(self, this: Value, arguments: list[Value], place: Place) -> Value:
        written = _written(self.data, first(arguments), place)
        if self.drawn is None or not isinstance(written, str):
            return written
        return Drawn("crypto.randomBytes()", self.drawn, stand_in=written)


def _written(data: bytes, encoding: Value, place: Place) -> Value:
    """Bytes as a text in one of Node's encodings."""
    if isinstance(encoding, Unknown):
        return encoding
    name = "utf8" if encoding is UNDEFINED else to_text(encoding).lower().replace("-", "")
    if name == "utf8":
        return data.decode("utf-8", "replace")
    if name == "hex":
        return data.hex()
    if name in ("base64", "base64url"):
        text = base64.b64encode(data).decode()
        return text if name == "base64" else text.translate(str.maketrans("+/", "-_", "="))
    if name in ("latin1", "binary"):
        return data.decode("latin-1")
    return Unknown(f"the encoding {name}", place)


def _read(text: str, encoding: Value) -> bytes | None:
    """The bytes that a text stands for in one of Node's encodings; None where that is not known."""
    name = "utf8" if encoding is UNDEFINED else to_text(encoding).lower().replace("-", "")
    try:
        if name == "utf8":
            return text.encode("utf-8", "surrogatepass")
        if name == "hex":
            return bytes.fromhex(text)
        if name in ("base64", "base64url"):
            plain = text.translate(str.maketrans("-_", "+/", "="))
            return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
        return text.encode("latin-1") if name in ("latin1", "binary") else None
    except (ValueError, UnicodeEncodeError, binascii.Error):
        return None


def _data(value: Value, encoding: Value = UNDEFINED) -> bytes | None:
    if isinstance(value, Bytes):
        return value.data
    return _read(value, encoding) if isinstance(value, str) else None


def buffer_class(machine: Machine) -> Native:
    """`Buffer`, as far as texts go in and out of it."""

    def from_text(this: Value, arguments: list[Value], place: Place) -> Value:
        value = first(arguments)
        if isinstance(value, Unknown):
            return value
        data = _data(value, argument(arguments, 1))
        return Unknown("a Buffer of something else than text", place) if data is None else Bytes(data)

    def length(this: Value, arguments: list[Value], place: Place) -> Value:
        data = _data(first(arguments))
        return Unknown("the bytes of something else than text", place) if data is None else len(data)

    return Native("Buffer", None, {"from": Native("from", from_text), "byteLength": Native("byteLength", length)})


class _Hash(ScriptObject):
    """What `createHash` gives."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.data = b""
        self.unknown: Unknown | None = None

    def get(self, name: str, place: Place) -> Value:
        if name == "update":
            return Native(name, self._update)
        if name == "digest":
            return Native(name, self._digest)
        return Unknown(f"Hash.{name} is not interpreted", place)

    def _update(self, this: Value, arguments: list[Value], place: Place) -> Value:
        value = first(arguments)
        data = None if isinstance(value, Unknown) else _data(value, argument(arguments, 1))
        if data is None:
            self.unknown = value if isinstance(value, Unknown) else Unknown("a hash of something else than text", place)
        self.data += data or b""
        return self

    def _digest(self, this: Value, arguments: list[Value], place: Place) -> Value:
        if self.unknown is not None:
            return self.unknown
        digest = hashlib.new(self.name, self.data, usedforsecurity=False).digest()
        encoding = first(arguments)
        return Bytes(digest) if encoding is UNDEFINED else _written(digest, encoding, place)


class FileUrl(ScriptObject):
    """A URL, as it is made of `import.meta.url` and a path beside it."""

    def __init__(self, href: str) -> None:
        self.href = href

    def get(self, name: str, place: Place) -> Value:
        if name == "href":
            return self.href
        if name == "pathname" and self.href.startswith("file://"):
            return self.href.removeprefix("file://")
        if name == "toString":
            return Native("toString", lambda this, arguments, at: self.href)
        return Unknown(f"URL.{name} is not interpreted", place)

    def text(self) -> Value:
        return self.href


def url_class(machine: Machine) -> Native:
    """`URL`."""

    def make(this: Value, arguments: list[Value], place: Place) -> Value:
        base = argument(arguments, 1)
        relative = to_text(first(arguments))
        return FileUrl(relative if base is UNDEFINED else urllib.parse.urljoin(to_text(base), relative))

    return Native("URL", None, construct=make)


def create_hash(this: Value, arguments: list[Value], place: Place) -> Value:
    """`crypto.createHash`: names that are too long for PostgreSQL are often cut and told apart by one."""
    name = first(arguments)
    if isinstance(name, Unknown):
        return name
    known = to_text(name).lower().replace("-", "")
    return _Hash(known) if known in _HASHES else Unknown(f"the hash {to_text(name)}", place)


def encode_component(this: Value, arguments: list[Value], place: Place) -> Value:
    return urllib.parse.quote(to_text(first(arguments)), safe="!'()*-._~")


def to_base64(this: Value, arguments: list[Value], place: Place) -> Value:
    data = _read(to_text(first(arguments)), "latin1")
    return Unknown("base64 of text beyond Latin-1", place) if data is None else base64.b64encode(data).decode()


def from_base64(this: Value, arguments: list[Value], place: Place) -> Value:
    data = _read(to_text(first(arguments)), "base64")
    return Unknown("text that is no base64", place) if data is None else data.decode("latin-1")
