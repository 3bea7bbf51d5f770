"""Types and functions of PostGIS, which no server of the tests has: after its documentation and source."""

from __future__ import annotations

import pytest

from remediate.replay.catalog import QName
from remediate.replay.engine import StaticEngine
from replay.differential import send


def _engine() -> StaticEngine:
    engine = StaticEngine(strict=True)
    assert send(engine, "CREATE EXTENSION postgis; CREATE SCHEMA s; CREATE TABLE s.t (g geometry(Point, 3005))") is None
    return engine


def _columns(engine: StaticEngine) -> dict[str, str]:
    return {column.name: column.type for column in engine.builder.tables[QName("s", "t")].columns}


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("geography", "geography"),
        ("geography(Geometry)", "geography(Geometry,4326)"),
        ("geography(pointz)", "geography(PointZ,4326)"),
        ("geography(Point, 4269)", "geography(Point,4269)"),
        ("geometry", "geometry"),
        ("geometry(geometry)", "geometry"),
        ("geometry(multipolygon)", "geometry(MultiPolygon)"),
        ("geometry(Geometry, 3005)", "geometry(Geometry,3005)"),
        ("geometry(Point, 0)", "geometry(Point)"),
    ],
)
def test_modifiers_are_written_as_postgis_does(written: str, spelled: str) -> None:
    engine = _engine()
    assert send(engine, f"ALTER TABLE s.t ADD COLUMN c {written}") is None
    assert _columns(engine)["c"] == spelled


@pytest.mark.parametrize(
    ("call", "columns"),
    [
        ("UpdateGeometrySRID('d', 's', 't', 'g', 4326)", {"g": "geometry(Point,4326)"}),
        ("UpdateGeometrySRID('s', 't', 'g', 4326)", {"g": "geometry(Point,4326)"}),
        (
            "AddGeometryColumn('s', 't', 'h', 4326, 'POINT', 2)",
            {"g": "geometry(Point,3005)", "h": "geometry(Point,4326)"},
        ),
        (
            "AddGeometryColumn('', 's', 't', 'h', 3857, 'POLYGON', 3, true)",
            {"g": "geometry(Point,3005)", "h": "geometry(PolygonZ,3857)"},
        ),
        ("DropGeometryColumn('s', 't', 'g')", {}),
    ],
)
def test_a_function_changes_the_table(call: str, columns: dict[str, str]) -> None:
    engine = _engine()
    assert send(engine, f"SELECT {call}") is None
    assert _columns(engine) == columns


def test_names_without_a_schema_are_looked_up() -> None:
    engine = _engine()
    assert send(engine, "SET search_path = s, public; SELECT UpdateGeometrySRID('t', 'g', 4326)") is None
    assert _columns(engine) == {"g": "geometry(Point,4326)"}


def test_a_whole_table_is_dropped() -> None:
    engine = _engine()
    assert send(engine, "SELECT DropGeometryTable('s', 't')") is None
    assert not engine.builder.tables


def test_refusals() -> None:
    engine = _engine()
    assert send(engine, "ALTER TABLE s.t ADD COLUMN x int") is None
    assert send(engine, "SELECT UpdateGeometrySRID('s', 't', 'x', 4326)") == "P0001"
    assert send(engine, "SELECT UpdateGeometrySRID('s', 'missing', 'g', 4326)") is not None
    assert send(StaticEngine(strict=True), "SELECT UpdateGeometrySRID('t', 'g', 4326)") == "42883"


def test_arguments_that_are_not_constants_are_unresolved() -> None:
    engine = _engine()
    assert send(engine, "SELECT DropGeometryColumn('s', 't', lower('G'))") is None
    assert [told.reason for told in engine.told.unresolved] == [
        "the arguments of dropgeometrycolumn() are no constants"
    ]
