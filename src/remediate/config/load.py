"""Reads `remediate.toml`."""

from __future__ import annotations

import datetime
import difflib
import re
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any, get_args, get_type_hints

import msgspec

from remediate.config.model import Config
from remediate.errors import RemediateError
from remediate.source.model import FileTree

FILE_NAME = "remediate.toml"


def load(tree_root: Path | FileTree, explicit: Path | None = None) -> Config:
    """The configuration of a workspace: `explicit` if given, else its `remediate.toml`, else the defaults.

    Raises RemediateError, with file and key or line, for a file that is not TOML, a key that does not exist (naming
    the nearest one that does), a value of the wrong type, and a date that is none.
    """
    if explicit is not None:
        return parse(_read_explicit(explicit), str(explicit))
    if isinstance(tree_root, Path):
        path = tree_root / FILE_NAME
        return parse(_read_explicit(path), str(path)) if path.is_file() else Config()
    try:
        data = tree_root.read(PurePosixPath(FILE_NAME))
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise RemediateError(f"cannot be read: {error.strerror or error}", place=FILE_NAME) from None
    return parse(data, FILE_NAME)


def parse(data: bytes, place: str) -> Config:
    """The configuration in the bytes of one file; `place` is what errors call the file."""
    try:
        raw = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RemediateError("is not UTF-8", place=f"{place}:{line}") from None
    except tomllib.TOMLDecodeError as error:
        raise _toml_error(str(error), place) from None
    _check_keys(raw, Config, "", place)
    try:
        config = msgspec.convert(_plain(raw), Config)
    except msgspec.ValidationError as error:
        raise _wrong_value(str(error), place) from None
    _check_values(config, place)
    return config


def _read_explicit(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RemediateError(f"cannot be read: {error.strerror or error}", place=str(path)) from None


def _toml_error(message: str, place: str) -> RemediateError:
    found = re.search(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$", message)
    cause = message[: found.start()] if found else message
    line = f":{found.group(1)}" if found and found.group(1) else ""
    return RemediateError(f"is not TOML: {cause[:1].lower()}{cause[1:]}", place=f"{place}{line}")


def _plain(value: Any) -> Any:
    """TOML has dates of its own; where the model wants text, `until = 2027-01-31` is as good as in quotes."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime.date) else value


def _check_keys(raw: dict[str, Any], struct: type[msgspec.Struct], path: str, place: str) -> None:
    """Looks for unknown keys before the types are checked, because msgspec does not say which ones there are."""
    types = get_type_hints(struct)
    known = {field.encode_name: types[field.name] for field in msgspec.structs.fields(struct)}
    for key, value in raw.items():
        here = f"{path}{key}"
        if key not in known:
            raise _unknown_key(here, path, key, known, place)
        inner = _struct_of(known[key])
        if inner is None:
            continue
        if known[key] is inner:
            members = [(f"{here}.", value)]
        elif isinstance(value, dict):
            members = [(f"{here}.{name}.", entry) for name, entry in value.items()]
        else:
            entries = value if isinstance(value, list) else []
            members = [(f"{here}[{index}].", entry) for index, entry in enumerate(entries, 1)]
        for prefix, member in members:
            if isinstance(member, dict):
                _check_keys(member, inner, prefix, place)


def _struct_of(type_: Any) -> type[msgspec.Struct] | None:
    """The struct that a type is, or holds as the values of its dictionary or tuple."""
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        return type_
    return next((found for found in map(_struct_of, get_args(type_)) if found is not None), None)


def _unknown_key(here: str, path: str, key: str, known: dict[str, Any], place: str) -> RemediateError:
    spelled = difflib.get_close_matches(key.replace("_", "-").lower(), known, n=1, cutoff=0.5)
    hint = (
        f"the nearest known key is {path}{spelled[0]}"
        if spelled
        else f"known are {', '.join(f'{path}{name}' for name in known)}"
    )
    return RemediateError(f"unknown key {here}", place=place, hint=hint)


def _wrong_value(message: str, place: str) -> RemediateError:
    cause, _, path = message.partition(" - at `$.")
    key = re.sub(r"\[(\d+)\]", lambda found: f"[{int(found.group(1)) + 1}]", path.rstrip("`"))
    for python, toml in _TYPES.items():
        cause = cause.replace(f"`{python}`", toml)
    if "[...]" in key:
        key = key.replace("[...]", ".*")
    return RemediateError(f"{cause[:1].lower()}{cause[1:]}", place=f"{place}, key {key}" if key else place)


_TYPES = {"str": "a string", "int": "an integer", "bool": "true or false", "array": "an array", "object": "a table"}


def _check_values(config: Config, place: str) -> None:
    for index, suppression in enumerate(config.suppress, 1):
        if not suppression.reason.strip():
            raise RemediateError(
                "a suppression needs a reason", place=f"{place}, key suppress[{index}].reason", hint="say why"
            )
        if suppression.until is not None:
            _check_date(suppression.until, f"{place}, key suppress[{index}].until")
    if not 9 <= config.workspace.postgres <= 99:
        raise RemediateError(
            f"there is no PostgreSQL {config.workspace.postgres}",
            place=f"{place}, key workspace.postgres",
            hint="give the major version in production, for example 15",
        )
    if not re.fullmatch(r"\d+(?:\.\d+)?\s*(?:us|ms|s|min|h|d)?", config.emit.lock_timeout):
        raise RemediateError(
            f"{config.emit.lock_timeout!r} is no time",
            place=f"{place}, key emit.lock-timeout",
            hint="give a number with its unit, for example 5s",
        )


def _check_date(text: str, place: str) -> None:
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            raise ValueError
        datetime.date.fromisoformat(text)
    except ValueError:
        raise RemediateError(f"{text!r} is no date", place=place, hint="write it as 2027-01-31") from None
