"""What services need of each other, the order that follows, and the database that they share."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from remediate.config import model
from remediate.source.order import Need, dependency_order, needs_of, scan

KNEXFILE = (
    "module.exports = { client: 'pg', connection: { database: '%s' }, migrations: { directory: './migrations' } };"
)


def up(body: str) -> str:
    return f"exports.up = async (knex) => {{\n{body}\n}};\n"


USERS = up("await knex.schema.createTable('users', t => t.uuid('id'));")
ORDERS = up("await knex.schema.createTable('orders', t => t.uuid('user_id').references('id').inTable('users'));")


def test_a_service_comes_after_what_its_foreign_keys_need(found):
    workspace = found({"a_orders/migrations/1.js": ORDERS, "b_users/migrations/1.js": USERS})
    assert [service.name for service in workspace.services] == ["b_users", "a_orders"]
    orders = workspace.services[1]
    assert orders.depends_on == ("b_users",)
    assert orders.reasons["depends_on"] == "b_users: users (foreign key)"


def test_a_table_of_another_service_means_one_database(found):
    workspace = found({"orders/migrations/1.js": ORDERS, "users/migrations/1.js": USERS})
    assert {service.database for service in workspace.services} == {"shared"}
    assert workspace.services[0].reasons["database"] == "orders uses users of users (foreign key)"


def test_services_that_use_nothing_of_each_other_have_their_own(found):
    workspace = found({"a/migrations/1.js": USERS, "b/migrations/1.js": up("")})
    assert {service.name: service.database for service in workspace.services} == {"a": "a", "b": "b"}


def test_the_same_database_in_the_knexfiles_is_shared(found):
    workspace = found(
        {
            "a/knexfile.js": KNEXFILE % "tickets",
            "a/migrations/1.js": USERS,
            "b/knexfile.js": KNEXFILE % "tickets",
            "b/migrations/1.js": up(""),
        }
    )
    assert {service.database for service in workspace.services} == {"tickets"}


def test_other_databases_in_the_knexfiles_are_apart_whatever_their_tables_are_called(found):
    workspace = found(
        {
            "orders/knexfile.js": KNEXFILE % "orders_db",
            "orders/migrations/1.js": ORDERS,
            "users/knexfile.js": KNEXFILE % "users_db",
            "users/migrations/1.js": USERS,
        }
    )
    assert {service.name: service.database for service in workspace.services} == {"orders": "orders", "users": "users"}
    assert all(service.depends_on == () for service in workspace.services)


def test_the_configuration_wins(found):
    files = {"orders/migrations/1.js": ORDERS, "users/migrations/1.js": USERS}
    apart = found(files, model.Config(workspace=model.Workspace(database="per-service")))
    assert {service.database for service in apart.services} == {"orders", "users"}
    ordered = found(files, model.Config(workspace=model.Workspace(order=("orders",))))
    assert [service.name for service in ordered.services] == ["orders", "users"]


def test_a_cycle_is_cut_where_it_hurts_least(found):
    workspace = found(
        {
            "a/migrations/1.js": up(
                "await knex.raw('CREATE TABLE one (id uuid)');\n"
                "if (await knex.schema.hasTable('two')) await knex.raw('ALTER TABLE two ADD x int');"
            ),
            "b/migrations/1.js": up("await knex.raw('CREATE TABLE two (id uuid REFERENCES one(id))');"),
        }
    )
    assert [service.name for service in workspace.services] == ["a", "b"]
    assert "they need each other" in workspace.services[0].reasons["order"]
    assert "order" not in workspace.services[1].reasons


def test_what_stands_in_comments_is_no_need():
    scans = {"a": scan([USERS]), "b": scan([up("// REFERENCES users(id)\n/* inTable('users') */")])}
    assert needs_of(scans) == []


def test_functions_are_needed_too():
    scans = {
        "a": scan([up("knex.raw(`CREATE OR REPLACE FUNCTION touch() RETURNS trigger AS $$ $$`)")]),
        "b": scan([up("knex.raw(`CREATE TRIGGER t BEFORE UPDATE ON mine FOR EACH ROW EXECUTE FUNCTION touch()`)")]),
    }
    assert [(need.service, need.owner, need.subject) for need in needs_of(scans)] == [("b", "a", "touch()")]


_names = st.sampled_from("abcdef")


@given(st.lists(st.builds(Need, _names, _names, st.just("t"), st.integers(1, 100)), max_size=20))
def test_every_order_has_every_service_once_and_cuts_only_what_it_must(needs):
    order = dependency_order("abcdef", needs)
    assert sorted(order.services) == list("abcdef")
    rank = {name: position for position, name in enumerate(order.services)}
    unmet = {(need.service, need.owner) for need in needs if rank[need.service] < rank[need.owner]}
    assert unmet == set(order.cut)


@given(
    st.permutations("abcdef"), st.lists(st.builds(Need, _names, _names, st.just("t"), st.integers(1, 9)), max_size=9)
)
def test_the_order_does_not_depend_on_the_order_of_its_input(services, needs):
    assert dependency_order(services, needs) == dependency_order("abcdef", list(reversed(needs)))


def test_a_configured_name_that_is_no_service_is_noted_and_a_folder_is_as_good_as_a_name(found):
    files = {
        "users-service/package.json": '{"name": "@acme/users", "dependencies": {"knex": "3"}}',
        "users-service/migrations/1.js": USERS,
        "a/migrations/1.js": up(""),
    }
    workspace = found(files, model.Config(workspace=model.Workspace(order=("users-service", "gone"))))
    assert [service.name for service in workspace.services] == ["users", "a"]
    assert workspace.notes == ("workspace.order names gone, which is no service",)
