"""Small platforms of services in which each rule finds something, and the git repositories that hold them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

TENANT = "tenant_id = current_setting('app.current_tenant_id', true)::uuid"

TOUCH = """CREATE OR REPLACE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NEW.updated_at = now();
      RETURN NEW;
    END $$"""


def protect(table: str, *, force: bool = True) -> str:
    forced = f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY;" if force else ""
    return (
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; {forced}"
        f" CREATE POLICY {table}_isolation ON {table} USING ({TENANT}) WITH CHECK ({TENANT})"
    )


def typescript(up: str, down: str = "") -> str:
    """A migration that sends `up` as it stands; the text may use `${…}` and backticks only escaped."""
    return f"""import type {{ Knex }} from 'knex';

export async function up(knex: Knex): Promise<void> {{
{up}
}}

export async function down(knex: Knex): Promise<void> {{
{down}
}}
"""


def javascript(up: str, down: str = "") -> str:
    return f"exports.up = async (knex) => {{\n{up}\n}};\n\nexports.down = async (knex) => {{\n{down}\n}};\n"


def raw(sql: str) -> str:
    return f"  await knex.raw(`{sql}`);"


KNEXFILE = """import type { Knex } from 'knex';

const config: Knex.Config = {
  client: 'pg',
  connection: process.env.DATABASE_URL,
  migrations: { directory: './migrations', tableName: 'knex_migrations_NAME' },
};

export default config;
"""


def service(name: str, migrations: Mapping[str, str], folder: str | None = None) -> dict[str, str]:
    """The files of one service, with a package.json and a knexfile."""
    base = folder if folder is not None else f"services/{name}"
    prefix = f"{base}/" if base else ""
    files = {
        "package.json": json.dumps({"name": name, "private": True}, indent=2) + "\n",
        "knexfile.ts": KNEXFILE.replace("NAME", name.replace("-", "_")),
        **{f"migrations/{file}": text for file, text in migrations.items()},
    }
    return {prefix + path: text for path, text in files.items()}


ACCOUNTS = {
    "20240101000000_create_tenants.ts": typescript(
        """  await knex.schema.createTable('tenants', (table) => {
    table.uuid('id').primary();
    table.text('name').notNullable();
  });
  await knex.schema.createTable('members', (table) => {
    table.uuid('id').primary();
    table.uuid('tenant_id').notNullable().references('id').inTable('tenants');
  });
  await knex.schema.createTable('invitations', (table) => {
    table.uuid('id').primary();
    table.uuid('tenant_id').notNullable().references('id').inTable('tenants');
  });
"""
        + raw(protect("members"))
        + "\n"
        + raw(TOUCH),
        "  await knex.schema.dropTable('members');\n  await knex.schema.dropTable('tenants');",
    )
}

ORDERS = {
    "001_create_orders.ts": typescript(
        """  for (const name of ['orders', 'payments', 'refunds', 'shipments']) {
    await knex.schema.createTable(name, (table) => {
      table.uuid('id').primary();
      table.uuid('tenant_id').notNullable().references('id').inTable('tenants');
    });
  }
  await knex.schema.createTable('order_items', (table) => {
    table.uuid('id').primary();
    table.uuid('order_id').notNullable().references('id').inTable('orders');
  });
"""
        + "\n".join((raw(protect("orders")), raw(TOUCH))),
    ),
    "002_protect.ts": typescript(
        "\n".join((raw(protect("shipments", force=False)), raw("ALTER TABLE refunds ENABLE ROW LEVEL SECURITY")))
    ),
}
"""payments: no RLS; refunds: no policy; shipments: not forced; order_items: no tenant; touch_updated_at(): twice."""

DATABASE = """import { knex } from './connection';

export async function asTenant<T>(tenantId: string, work: (trx: any) => Promise<T>): Promise<T> {
  return knex.transaction(async (trx: any) => {
    await trx.raw("SELECT set_config('app.current_tenant_id', ?, true)", [tenantId]);
    return work(trx);
  });
}
"""

PLATFORM = {
    **service("accounts", ACCOUNTS),
    **service("orders", ORDERS),
    "services/accounts/src/database.ts": DATABASE,
    "services/orders/src/database.ts": DATABASE,
    "README.md": "# Platform\n",
}
"""Two services, one of them with a finding of most rules."""


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Writes the files below a folder, which it returns."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


class Repository:
    """A git repository with a working tree; calling it runs git there and gives its output."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, *arguments: str | Path, check: bool = True, stdin: bytes | None = None) -> str:
        done = subprocess.run(
            ["git", *map(str, arguments)], cwd=self.root, capture_output=True, input=stdin, check=False
        )
        assert not check or done.returncode == 0, done.stderr.decode()
        return done.stdout.decode(errors="surrogateescape")

    def commit(self, message: str = "Services") -> str:
        self("add", "-A")
        self("commit", "-q", "-m", message)
        return self("rev-parse", "HEAD").strip()

    def state(self) -> dict[str, object]:
        """All that must stay as it is when a branch is made: files, index, HEAD and what `git status` says."""
        inside = Path(self("rev-parse", "--absolute-git-dir").strip())
        return {
            **contents(self.root),
            "index": (inside / "index").read_bytes(),
            "HEAD": (inside / "HEAD").read_bytes(),
            "status": self("status", "--porcelain=v2", "--branch"),
        }


def repository(root: Path, files: Mapping[str, str | bytes] = PLATFORM, *, commit: bool = True) -> Repository:
    """A new repository with these files, committed."""
    write(root, files)
    made = Repository(root)
    made("init", "-q", "-b", "main")
    made("config", "user.name", "Maintainer")
    made("config", "user.email", "maintainer@example.com")
    if commit:
        made.commit()
    return made


def contents(root: Path, *, ignore: Iterable[str] = (".git",)) -> dict[str, object]:
    """Bytes (or the target of a link) of everything below a folder, and the folders themselves."""
    found: dict[str, object] = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in ignore]
        found.update({os.path.join(folder, name): None for name in folders})
        for name in files:
            path = Path(folder, name)
            found[str(path)] = os.readlink(path) if path.is_symlink() else path.read_bytes()
    return found
