"""Services that are injected by their declared type, and what the type says of the accesses in their callbacks."""

from __future__ import annotations

import pytest

from source.shapes import DB, RUN, SET, Files, doubts

# The usual service of a framework that injects dependencies, in a library that a name of the compiler leads to.
TENANTS = """
export class Tenants {
  constructor(private readonly knex: Knex, private readonly context: Context) {}
  async run<T>(idOrWork: string | Work<T>, work?: Work<T>): Promise<T> {
    let id: string;
    let callback: Work<T>;
    if (typeof idOrWork === 'string') {
      id = idOrWork;
      callback = work!;
    } else {
      id = this.context.tenant();
      callback = idOrWork;
    }
    return withTenant(this.knex, id, callback);
  }
}
export async function withTenant<T>(knex: Knex, id: string, callback: Work<T>): Promise<T> {
  return knex.transaction(async (trx) => {
    await setTenant(trx, id);
    return callback(trx);
  });
}
async function setTenant(trx: Knex.Transaction, id: string): Promise<void> {
  if (!id) { throw new Error('no tenant'); }
  await trx.raw(`SET LOCAL app.tenant = '${id}'`);
}
"""
LIBRARY = {
    "tsconfig.base.json": '{"compilerOptions": {"baseUrl": ".", "paths": {"@org/core": ["libs/core/src/index.ts"]}}}',
    "libs/core/src/index.ts": "export * from './lib/data';",
    "libs/core/src/lib/data.ts": "export * from './tenants';\nexport { db as raw } from './db';",
    "libs/core/src/lib/tenants.ts": TENANTS,
    "libs/core/src/lib/db.ts": DB,
    # Things of the same name that have nothing to do with it.
    "apps/web/src/counter.ts": "export class Counter { run(tick) { this.last = tick; } }",
    "apps/web/src/queue.ts": "import { raw } from '@org/core';\n"
    "export class Queue { run(work) { return work(raw); } }\nexport abstract class Plan { abstract run(work): void; }",
}


def injected(text: str, **others: str) -> Files:
    """A service of the usual library's user, and other files of it."""
    files = {f"apps/api/src/{name.replace('__', '/')}.ts": content for name, content in others.items()}
    head = "import { Tenants, raw } from '@org/core';\n"
    return {**LIBRARY, "apps/api/src/orders.ts": head + text, **files}


def subclassed(text: str, below: str) -> Files:
    """The same, where another file has classes below the library's."""
    return injected(text, below=f"import {{ Tenants, raw }} from '@org/core';\n{below}")


REAL = f"class Real extends Runner {{ {RUN.replace('id, work', 'work')} }}\n"
ORDERS = "class Orders { constructor(private tk: Tenants) {}\n all() { return this.tk.run((trx) => trx('orders')); } }"
RUNNER = ORDERS.replace("Tenants", "Runner")

