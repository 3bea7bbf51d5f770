"""Writes a platform to measure on: services whose migrations use the idioms of real ones, about 250 lines a file.

    python benchmarks/generate.py FOLDER [--files 100] [--services 20] [--databases shared|own]

The same arguments write the same bytes. Of five files, one creates tables with the schema builder, one with raw SQL,
functions and triggers, one protects tables in loops, one guards its changes on the catalog, and one seeds and alters.
Beside every migration stands a file of application code.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Literal

Databases = Literal["shared", "own"]

WORDS = (
    "orders", "invoices", "tickets", "venues", "events", "payments", "refunds", "sessions", "devices", "messages",
    "campaigns", "contacts", "audits", "exports", "imports", "reports", "transfers", "listings", "offers", "scans",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--services", type=int, default=20)
    parser.add_argument("--databases", choices=("shared", "own"), default="shared")
    arguments = parser.parse_args()
    generate(arguments.folder, arguments.files, arguments.services, arguments.databases)


def generate(folder: Path, files: int, services: int = 20, databases: Databases = "shared") -> None:
    """Writes `files` migrations of `services` services, which have one database in common or one each."""
    counts = [files // services + (number < files % services) for number in range(services)]
    for number, count in enumerate(counts):
        name = f"s{number:03}"
        database = "platform" if databases == "shared" else name
        with_tenants = number == 0 or databases == "own"
        _service(folder / "services" / f"{name}-service", name, count, database, with_tenants)


def _service(root: Path, name: str, files: int, database: str, with_tenants: bool) -> None:
    migrations = root / "src" / "migrations"
    code = root / "src" / "models"
    migrations.mkdir(parents=True, exist_ok=True)
    code.mkdir(parents=True, exist_ok=True)
    (root / "package.json").write_text(f'{{ "name": "{name}-service", "private": true }}\n', encoding="utf-8")
    (root / "knexfile.ts").write_text(_KNEXFILE.format(name=name, database=database), encoding="utf-8")
    kinds = (_built, _raw, _protected, _guarded, _altered)
    for number in range(files):
        group = f"{name}_{number // len(kinds):03}"
        text = kinds[number % len(kinds)](group, with_tenants and number == 0)
        kind = kinds[number % len(kinds)].__name__.strip("_")
        (migrations / f"{number + 1:04}_{kind}_{group}.ts").write_text(text, encoding="utf-8")
        (code / f"model_{number:04}.ts").write_text(_CODE.format(table=f"{group}_orders", name=name), encoding="utf-8")


_KNEXFILE = """import type {{ Knex }} from 'knex';

const config: Knex.Config = {{
  client: 'pg',
  connection: {{
    host: process.env.DB_HOST || 'localhost',
    database: process.env.DB_NAME || '{database}',
    user: process.env.DB_USER || 'platform',
    password: process.env.DB_PASSWORD,
  }},
  migrations: {{ directory: './src/migrations', tableName: 'knex_migrations_{name}', extension: 'ts' }},
}};

export default config;
"""

_CODE = """import {{ knex }} from '../db';

export async function listFor{name}(tenantId: string, limit = 50): Promise<unknown[]> {{
  return knex.transaction(async (trx) => {{
    await trx.raw(`SELECT set_config('app.current_tenant_id', ?, true)`, [tenantId]);
    return trx('{table}').select('id', 'status', 'created_at').orderBy('created_at', 'desc').limit(limit);
  }});
}}

export async function rename(tenantId: string, id: string, name: string): Promise<void> {{
  await knex.transaction(async (trx) => {{
    await trx.raw(`SELECT set_config('app.current_tenant_id', ?, true)`, [tenantId]);
    await trx('{table}').where({{ id }}).update({{ name, updated_at: trx.fn.now() }});
  }});
}}
"""

_TENANTS = """
  await knex.schema.createTable('tenants', (t) => {
    t.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    t.string('name', 255).notNullable();
    t.timestamps(true, true);
  });
