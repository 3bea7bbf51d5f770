"""Small platforms as migration files: services that make, protect, rename, drop, and send what PostgreSQL refuses.

What is written is TypeScript as people write it: builder calls, raw SQL, loops over names, guards, helpers, DO blocks,
try and catch. Names come from a small pool, so that statements find, and clash with, what others made.
"""

from __future__ import annotations

from hypothesis import strategies as st

TABLES = st.sampled_from(["events", "venues", "orders", "Tickets", "order"])
COLUMNS = st.sampled_from(["id", "tenant_id", "name", "price", "venue_id", "starts_at"])
KINDS = st.sampled_from(["uuid", "integer", "bigint", "text", "varchar(20)", "numeric(10,2)", "timestamptz", "boolean"])
NAMES = st.sampled_from(["isolation", "reads", "writes"])
COMMANDS = st.sampled_from(["ALL", "SELECT", "UPDATE", "DELETE"])
ROLES = st.sampled_from(["PUBLIC", "CURRENT_USER", "platform_app"])
GRANTEES = st.sampled_from(["PUBLIC", "platform_app"])
CASCADE = st.sampled_from(["", "", " CASCADE"])
EXISTS = st.sampled_from(["", "IF EXISTS "])


def quoted(name: str) -> str:
    return f'"{name}"' if name in ("Tickets", "order") else name


@st.composite
def conditions(draw: st.DrawFn, depth: int = 0) -> str:
    """A boolean expression; often over a column that the table does not have."""
    column = draw(COLUMNS)
    if depth < 2 and draw(st.integers(0, 4)) == 0:
        word = draw(st.sampled_from(["AND", "OR"]))
        return f"({draw(conditions(depth + 1))}) {word} ({draw(conditions(depth + 1))})"
    if depth < 1 and draw(st.integers(0, 5)) == 0:
        return f"EXISTS (SELECT 1 FROM {quoted(draw(TABLES))} x WHERE x.{draw(COLUMNS)} IS NOT NULL)"
    return draw(
        st.sampled_from(
            [
                f"{column} IS NOT NULL",
                "tenant_id = current_setting('app.tenant', true)::uuid",
                "tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid",
                "tenant_id::text = current_setting('app.tenant')",
                "tenant_id = current_tenant()",
                "name IN ('a', 'b')",
                "price BETWEEN 1 AND 2.5",
                "true",
            ]
        )
    )


@st.composite
def statements(draw: st.DrawFn) -> str:
    """One SQL statement, as likely as not to be refused."""
    table, other, column, new = quoted(draw(TABLES)), quoted(draw(TABLES)), draw(COLUMNS), draw(COLUMNS)
    name, kind, cascade, exists = draw(NAMES), draw(KINDS), draw(CASCADE), draw(EXISTS)
    body = draw(conditions())
    strictness = draw(st.sampled_from(["PERMISSIVE", "RESTRICTIVE"]))
    flag = draw(st.sampled_from(["ENABLE", "FORCE", "NO FORCE", "DISABLE"]))
    return draw(
        st.sampled_from(
            [
                f"ALTER TABLE {table} {flag} ROW LEVEL SECURITY",
                f"CREATE POLICY {name} ON {table} AS {strictness} FOR {draw(COMMANDS)} TO {draw(ROLES)} USING ({body})",
                f"CREATE POLICY {name} ON {table} FOR INSERT WITH CHECK ({body})",
                f"ALTER POLICY {name} ON {table} USING ({body})",
                f"DROP POLICY {exists}{name} ON {table}",
                f"ALTER TABLE {table} ADD COLUMN {column} {kind}",
                f"ALTER TABLE {table} DROP COLUMN {exists}{column}{cascade}",
                f"ALTER TABLE {table} RENAME COLUMN {column} TO {new}",
                f"ALTER TABLE {table} RENAME TO {other}",
                f"ALTER TABLE {table} OWNER TO platform_app",
                f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({body})",
                f"ALTER TABLE {table} ADD FOREIGN KEY ({column}) REFERENCES {other} (id) ON DELETE CASCADE",
                f"ALTER TABLE {table} DROP CONSTRAINT {exists}{name}{cascade}",
                f"DROP TABLE {exists}{table}{cascade}",
                f"CREATE INDEX {exists and 'IF NOT EXISTS '}{name} ON {table} ({column})",
                f"CREATE OR REPLACE VIEW overview AS SELECT id, {column} FROM {table} WHERE {body}",
                f"DROP VIEW {exists}overview{cascade}",
                f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION touch()",
                f"GRANT SELECT, INSERT ON {table} TO {draw(GRANTEES)}",
                "CREATE OR REPLACE FUNCTION current_tenant() RETURNS uuid LANGUAGE sql STABLE AS "
                "$$ SELECT NULLIF(current_setting('app.tenant', true), '')::uuid $$",
                "CREATE OR REPLACE FUNCTION current_tenant() RETURNS text LANGUAGE sql STABLE AS "
                "$$ SELECT current_setting('app.tenant') $$",
                "CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN NEW.updated_at = now(); RETURN NEW; END $$",
                f"DROP FUNCTION {exists}touch(){cascade}",
                f"DROP FUNCTION {exists}current_tenant(){cascade}",
                f"CREATE INDEX CONCURRENTLY {name} ON {table} ({column})",
                f"INSERT INTO {table} ({column}) SELECT NULL WHERE false",
                f"DO $$ BEGIN ALTER TABLE {table} ADD COLUMN {column} {kind}; "
                "EXCEPTION WHEN duplicate_column THEN NULL; END $$",
                f"DO $$ DECLARE t text; BEGIN FOREACH t IN ARRAY ARRAY['events', 'venues'] LOOP "
                f"EXECUTE format('CREATE POLICY %I ON %I USING (tenant_id IS NOT NULL)', t || '_{name}', t); "
                "END LOOP; END $$",
                "DO $$ DECLARE r record; BEGIN FOR r IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' "
                "AND NOT rowsecurity ORDER BY 1 LOOP EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', "
                "r.tablename); END LOOP; END $$",
                f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY; CREATE POLICY {name} ON {other} USING ({body})",
            ]
        )
    )


