"""The detectors, in the order in which their findings are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from remediate.detect import (
    duplicate_function,
    inconsistent_tenant_setting,
    missing_rls,
    missing_tenant_column,
    rls_not_forced,
    rls_without_policy,
)
from remediate.detect.model import Facts, Finding


class Detector(NamedTuple):
    rule: str
    detect: Callable[[Facts], Iterator[Finding]]


DETECTORS: tuple[Detector, ...] = tuple(
    Detector(module.RULE, module.detect)
    for module in (
        missing_rls,
        rls_without_policy,
        rls_not_forced,
        inconsistent_tenant_setting,
        missing_tenant_column,
        duplicate_function,
    )
)