"""


def _built(group: str, with_tenants: bool) -> str:
    """Tables by the schema builder, through a helper; a loop that protects most of them."""
    tables = [f"{group}_{word}" for word in WORDS[:8]]
    parts = ["import type { Knex } from 'knex';\n\nconst TABLES = ["]
    parts += [f"  '{table}'," for table in tables[:-1]]
    parts.append("];\n\nexport async function up(knex: Knex): Promise<void> {")
    if with_tenants:
        parts.append(_TENANTS)
    parts.append("""  const addTenant = (t: Knex.CreateTableBuilder) => {
    t.uuid('tenant_id')
      .notNullable()
      .references('id')
      .inTable('tenants')
      .onDelete('RESTRICT')
      .index();
  };
""")
    for number, table in enumerate(tables):
        parent = tables[number - 1] if number % 3 == 2 else None
        parts.append(f"""  await knex.schema.createTable('{table}', (t) => {{
    t.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));""")
        if number != 5:
            parts.append("    addTenant(t);")
        if parent:
            parts.append(
                f"    t.uuid('parent_id').notNullable().references('id').inTable('{parent}').onDelete('CASCADE');"
            )
        parts.append("""    t.string('name', 200).notNullable();
    t.string('status', 20).notNullable().defaultTo('new');
    t.integer('quantity').notNullable().defaultTo(0);
    t.decimal('amount', 12, 2);
    t.boolean('is_active').notNullable().defaultTo(true);
    t.text('notes');
    t.string('external_id', 100).unique();
    t.jsonb('metadata').defaultTo('{}');
    t.specificType('tags', 'text[]');
    t.enu('kind', ['standard', 'premium', 'internal']).notNullable().defaultTo('standard');
    t.timestamp('starts_at', { useTz: true });
    t.timestamp('ends_at', { useTz: true });
    t.timestamps(true, true);""")
        if number != 5:
            parts.append("    t.index(['tenant_id', 'status']);\n    t.unique(['tenant_id', 'name']);")
        parts.append("    t.index(['created_at']);\n  });\n")
    parts.append("""  for (const table of TABLES.filter((name) => !name.endsWith('_payments'))) {
    await knex.raw(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
    await knex.raw(`
      CREATE POLICY tenant_isolation_policy ON ${table}
        USING (tenant_id = current_setting('app.current_tenant_id', true)::uuid)
        WITH CHECK (tenant_id = current_setting('app.current_tenant_id', true)::uuid)
    `);
    await knex.raw(`
      CREATE POLICY ${table}_admin ON ${table} FOR SELECT
        USING (current_setting('app.is_admin', true) = 'true')
    `);
  }
}

export async function down(knex: Knex): Promise<void> {
  for (const table of [...TABLES].reverse()) {
    await knex.schema.dropTableIfExists(table);
  }
}
""")
    return "\n".join(parts)


def _raw(group: str, with_tenants: bool) -> str:
    """Tables, functions, triggers and views in raw SQL, several statements in a string."""
    parts = ["import { Knex } from 'knex';\n\nexport async function up(knex: Knex): Promise<void> {"]
    if with_tenants:
        parts.append(_TENANTS)
    tables = [f"{group}_{word}_log" for word in WORDS[8:14]]
    for number, table in enumerate(tables):
        parts.append(f"""  await knex.raw(`
    -- What happened to {table}, and when
    CREATE TABLE IF NOT EXISTS {table} (
      id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
      tenant_id UUID NOT NULL REFERENCES tenants(id) ON DELETE CASCADE,
      order_id UUID REFERENCES {group}_orders(id) ON DELETE SET NULL,
      action VARCHAR(50) NOT NULL,
      actor_id UUID,
      severity VARCHAR(20) NOT NULL DEFAULT 'info' CHECK (severity IN ('info', 'warning', 'error', 'critical')),
      payload JSONB NOT NULL DEFAULT '{{}}'::jsonb,
      amount NUMERIC(12, 2) NOT NULL DEFAULT 0 CHECK (amount >= 0),
      ip_address INET,
      created_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
      updated_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
      CONSTRAINT {table}_once UNIQUE (tenant_id, action, created_at)
    );

    CREATE INDEX IF NOT EXISTS idx_{table}_tenant ON {table} (tenant_id, created_at DESC);
    CREATE INDEX IF NOT EXISTS idx_{table}_open ON {table} (order_id) WHERE order_id IS NOT NULL;
    CREATE INDEX IF NOT EXISTS idx_{table}_payload ON {table} USING gin (payload);
    COMMENT ON TABLE {table} IS 'Log of {table}; kept for ninety days';
  `);

  await knex.raw(`
    CREATE OR REPLACE FUNCTION {table}_touch() RETURNS TRIGGER AS $$
    BEGIN
      NEW.updated_at = NOW();
      IF NEW.severity = 'critical' AND NEW.actor_id IS NULL THEN
        RAISE EXCEPTION 'a critical entry needs an actor';
      END IF;
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql;

    CREATE TRIGGER trg_{table}_touch BEFORE UPDATE ON {table}
      FOR EACH ROW EXECUTE FUNCTION {table}_touch();
  `);
""")
        if number != 3:
            parts.append(f"""  await knex.raw('ALTER TABLE {table} ENABLE ROW LEVEL SECURITY');
  await knex.raw('ALTER TABLE {table} FORCE ROW LEVEL SECURITY');
""")
        if number not in (3, 4):
            setting = "app.current_tenant" if number == 2 else "app.current_tenant_id"
            parts.append(f"""  await knex.raw(`
    CREATE POLICY tenant_isolation_policy ON {table}
      USING (tenant_id = current_setting('{setting}', true)::uuid)
  `);
""")
    parts.append(f"""  await knex.raw(`
    CREATE OR REPLACE VIEW {group}_recent AS
      SELECT l.id, l.tenant_id, l.action, o.name, o.status, count(*) OVER (PARTITION BY l.tenant_id) AS total
        FROM {tables[0]} l JOIN {group}_orders o ON o.id = l.order_id
       WHERE l.created_at > now() - interval '7 days'
  `);
}}