def template(sql: str) -> str:
    """A template literal with this text."""
    return "`" + sql.replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${") + "`"


@st.composite
def steps(draw: st.DrawFn) -> str:
    """One thing that a migration does."""
    table, column, name = draw(TABLES), draw(COLUMNS), draw(NAMES)
    raw = f"await knex.raw({template(draw(statements()))});"
    return draw(
        st.sampled_from(
            [
                raw,
                raw,
                raw,
                raw,
                f"await knex.schema.createTable('{table}', (t) => {{ t.uuid('id').primary(); "
                f"t.uuid('tenant_id').notNullable().index(); t.string('name', 20).defaultTo('a'); "
                f"t.decimal('price', 10, 2); t.timestamps(true, true); }});",
                f"if (!(await knex.schema.hasTable('{table}'))) {{ await knex.schema.createTable('{table}', (t) => {{ "
                f"t.increments('id'); t.uuid('tenant_id'); t.integer('venue_id').references('id').inTable('venues'); "
                "}); }",
                f"if (!(await knex.schema.hasColumn('{table}', '{column}'))) "
                f"await knex.schema.alterTable('{table}', (t) => {{ t.string('{column}'); }});",
                f"await knex.schema.alterTable('{table}', (t) => {{ t.dropColumn('{column}'); }});",
                f"await knex.schema.alterTable('{table}', (t) => {{ t.index(['{column}'], '{name}'); }});",
                f"await knex.schema.alterTable('{table}', (t) => {{ t.text('{column}').notNullable().alter(); }});",
                f"await knex.schema.dropTableIfExists('{table}');",
                f"for (const table of ['events', '{table}']) {{ await protect(knex, table, '{name}'); }}",
                f"for (const command of ['SELECT', 'DELETE']) "
                f"await knex.raw(`CREATE POLICY {name}_${{command.toLowerCase()}} ON ?? "
                f"FOR ${{command}} USING ({column} IS NOT NULL)`, ['{table}']);",
                f"try {{ {raw} }} catch (error) {{ await knex.raw('CREATE TABLE IF NOT EXISTS caught (id int)'); }}",
                f"await knex.transaction(async (trx) => {{ {raw.replace('knex.', 'trx.')} }}).catch(() => undefined);",
                'const { rows } = await knex.raw("SELECT EXISTS (SELECT 1 FROM pg_policies WHERE policyname = '
                f"'{name}') AS there\"); if (!rows[0].there) {{ {raw} }}",
                f"const found = await knex('information_schema.columns').where({{ table_name: '{table}' }})"
                f".whereIn('column_name', ['{column}', 'id']).select('column_name'); for (const one of found) "
                f"await knex.raw('CREATE INDEX ON ?? (??)', ['{table}', one.column_name]);",
            ]
        )
    )


_FILE = """import type {{ Knex }} from 'knex';

{config}async function protect(knex: Knex, table: string, policy: string): Promise<void> {{
  await knex.raw(`ALTER TABLE "${{table}}" ENABLE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE "${{table}}" FORCE ROW LEVEL SECURITY`);
  await knex.raw(`CREATE POLICY ${{policy}} ON "${{table}}" USING (tenant_id = current_setting('app.tenant')::uuid)`);
}}

export async function up(knex: Knex): Promise<void> {{
{body}
}}

export async function down(): Promise<void> {{}}
"""
_START = """  await knex.raw("DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'platform_app') THEN "
    + "CREATE ROLE platform_app; END IF; END $$");
  await knex.schema.createTable('venues', (t) => {
    t.increments('id'); t.uuid('tenant_id').notNullable(); t.string('name');
  });"""


@st.composite
def platforms(draw: st.DrawFn, most: int) -> dict[str, str]:
    """One or two services with up to three files each, by path; every file of up to `most` steps."""
    files = {}
    for service in ["first", "second"][: draw(st.integers(1, 2))]:
        for number in range(1, draw(st.integers(1, 3)) + 1):
            body = [f"  {{ {step} }}" for step in draw(st.lists(steps(), min_size=1, max_size=most))]
            if service == "first" and number == 1:
                body.insert(0, _START)
            config = "export const config = { transaction: false };\n\n" if draw(st.integers(0, 5)) == 0 else ""
            files[f"services/{service}/migrations/{number:03}_step.ts"] = _FILE.format(
                config=config, body="\n".join(body)
            )
    return files
