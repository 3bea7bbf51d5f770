"""Edits of existing migrations: they touch no database that has run them, so that what counts is a new one.

The history is replayed once more with the edited files, on an empty database. It has to make the same schema, and what
the edits are for must not be found in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from remediate.config.model import Config
from remediate.detect.model import Facts, Finding
from remediate.evaluate.evaluate import Evaluator
from remediate.plan.model import Change
from remediate.postgres.engine import PostgresEngine
from remediate.postgres.host import Host
from remediate.prove.ground import Detect
from remediate.prove.model import ChangeProof, Check, Remark
from remediate.prove.prediction import Prediction, deviations, with_histories
from remediate.replay.catalog import Catalog
from remediate.replay.replay import replay_on
from remediate.source.model import Service
from remediate.source.place import Place

_ANY = "postgres"


def prove_edits(
    host: Host, facts: Facts, edits: Sequence[Change], findings: Mapping[str, Finding], original: Catalog,
    evaluator: Evaluator, config: Config, detect: Detect,
) -> list[ChangeProof]:  # fmt: skip
    """A proof for each edited file; all of them are tried together. `original` is what the unedited history made."""
    if not edits:
        return []
    services = [_edited(service, edits) for service in facts.services]
    user = config.roles.migration or _ANY if host.is_own else host.endpoint.user
    with PostgresEngine(host, _ANY, user=user, hint="try again") as engine:
        edited = replay_on(engine, services, evaluator).catalog
    prediction = Prediction(services, evaluator, config)
    static = prediction.replayed()
    catalog = with_histories(edited, static.catalog)
    found = {one.id: one for one in detect(prediction.facts(replace(static, catalog=catalog)))}
    unlike = sorted(deviations(original, edited))
    differences = [
        Remark(f"{kind} {subject}: {how}".replace("was not predicted", "was not there before"))
        for kind, subject, how in unlike
    ]
    proofs = []
    for change in edits:
        left = [
            Remark(f"is still found: {found[id_].message}", Place(change.path))
            for id_ in change.findings
            if id_ in found and not found[id_].waiting
        ]
        checks = (
            Check("findings", "failed" if left else "passed", tuple(left)),
            Check("history", "failed" if differences else "passed", tuple(differences)),
        )
        proofs.append(ChangeProof(change, checks))
    return proofs


def _edited(service: Service, edits: Sequence[Change]) -> Service:
    texts = {change.path: change.text.encode() for change in edits}
    migrations = tuple(
        replace(source, data=texts[source.file]) if source.file in texts else source for source in service.migrations
    )
    return replace(service, migrations=migrations)
