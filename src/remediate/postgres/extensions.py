"""Stand-ins for extensions whose binaries are missing: real extensions, written in SQL, that only our server sees.

PostgreSQL 18 looks for control files along `extension_control_path`, so `CREATE EXTENSION "uuid-ossp"` works without
touching the installation. An installed extension always wins. Each function of the original is there with its
signature, so that whatever names it can be created; those that the core cannot express raise `0A000` with
`UNPROVABLE` in the message when they are called: what depends on them is unprovable here, never proven.

Expressed: of uuid-ossp everything but `uuid_generate_v5` (SHA-1); of pgcrypto `gen_random_bytes`, `gen_random_uuid`,
and `digest` and `hmac` with md5, sha224, sha256, sha384 and sha512.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

UNPROVABLE: Final = "unprovable here"
"""Begins the message of every error that a stand-in raises for what it cannot do."""


@dataclass(frozen=True, slots=True)
class Shim:
    """A stand-in for one extension. `missing` are the signatures that only raise, with their result types."""

    version: str
    comment: str
    expressed: str
    missing: Mapping[str, str]

    def script(self) -> str:
        """The SQL script that CREATE EXTENSION runs."""
        raising = (
            f"CREATE FUNCTION {signature} RETURNS {result} LANGUAGE plpgsql AS $shim$ BEGIN RAISE EXCEPTION "
            f"'{UNPROVABLE}: {signature.split('(')[0]} needs the real extension' USING ERRCODE = '0A000'; END $shim$;\n"
            for signature, result in self.missing.items()
        )
        return self.expressed + "".join(raising)


_UUID_OSSP = Shim(
    version="1.1",
    comment="generate universally unique identifiers (UUIDs)",
    expressed="""
CREATE FUNCTION uuid_nil() RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN '00000000-0000-0000-0000-000000000000'::uuid;
CREATE FUNCTION uuid_ns_dns() RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid;
CREATE FUNCTION uuid_ns_url() RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN '6ba7b811-9dad-11d1-80b4-00c04fd430c8'::uuid;
CREATE FUNCTION uuid_ns_oid() RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN '6ba7b812-9dad-11d1-80b4-00c04fd430c8'::uuid;
CREATE FUNCTION uuid_ns_x500() RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN '6ba7b814-9dad-11d1-80b4-00c04fd430c8'::uuid;
CREATE FUNCTION uuid_generate_v4() RETURNS uuid LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
    RETURN pg_catalog.gen_random_uuid();
CREATE FUNCTION uuid_generate_v3(namespace uuid, name text) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT encode(set_byte(set_byte(hash, 6, get_byte(hash, 6) & 15 | 48), 8, get_byte(hash, 8) & 63 | 128),
                          'hex')::uuid
            FROM (SELECT decode(md5(uuid_send(namespace) || convert_to(name, 'UTF8')), 'hex') AS hash) AS hashed);
-- RFC 9562: 100 ns since 1582-10-15 in 60 bits, version 1, then a clock sequence and a node, here random ones with the
-- multicast bit that says so.
CREATE FUNCTION uuid_generate_v1mc() RETURNS uuid LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
    RETURN (SELECT (substr(ticks, 9, 8) || substr(ticks, 5, 4) || '1' || substr(ticks, 2, 3)
                    || encode(set_byte(set_byte(noise, 0, get_byte(noise, 0) & 63 | 128), 2, get_byte(noise, 2) | 1),
                              'hex'))::uuid
            FROM (SELECT lpad(to_hex((extract(epoch FROM clock_timestamp()) * 10000000)::bigint + 122192928000000000),
                              16, '0') AS ticks,
                         substr(sha256(uuid_send(pg_catalog.gen_random_uuid())), 1, 8) AS noise) AS parts);
CREATE FUNCTION uuid_generate_v1() RETURNS uuid LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
    RETURN uuid_generate_v1mc();
""",
    missing={"uuid_generate_v5(namespace uuid, name text)": "uuid"},
)

_PGCRYPTO = Shim(
    version="1.4",
    comment="cryptographic functions",
    expressed=f"""
CREATE FUNCTION gen_random_uuid() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
    RETURN pg_catalog.gen_random_uuid();
CREATE FUNCTION gen_random_bytes(integer) RETURNS bytea LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE AS $shim$
DECLARE
    bytes bytea := ''::bytea;
BEGIN
    IF $1 < 1 OR $1 > 1024 THEN
        RAISE EXCEPTION 'Length not in range' USING ERRCODE = '39000';
    END IF;
    WHILE octet_length(bytes) < $1 LOOP
        bytes := bytes || sha256(uuid_send(pg_catalog.gen_random_uuid()) || uuid_send(pg_catalog.gen_random_uuid()));
    END LOOP;
    RETURN substr(bytes, 1, $1);
