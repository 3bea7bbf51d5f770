"""Rows that come without their tenant, from code that does not know the column yet: what they get."""

from __future__ import annotations

from collections.abc import Iterator

from remediate.postgres.wire import Wire
from remediate.prove.ground import Ground
from remediate.prove.rows import insertion
from remediate.prove.targets import Target
from remediate.replay.catalog import QName
from remediate.sql.quote import Identifier, Literal


def wrongly_filled(ground: Ground, table: QName, column: str) -> Iterator[str]:
    """What is wrong with the tenant of rows that are put in as they are, but for the column; all of it is rolled back.

    As a superuser where there is one, whom no policy keeps from the rows of others: nor may the filling need that.
    Nothing where the table is no target: then that is told already.
    """
    target = ground.target(table)
    if not isinstance(target, Target) or target.shape.column(column) is None:
        return
    for tenant in (0, 1):
        row = {name: text for name, text in target.samples[tenant].items() if name != column}
        with Wire(ground.host.endpoint, ground.database) if ground.sees_all else ground.as_owner() as wire:
            wire.query("BEGIN")
            if target.forced and not ground.sees_all:
                wire.query(f"ALTER TABLE {target.sql} NO FORCE ROW LEVEL SECURITY")
            wire.query(
                f"SELECT set_config({Literal(ground.setting).sql()}, {Literal(target.keys[tenant]).sql()}, true)"
            )
            gone = wire.send(target.delete([target.sample_ids[tenant]]))
            put = f"{insertion(target.shape, row)} RETURNING {Identifier(column).sql()}::text AS tenant"
            reply = wire.send(put, wants_rows=True) if gone.error is None else gone
            if reply.error is not None:
                # What refers to the row holds it, or it cannot be there a second time: that says nothing of the tenant.
                if not reply.error.code.startswith("23"):
                    yield f"refused: {reply.error.message} ({reply.error.code})"
            elif reply.rows and reply.rows[0]["tenant"] != target.samples[tenant].get(column):
                yield "no tenant" if reply.rows[0]["tenant"] is None else "another tenant than its parent's"