PROVEN: dict[str, Files] = {
    "a method of an injected service": injected(
        "class Orders { constructor(private readonly tk: Tenants) {}\n"
        " all() { return this.tk.run(async (trx) => trx('orders')); } }"
    ),
    "the same with the tenant given": injected(
        "class Orders { constructor(private readonly tk: Tenants) {}\n"
        " all(id) { return this.tk.run(id, async (trx) => trx('orders')); } }"
    ),
    "an injected service that is null at first": injected(
        "class Orders { private tk: Tenants | null = null;\n all() { return this.tk!.run((trx) => trx('orders')); } }"
    ),
    "a service that a field asks the container for": injected(
        "class Orders { private readonly tk = inject(Tenants);\n"
        " all() { return this.tk.run((trx) => trx('orders')); } }"
    ),
    "a service that a function asks the container for": injected(
        "export const all = (moduleRef) => { const tk = moduleRef.get(Tenants, { strict: false });"
        " return tk.run((trx) => trx('orders')); };"
    ),
    "a service that a getter gives": injected(
        "class Orders { get tk(): Tenants { return find(); }\n all() { return this.tk.run((trx) => trx('orders')); } }"
    ),
    "a service that a getter takes from a field": injected(
        "class Orders { constructor(private kept: Tenants) {}\n get tk() { return this.kept; }\n"
        " all() { return this.tk.run((trx) => trx('orders')); } }"
    ),
    "a service that a function returns": injected(
        "declare function services(): Promise<Readonly<Tenants>>;\nfunction tenants(): Tenants { return cache.one; }\n"
        "export const all = () => tenants().run((trx) => trx('orders'));"
    ),
    "a parameter with the type of the service": injected(
        "export const all = (tk: Tenants) => tk.run((trx) => trx('orders'));"
    ),
    "an option with the type of the service": injected(
        "export const all = ({ tk }: { tk: Tenants; id: string }) => tk.run((trx) => trx('orders'));"
    ),
    "a field of an interface": injected(
        "interface Services { readonly tk: Tenants }\n"
        "export const all = (s: Services) => s.tk.run((trx) => trx('orders'));"
    ),
    "an alias of the type": injected(
        "type Tk = Tenants;\nlet tk: Tk;\nexport const all = () => tk.run((trx) => trx('orders'));"
    ),
    "the type of an instance": injected(
        "export const all = (tk: InstanceType<typeof Tenants>) => tk.run((trx) => trx('orders'));"
    ),
    "a service of a service": injected(
        "class Base { constructor(protected readonly tk: Tenants) {} }\n"
        "class Orders { constructor(private readonly base: Base) {}\n"
        " all() { return this.base.tk.run((trx) => trx('orders')); } }"
    ),
    "a service in a field of the class above": injected(
        "class Base { constructor(protected readonly tk: Tenants) {} }\n"
        "class Orders extends Base { all() { return this.tk.run((trx) => trx('orders')); } }"
    ),
    "a service that is provided as itself": injected(
        "const providers = [Tenants, { provide: Tenants, useClass: Tenants }];\n" + ORDERS
    ),
    "a service that a factory provides": injected(
        "const providers = [{ provide: Tenants, useFactory: (k, c) => new Tenants(k, c), inject: [KNEX] }];\n" + ORDERS
    ),
    "a class below that does it alike": subclassed(
        ORDERS,
        "export class Logged extends Tenants { run(a, b) { log('run'); return super.run(a, b); } }",
    ),
    "an interface that one class implements": injected(
        "interface Runner<T = any> { run(work): T }\n"
        + REAL.replace("extends Runner", "implements Runner<Order>")
        + RUNNER
    ),
    "an abstract class that is implemented": injected(
        "abstract class Runner { abstract run(work); }\n" + REAL + RUNNER
    ),
    "a service whose method sets the tenant": injected(
        f"class Setter {{ async set(trx) {{ {SET} }} }}\nclass Orders {{ constructor(private setter: Setter) {{}}\n"
        " all() { return raw.transaction(async (trx) => { await this.setter.set(trx); return trx('orders'); }); } }"
    ),
    "a package of the workspace by its name": {
        **{path: text for path, text in LIBRARY.items() if not path.endswith(".json")},
        "libs/core/package.json": '{"name": "@org/core", "main": "dist/index.js"}',
        "apps/api/src/orders.ts": "import { Tenants } from '@org/core';\n"
        "export const all = (tk: Tenants) => tk.run((trx) => trx('orders'));",
    },
    "a token for which its class is provided": injected(
        "const TK = Symbol('tenants');\nconst providers = [{ provide: TK, useClass: Tenants }];\n"
        + ORDERS.replace("private tk", "@Inject(TK) private tk")
    ),
    "a connection that is injected and handed over where the tenant is set": injected(
        "const providers = [{ provide: 'KNEX', useFactory: () => raw }];\n"
        "class Orders { constructor(@Inject('KNEX') private knex: Knex) {}\n"
        f" all() {{ return this.knex.transaction(async (trx) => {{ {SET} return trx('orders'); }}); }} }}"
    ),
}

