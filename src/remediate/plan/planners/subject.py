"""From a finding's subject to names of the catalog."""

from __future__ import annotations

from remediate.detect.model import Finding
from remediate.replay.catalog import QName


def subject_table(finding: Finding) -> QName:
    """The table that a finding is about: the subject itself, or the table of its policy."""
    subject = finding.subject
    return QName(subject.schema, subject.table or subject.name)