END $shim$;
CREATE FUNCTION digest(bytea, text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $shim$
BEGIN
    CASE lower($2)
        WHEN 'md5' THEN RETURN decode(md5($1), 'hex');
        WHEN 'sha224' THEN RETURN sha224($1);
        WHEN 'sha256' THEN RETURN sha256($1);
        WHEN 'sha384' THEN RETURN sha384($1);
        WHEN 'sha512' THEN RETURN sha512($1);
        ELSE RAISE EXCEPTION '{UNPROVABLE}: digest with % needs the real extension', $2 USING ERRCODE = '0A000';
    END CASE;
END $shim$;
CREATE FUNCTION digest(text, text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $shim$
BEGIN
    RETURN @extschema@.digest(convert_to($1, getdatabaseencoding()), $2);
END $shim$;
-- RFC 2104.
CREATE FUNCTION hmac(bytea, bytea, text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $shim$
DECLARE
    block CONSTANT integer := CASE WHEN lower($3) IN ('sha384', 'sha512') THEN 128 ELSE 64 END;
    secret bytea := CASE WHEN octet_length($2) > block THEN @extschema@.digest($2, $3) ELSE $2 END;
    inner_pad bytea;
    outer_pad bytea;
BEGIN
    secret := secret || decode(repeat('00', block - octet_length(secret)), 'hex');
    inner_pad := secret;
    outer_pad := secret;
    FOR at IN 0 .. block - 1 LOOP
        inner_pad := set_byte(inner_pad, at, get_byte(secret, at) # 54);
        outer_pad := set_byte(outer_pad, at, get_byte(secret, at) # 92);
    END LOOP;
    RETURN @extschema@.digest(outer_pad || @extschema@.digest(inner_pad || $1, $3), $3);
END $shim$;
CREATE FUNCTION hmac(text, text, text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $shim$
BEGIN
    RETURN @extschema@.hmac(convert_to($1, getdatabaseencoding()), convert_to($2, getdatabaseencoding()), $3);
END $shim$;
""",
    missing={
        "crypt(text, text)": "text",
        "gen_salt(text)": "text",
        "gen_salt(text, integer)": "text",
        "encrypt(bytea, bytea, text)": "bytea",
        "decrypt(bytea, bytea, text)": "bytea",
        "encrypt_iv(bytea, bytea, bytea, text)": "bytea",
        "decrypt_iv(bytea, bytea, bytea, text)": "bytea",
        "pgp_sym_encrypt(text, text)": "bytea",
        "pgp_sym_encrypt(text, text, text)": "bytea",
        "pgp_sym_encrypt_bytea(bytea, text)": "bytea",
        "pgp_sym_encrypt_bytea(bytea, text, text)": "bytea",
        "pgp_sym_decrypt(bytea, text)": "text",
        "pgp_sym_decrypt(bytea, text, text)": "text",
        "pgp_sym_decrypt_bytea(bytea, text)": "bytea",
        "pgp_sym_decrypt_bytea(bytea, text, text)": "bytea",
        "pgp_pub_encrypt(text, bytea)": "bytea",
        "pgp_pub_encrypt(text, bytea, text)": "bytea",
        "pgp_pub_encrypt_bytea(bytea, bytea)": "bytea",
        "pgp_pub_encrypt_bytea(bytea, bytea, text)": "bytea",
        "pgp_pub_decrypt(bytea, bytea)": "text",
        "pgp_pub_decrypt(bytea, bytea, text)": "text",
        "pgp_pub_decrypt(bytea, bytea, text, text)": "text",
        "pgp_pub_decrypt_bytea(bytea, bytea)": "bytea",
        "pgp_pub_decrypt_bytea(bytea, bytea, text)": "bytea",
        "pgp_pub_decrypt_bytea(bytea, bytea, text, text)": "bytea",
        "pgp_key_id(bytea)": "text",
        "armor(bytea)": "text",
        "armor(bytea, text[], text[])": "text",
        "dearmor(text)": "bytea",
        "fips_mode()": "boolean",
    },
)

SHIMS: Final[Mapping[str, Shim]] = {"uuid-ossp": _UUID_OSSP, "pgcrypto": _PGCRYPTO}
"""The stand-ins by the name of the extension that they stand in for."""


def write_shims(folder: Path, *, installed: Path) -> None:
    """Write the stand-ins that `installed` (a folder of control files) lacks, readable for the server's account.

    `folder` is what goes on `extension_control_path`; PostgreSQL looks in its sub-folder `extension`.
    """
    target = folder / "extension"
    target.mkdir(parents=True)
    for name, shim in SHIMS.items():
        if (installed / f"{name}.control").exists():
            continue
        control = (
            f"comment = '{shim.comment}'\ndefault_version = '{shim.version}'\nrelocatable = {_relocatable(shim)}\n"
        )
        (target / f"{name}.control").write_text(control + "trusted = true\n", encoding="utf-8")
        (target / f"{name}--{shim.version}.sql").write_text(shim.script(), encoding="utf-8")
    for path in (folder, target, *target.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)


def write_empty(folder: Path, name: str) -> None:
    """Write an extension without anything in it: CREATE EXTENSION goes through, and what needs it is refused."""
    target = folder / "extension"
    control = f"comment = 'stands in for {name}'\ndefault_version = '0'\nrelocatable = true\n"
    for path, text in ((target / f"{name}.control", control), (target / f"{name}--0.sql", "")):
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)


def _relocatable(shim: Shim) -> str:
    # A script that names its own schema cannot be moved to another; the originals can.
    return "false" if "@extschema@" in shim.script() else "true"