DOUBTED: dict[str, tuple[Files, str]] = {
    "a method of something whose type is not known": (
        injected("class Orders { constructor(private tk) {}\n all() { return this.tk.run((trx) => trx('orders')); } }"),
        "through trx: run",
    ),
    "a type that is a parameter of the class": (
        injected(
            "class Orders<Tenants> { constructor(private tk: Tenants) {}\n"
            " all() { return this.tk.run((trx) => trx('orders')); } }"
        ),
        "through trx: run",
    ),
    "a type of two classes": (
        injected(
            "import { Queue } from '../../web/src/queue';\n"
            "export const all = (tk: Tenants | Queue) => tk.run((trx) => trx('orders'));"
        ),
        "through trx: run",
    ),
    "a part of a service, which any object may be": (
        injected("export const all = (tk: Pick<Tenants, 'run'>) => tk.run((trx) => trx('orders'));"),
        "through trx: run",
    ),
    "a service of another type": (
        injected(
            "import { Queue } from '../../web/src/queue';\nclass Orders { constructor(private tk: Queue) {}\n"
            " all() { return this.tk.run((trx) => trx('orders')); } }"
        ),
        "run hands raw over",
    ),
    "a class below the service that sets nothing": (
        subclassed(
            ORDERS,
            "export class Fast extends Tenants { run(work) { return work(raw); } }",
        ),
        "run hands raw over (apps/api/src/below.ts:2)",
    ),
    "a class two below the service that sets nothing": (
        subclassed(
            ORDERS,
            "export class Kept extends Tenants {}\nexport class Fast extends Kept { run(work) { return work(raw); } }",
        ),
        "run hands raw over (apps/api/src/below.ts:3)",
    ),
    "another class that is provided for the service": (
        injected(
            "import { Queue } from '../../web/src/queue';\nconst providers = [{ provide: Tenants, useClass: Queue }];\n"
            + ORDERS
        ),
        "run hands raw over",
    ),
    "something unknown that is provided for the service": (
        injected("const providers = [{ provide: Tenants, useFactory: () => make() }];\n" + ORDERS),
        "through trx: run",
    ),
    "an interface that two classes implement, one without a tenant": (
        injected(
            "interface Runner { run(work) }\n"
            + REAL.replace("extends", "implements")
            + "class Plain implements Runner { run(work) { return work(raw); } }\n"
            + RUNNER
        ),
        "run hands raw over",
    ),
    "an interface that an object implements without a tenant": (
        injected(
            "interface Runner { run(work) }\n"
            + REAL.replace("extends", "implements")
            + "const plain: Runner = { run: (work) => work(raw) };\n"
            + RUNNER
        ),
        "run hands raw over",
    ),
    "an abstract class that is implemented without a tenant": (
        injected(
            "abstract class Runner { abstract run(work); }\n"
            "class Real extends Runner { run(work) { return work(raw); } }\n" + RUNNER
        ),
        "run hands raw over",
    ),
    "a method that calls the one above it, which sets nothing": (
        injected(
            "class Base { run(work) { return work(raw); } }\n"
            "class Sub extends Base { run(work) { return super.run(work); } }\n"
            "class Orders { constructor(private tk: Sub) {}\n all() { return this.tk.run((trx) => trx('orders')); } }"
        ),
        "run hands raw over",
    ),
    "a service of a package that is not in the workspace": (
        injected("import { Runner } from '@acme/data';\n" + ORDERS.replace("Tenants", "Runner | null")),
        "this.tk.run (apps/api/src/orders.ts:4) is of @acme/data, whose code is not in the workspace",
    ),
    "a service of a package under the name of its namespace": (
        injected("import * as data from '@acme/data';\nlet tk: data.Runner;\ntk.run((trx) => trx('orders'));"),
        "is of @acme/data, whose code is not in the workspace",
    ),
    "a method that calls the one of a class that is not in the workspace": (
        injected(
            "import { Base } from '@acme/data';\nclass Sub extends Base { exec(work) { return super.exec(work); } }\n"
            "class Orders { constructor(private tk: Sub) {}\n all() { return this.tk.exec((trx) => trx('orders')); } }"
        ),
        "what super.exec",
    ),
    "a caller of a method of a class below, by the type above": (
        injected(
            "class Base { all(trx) {} }\nclass Repo extends Base { all(trx) { return trx('orders'); } }\n"
            "export const load = (repo: Base) => repo.all(raw);"
        ),
        "hands over raw",
    ),
    "a caller of an abstract method": (
        injected(
            "abstract class Base { abstract all(trx); }\n"
            "class Repo extends Base { all(trx) { return trx('orders'); } }\n"
            "export const load = (repo: Base) => repo.all(raw);"
        ),
        "hands over raw",
    ),
    "a method that sets the tenant, and one below it that does not": (
        injected(
            f"class Setter {{ async set(trx) {{ {SET} }} }}\nclass Lazy extends Setter {{ async set(trx) {{}} }}\n"
            "class Orders { constructor(private setter: Setter) {}\n"
            " all() { return raw.transaction(async (trx) => { await this.setter.set(trx); return trx('orders'); }); } }"
        ),
        "through trx",
    ),
    "a token for which another class is provided": (
        injected(
            "import { Queue } from '../../web/src/queue';\n"
            "const TK = Symbol('tenants');\nconst providers = [{ provide: TK, useClass: Queue }];\n"
            + ORDERS.replace("private tk", "@Inject(TK) private tk")
        ),
        "run hands raw over",
    ),
    "a connection that is injected": (
        injected(
            "",
            database="import knex from 'knex';\nexport const KNEX = 'KNEX';\n"
            "@Module({ providers: [{ provide: KNEX, useFactory: () => {\n"
            " if (!url) { return null; }\n return knex({}); } }] }) class B {}",
        )
        | {
            "apps/api/src/orders.ts": "import { KNEX } from './database';\n"
            "class Orders { constructor(@Inject(KNEX) private readonly knex: Knex | null) {}\n"
            " all() { return this.knex!('orders'); } }\n@Module({ providers: [Orders] }) class A {}"
        },
        "KNEX is injected (apps/api/src/database.ts:3): knex(…) (apps/api/src/database.ts:5) is a connection",
    ),
    "a connection that is injected into a field by the text of its token": (
        injected(
            "const providers = [{ provide: 'KNEX', useValue: raw }];\n"
            "class Orders { @Inject('KNEX') private knex: Knex;\n all() { return this.knex('orders'); } }"
        ),
        "KNEX is injected (apps/api/src/orders.ts:2): knex(…) (libs/core/src/lib/db.ts:3)",
    ),
    "a connection that the container is asked for": (
        injected(
            "const providers = [{ provide: 'KNEX', useValue: raw }];\n"
            "export const all = (moduleRef) => moduleRef.get('KNEX')('orders');"
        ),
        "KNEX is injected",
    ),
    "a connection that is injected by nobody here": (
        injected(
            "class Orders { constructor(@Inject(KNEX) private readonly knex: Knex) {}\n"
            " all() { return this.knex('orders'); } }\n@Module({ providers: [Orders] }) class A {}"
        ),
        "knex is handed to Orders (apps/api/src/orders.ts:2), and by whom is not known",
    ),
}


@pytest.mark.parametrize("case", PROVEN)
def test_proven(case: str) -> None:
    assert doubts(PROVEN[case]) == []


@pytest.mark.parametrize("case", DOUBTED)
def test_doubted(case: str) -> None:
    files, expected = DOUBTED[case]
    found = doubts(files)
    assert found, "no doubt at all"
    assert any(expected in sentence for sentence in found), found