export async function down(knex: Knex): Promise<void> {{
  await knex.raw('DROP VIEW IF EXISTS {group}_recent');""")
    for table in reversed(tables):
        parts.append(f"  await knex.raw('DROP TABLE IF EXISTS {table} CASCADE');")
        parts.append(f"  await knex.raw('DROP FUNCTION IF EXISTS {table}_touch()');")
    parts.append("}\n")
    return "\n".join(parts)


def _protected(group: str, with_tenants: bool) -> str:
    """Loops over tables and operations; a handful of statements in the text, many executed."""
    tables = [f"{group}_{word}" for word in WORDS[:5]] + [f"{group}_{word}_log" for word in WORDS[8:11]]
    extra = [f"{group}_{word}_item" for word in WORDS[:6]]
    parts = ["import type { Knex } from 'knex';\n\nconst TARGETS: Array<{ table: string; column: string }> = ["]
    parts += [f"  {{ table: '{table}', column: 'tenant_id' }}," for table in tables]
    parts.append("];\n\nconst OPERATIONS = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];\n")
    parts.append("export async function up(knex: Knex): Promise<void> {")
    for table in extra:
        parts.append(f"""  await knex.schema.createTable('{table}', (table) => {{
    table.increments('id');
    table.uuid('tenant_id').notNullable();
    table.uuid('order_id').notNullable().references('id').inTable('{group}_orders').onDelete('CASCADE');
    table.string('label').notNullable();
    table.string('locale', 8).notNullable().defaultTo('en');
    table.integer('position').notNullable().defaultTo(0);
    table.decimal('unit_price', 12, 2).notNullable().defaultTo(0);
    table.decimal('tax_rate', 5, 4).notNullable().defaultTo(0);
    table.boolean('taxable').notNullable().defaultTo(false);
    table.date('valid_from');
    table.date('valid_until');
    table.timestamp('created_at').defaultTo(knex.fn.now());
    table.timestamp('updated_at').defaultTo(knex.fn.now());
    table.unique(['order_id', 'position']);
    table.index('tenant_id', 'ix_{table}_tenant');
  }});
""")
    parts.append("""  for (const { table, column } of TARGETS) {
    const exists = await knex.schema.hasTable(table);
    if (!exists) {
      console.log(`skipping ${table}`);
      continue;
    }
    await knex.raw(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
    for (const operation of OPERATIONS) {
      const name = `${table}_${operation.toLowerCase()}_scope`;
      await knex.raw(`DROP POLICY IF EXISTS ${name} ON ${table}`);
      const check = `${column} = current_setting('app.current_tenant_id', true)::uuid`;
      const clause =
        operation === 'INSERT' ? `WITH CHECK (${check})` : `USING (${check})`;
      await knex.raw(`CREATE POLICY ${name} ON ${table} FOR ${operation} ${clause}`);
    }
  }

  await knex.raw(`
    DO $$
    BEGIN
      IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'app_user') THEN
        CREATE ROLE app_user NOLOGIN;
      END IF;
    END $$
  `);
""")
    for table in extra:
        parts.append(f"""  await knex.raw('ALTER TABLE ?? ENABLE ROW LEVEL SECURITY', ['{table}']);
  await knex.raw(
    `CREATE POLICY ?? ON ?? FOR ALL TO app_user USING (tenant_id = current_setting('app.current_tenant_id')::uuid)`,
    ['{table}_tenant', '{table}']
  );
  await knex.raw(`GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO app_user`);
""")
    parts.append("""}

export async function down(knex: Knex): Promise<void> {
  for (const { table } of TARGETS) {
    for (const operation of OPERATIONS) {
      await knex.raw(`DROP POLICY IF EXISTS ${table}_${operation.toLowerCase()}_scope ON ${table}`);
    }
  }
""")
    parts += [f"  await knex.schema.dropTableIfExists('{table}');" for table in reversed(extra)]
    parts.append("}\n")
    return "\n".join(parts)


def _guarded(group: str, with_tenants: bool) -> str:
    """Guards on the catalog: hasColumn, queries of pg_catalog, DO blocks; some handlers around them."""
    tables = [f"{group}_{word}" for word in WORDS[:6]]
    parts = [
        "import type { Knex } from 'knex';\n",
        "async function constraintExists(knex: Knex, name: string): Promise<boolean> {",
        "  const result = await knex.raw(`",
        "    SELECT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = '${name}') AS exists",
        "  `);",
        "  return result.rows[0].exists;",
        "}\n",
        "const columns: Array<[string, string]> = [",
    ]
    parts += [f"  ['{table}', 'archived_at']," for table in tables]
    parts.append("""];

export async function up(knex: Knex): Promise<void> {
  for (const [table, column] of columns) {
    if (!(await knex.schema.hasColumn(table, column))) {
      await knex.schema.alterTable(table, (t) => {
        t.timestamp(column, { useTz: true });
        t.uuid('archived_by').nullable();
        t.index([column], `${table}_${column}_idx`);
      });
    }
  }
""")
    for table in tables:
        parts.append(f"""  if (!(await constraintExists(knex, 'chk_{table}_quantity'))) {{
    await knex.raw(`
      ALTER TABLE {table}
        ADD CONSTRAINT chk_{table}_quantity CHECK (quantity >= 0 AND quantity < 1000000)
    `);
  }}

  await knex.raw(`
    DO $$
    BEGIN
      IF NOT EXISTS (
        SELECT 1 FROM information_schema.columns WHERE table_name = '{table}' AND column_name = 'version'
      ) THEN
        ALTER TABLE {table} ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
      END IF;
      ALTER TABLE {table} ADD CONSTRAINT chk_{table}_version CHECK (version > 0);
    EXCEPTION
      WHEN duplicate_object THEN NULL;
    END $$
  `);

  const {{ rows: indexes_{table} }} = await knex.raw(
    `SELECT indexname FROM pg_indexes WHERE tablename = ? AND indexname = ?`,
    ['{table}', 'idx_{table}_archived']
  );
  if (indexes_{table}.length === 0) {{
    await knex.raw(`
      CREATE INDEX idx_{table}_archived ON {table} (archived_at, status) WHERE archived_at IS NOT NULL
    `);
  }}
  try {{
    await knex.raw(`ALTER TABLE {table} DROP COLUMN legacy_code`);
  }} catch (error) {{
    console.warn('no legacy_code in {table}');
  }}
""")
    parts.append("}\n\nexport async function down(knex: Knex): Promise<void> {")
    for table in tables:
        parts.append(f"""  await knex.raw('DROP INDEX IF EXISTS idx_{table}_archived');
  await knex.raw('ALTER TABLE {table} DROP CONSTRAINT IF EXISTS chk_{table}_version');
  await knex.raw('ALTER TABLE {table} DROP CONSTRAINT IF EXISTS chk_{table}_quantity');""")
    parts.append("""  for (const [table, column] of columns) {
    await knex.schema.alterTable(table, (t) => {
      t.dropColumn(column);
      t.dropColumn('archived_by');
    });
  }
}
""")
    return "\n".join(parts)


def _altered(group: str, with_tenants: bool) -> str:
    """Seeds, alterations, promise chains, a transaction."""
    tables = [f"{group}_{word}" for word in WORDS[:4]]
    settings = f"{group}_settings"
    parts = [
        f"""const SETTINGS = '{settings}';

exports.up = async function (knex) {{
  await knex.schema.createTable(SETTINGS, (t) => {{
    t.bigIncrements('id');
    t.string('key', 120).notNullable().unique();
    t.text('value');
    t.boolean('is_public').notNullable().defaultTo(false);
    t.timestamps(true, true);
  }});

  await knex(SETTINGS).insert(["""
    ]
    for number in range(90):
        public = "false" if number % 2 else "true"
        parts.append(f"    {{ key: '{group}.setting.{number}', value: 'value {number}', is_public: {public} }},")
    parts.append("  ]);\n")
    for table in tables:
        parts.append(f"""  await knex.schema.alterTable('{table}', (t) => {{
    t.string('name', 400).notNullable().alter();
    t.string('slug', 120);
    t.integer('priority').notNullable().defaultTo(0);
    t.renameColumn('notes', 'remarks');
    t.dropColumn('external_id');
    t.index(['tenant_id', 'slug'], '{table}_slug_idx');
  }});

  await knex('{table}').whereNull('slug').update({{ slug: knex.raw('lower(name)') }});

  await knex.transaction(async (trx) => {{
    await trx.raw(`UPDATE {table} SET priority = 1 WHERE status = 'new' AND amount > 100`);
    await trx.schema.raw(`ALTER TABLE {table} ALTER COLUMN priority SET DEFAULT 5`);
  }});

  await Promise.all(
    ['status', 'kind'].map((column) =>
      knex.raw(`CREATE INDEX IF NOT EXISTS ${{`{table}_${{column}}_ix`}} ON {table} (${{column}})`)
    )
  );
""")
    parts.append("};\n\nexports.down = function (knex) {\n  return knex.schema")
    for table in tables:
        parts.append(f"""    .alterTable('{table}', (t) => {{
      t.dropIndex(['tenant_id', 'slug'], '{table}_slug_idx');
      t.renameColumn('remarks', 'notes');
      t.string('external_id', 100);
      t.dropColumn('slug');
      t.dropColumn('priority');
    }})""")
    parts.append("    .dropTableIfExists(SETTINGS);\n};\n")
    return "\n".join(parts)


if __name__ == "__main__":
    main()
