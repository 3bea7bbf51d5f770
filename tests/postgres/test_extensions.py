"""Stand-ins for extensions: what they express is what the originals answer, the rest says that it cannot."""

from __future__ import annotations

import re

import psycopg
import pytest

from remediate.postgres.database import connect
from remediate.postgres.extensions import SHIMS, UNPROVABLE
from remediate.postgres.server import Server
from remediate.postgres.workroom import memory_folder
from support.database import Database


@pytest.mark.parametrize("name", SHIMS)
def test_it_is_an_extension_like_any_other(database: Database, name: str) -> None:
    assert database.refusal(f'CREATE EXTENSION IF NOT EXISTS "{name}"') is None
    database.run(f'CREATE SCHEMA tools; DROP EXTENSION "{name}"; CREATE EXTENSION "{name}" SCHEMA tools')
    owned = "SELECT count(*) FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'"
    assert database.value(owned) > 10
    database.run(f'DROP EXTENSION "{name}"')


# The expected values are those of RFC 9562, RFC 4231, RFC 2202 and FIPS 180, or of PostgreSQL's own tests.
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("uuid_generate_v3(uuid_ns_dns(), 'www.example.com')", "5df41881-3aed-3515-88a7-2f4a814cf09e"),
        ("uuid_nil()", "00000000-0000-0000-0000-000000000000"),
        ("substr(uuid_generate_v4()::text, 15, 1)", "4"),
        ("substr(uuid_generate_v1()::text, 15, 1)", "1"),
        ("uuid_extract_timestamp(uuid_generate_v1()) BETWEEN now() - '1 s'::interval AND now() + '9 s'", "true"),
        ("uuid_generate_v4() = uuid_generate_v4()", "false"),
        ("length(gen_random_bytes(1000))", "1000"),
        ("encode(digest('abc', 'md5'), 'hex')", "900150983cd24fb0d6963f7d28e17f72"),
        ("left(encode(digest('abc', 'SHA256'), 'hex'), 16)", "ba7816bf8f01cfea"),
        ("left(encode(digest('abc'::bytea, 'sha512'), 'hex'), 16)", "ddaf35a193617aba"),
        ("encode(hmac('what do ya want for nothing?', 'Jefe', 'md5'), 'hex')", "750c783e6ab0b503eaa86e310a5db738"),
        ("left(encode(hmac('what do ya want for nothing?', 'Jefe', 'sha256'), 'hex'), 16)", "5bdcc146bf60754e"),
        ("left(encode(hmac('what do ya want for nothing?', 'Jefe', 'sha512'), 'hex'), 16)", "164b7a7bfcf819e2"),
        (
            "left(encode(hmac('Test Using Larger Than Block-Size Key - Hash Key First'::bytea,"
            " decode(repeat('aa', 131), 'hex'), 'sha256'), 'hex'), 16)",
            "60e431591ee0b67f",
        ),
    ],
)
def test_what_the_core_can_express_is_right(database: Database, expression: str, expected: str) -> None:
    database.run('CREATE EXTENSION "uuid-ossp"; CREATE EXTENSION pgcrypto')
    assert database.value(f"SELECT ({expression})::text") == expected


@pytest.mark.parametrize("extension", SHIMS)
def test_what_it_cannot_express_says_so(database: Database, extension: str) -> None:
    database.run(f'CREATE EXTENSION "{extension}"')
    for signature in SHIMS[extension].missing:
        name, types = re.fullmatch(r"(\w+)\((.*)\)", signature).groups()  # type: ignore[union-attr]
        arguments = ", ".join(f"NULL::{each.split()[-1]}" for each in types.split(", ") if each)
        with pytest.raises(psycopg.errors.FeatureNotSupported, match=f"{UNPROVABLE}: {name} needs the real extension"):
            database.run(f"SELECT {name}({arguments})")


def test_sha1_is_not_expressed(database: Database) -> None:
    database.run("CREATE EXTENSION pgcrypto")
    assert database.refusal("SELECT digest('abc', 'sha1')") == "0A000"


def test_what_is_installed_is_not_replaced(database: Database) -> None:
    for extension in ("pg_trgm", "btree_gin", "btree_gist", "citext", "hstore", "vector"):
        assert database.refusal(f"CREATE EXTENSION {extension}") is None
        assert extension not in SHIMS


def test_postgis_is_not_here() -> None:
    # A server of its own: the shared one may have been given a stand-in by whoever ran a history on it.
    with (
        Server(parent=memory_folder()) as server,
        connect(server.endpoint, "postgres") as connection,
        pytest.raises(psycopg.errors.FeatureNotSupported),
    ):
        connection.execute("CREATE EXTENSION postgis")
