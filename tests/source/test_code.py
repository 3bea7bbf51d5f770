"""Application code: whose it is, what it mentions, what it imports, when it runs."""

from __future__ import annotations

import pytest

from remediate.source.role import role_of

UP = "exports.up = async () => {};\n"
WRITE = "c.query(\"select set_config('app.t', $1, true)\", [x]);\n"


def test_code_belongs_to_the_nearest_service(found):
    workspace = found(
        {
            "a/migrations/1.js": UP,
            "a/src/index.ts": "db('Orders').where('user_id', x)",
            "b/migrations/1.js": UP,
            "b/src/index.ts": "",
        }
    )
    (code,) = workspace.services[0].code
    assert (code.service, code.file, code.role) == ("a", "a/src/index.ts", "request")
    assert code.words == {"db", "orders", "where", "user_id", "x"}


def test_migrations_and_what_helps_them_are_no_application_code(found):
    (service,) = found({"a/migrations/1.js": UP, "a/migrations/utils/x.js": WRITE}).services
    assert service.code == ()


def test_imports_are_followed_to_files(found):
    (service,) = found(
        {
            "a/migrations/1.js": UP,
            "a/src/index.ts": "import { x } from './db';\nimport './y.js';\nconst z = require('../z');\nimport 'pg';",
            "a/src/db/index.ts": "",
            "a/src/y.ts": "",
            "a/z.js": "",
        }
    ).services
    code = {file.file: file for file in service.code}
    assert code["a/src/index.ts"].imports == ("a/src/db/index.ts", "a/src/y.ts", "a/z.js")


def test_shared_code_counts_for_the_services_that_import_it(found):
    workspace = found(
        {
            "package.json": '{"workspaces": ["*"]}',
            "a/package.json": '{"name": "a", "dependencies": {"pg": "8"}}',
            "a/migrations/1.js": UP,
            "a/src/index.ts": "import { withTenant } from '@acme/db';",
            "b/package.json": '{"name": "b", "dependencies": {"pg": "8"}}',
            "b/migrations/1.js": UP,
            "shared/package.json": '{"name": "@acme/db"}',
            "shared/src/index.ts": "export * from './tenant';",
            "shared/src/tenant.ts": WRITE,
            "shared/src/unused.ts": "",
        }
    )
    services = {service.name: service for service in workspace.services}
    assert [(code.service, code.file) for code in services["a"].code if code.writes] == [("", "shared/src/tenant.ts")]
    assert services["b"].code == ()
    assert [code.file for code in workspace.code] == ["shared/src/index.ts", "shared/src/tenant.ts"]


def test_an_application_beside_the_only_service_is_its_application(found):
    workspace = found({"schema-service/migrations/1.js": UP, "api/src/db.ts": WRITE, "web/src/x.ts": ""})
    assert [code.file for code in workspace.services[0].code] == ["api/src/db.ts", "web/src/x.ts"]


def test_what_imports_the_package_with_the_migrations_is_its_application(found):
    workspace = found(
        {
            "package.json": '{"workspaces": ["packages/*", "apps/*"]}',
            "packages/db/package.json": '{"name": "@acme/db", "dependencies": {"knex": "3"}}',
            "packages/db/migrations/1.js": UP,
            "packages/db/src/index.ts": "export const db = knex(config);",
            "packages/log/package.json": '{"name": "log", "dependencies": {"knex": "3"}}',
            "packages/log/migrations/1.js": UP,
            "packages/kit/package.json": '{"name": "@acme/kit"}',
            "packages/kit/src/index.ts": "export { db } from '@acme/db';",
            "apps/api/package.json": '{"name": "api"}',
            "apps/api/src/orders.ts": "import { db } from '@acme/kit';\ndb('orders');",
            "apps/web/package.json": '{"name": "web"}',
            "apps/web/src/page.ts": "",
            "apps/old/package.json": '{"name": "old", "dependencies": {"@acme/db": "*"}}',
            "apps/old/src/x.js": "",
        }
    )
    services = {service.name: service for service in workspace.services}
    assert [code.file for code in services["db"].code] == [
        "packages/db/src/index.ts", "apps/api/src/orders.ts", "apps/old/src/x.js", "packages/kit/src/index.ts",
    ]  # fmt: skip
    assert [code.file for code in services["db"].around] == ["apps/web/src/page.ts"]
    assert services["log"].code == ()
    assert [code.file for code in services["log"].around] == ["apps/web/src/page.ts"]


def test_a_service_that_imports_another_may_use_its_database(found):
    workspace = found(
        {
            "a/package.json": '{"name": "a", "dependencies": {"pg": "8"}}',
            "a/migrations/1.js": UP,
            "a/src/db.ts": "",
            "b/package.json": '{"name": "b", "dependencies": {"pg": "8"}}',
            "b/migrations/1.js": UP,
            "b/src/x.ts": "import { db } from '../../a/src/db';",
            "b/src/y.ts": "",
        }
    )
    assert [code.file for code in workspace.services[0].around] == ["b/src/x.ts"]


def test_scripts_are_looked_at_and_the_sql_of_migrations_is_not(found):
    dump = "--\n-- PostgreSQL database dump\n--\nCOPY orders FROM stdin;"
    (service,) = found(
        {
            "a/migrations/1.js": "exports.up = async (knex) => knex.raw(read('../sql/views.sql'));",
            "a/migrations/helper.sql": "UPDATE orders SET a = 1;",
            "a/sql/views.sql": "SELECT * FROM orders;",
            "a/sql/report.sql": "SELECT * FROM orders;",
            "a/schema.sql": dump,
            "bin/purge.sh": "psql -c 'DELETE FROM orders'",
        }
    ).services
    assert [(code.file, code.role) for code in service.around] == [
        ("a/sql/report.sql", "script"), ("bin/purge.sh", "script"),
    ]  # fmt: skip


def test_a_write_of_an_unknown_setting_is_unresolved_outside_of_tests(found):
    text = "c.query(`select set_config($1, $2, true)`, [name, x]);"
    workspace = found({"a/migrations/1.js": UP, "a/src/db.ts": text, "a/src/db.test.ts": text})
    assert [(item.service, item.place.file) for item in workspace.unresolved] == [("a", "a/src/db.ts")]


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("src/repositories/user.repository.ts", "request"),
        ("src/middleware/authenticate.ts", "entry"),
        ("src/services/login.service.ts", "entry"),
        ("src/controllers/webhook.controller.ts", "entry"),
        ("src/middleware/api-key.ts", "entry"),
        ("src/auth/sessionStore.ts", "entry"),
        ("src/db/session.ts", "request"),
        ("src/jobs/nightly.ts", "job"),
        ("src/emailWorker.ts", "job"),
        ("src/queues/email.processor.ts", "job"),
        ("scripts/backfill.ts", "script"),
        ("seeds/01_demo.ts", "seed"),
        ("src/__tests__/login.ts", "test"),
        ("src/login.spec.ts", "test"),
        ("src/authors/author.ts", "request"),
        ("src/jobsite/site.ts", "request"),
    ],
)
def test_the_role_is_told_by_the_path(path, role):
    assert role_of(path) == role
