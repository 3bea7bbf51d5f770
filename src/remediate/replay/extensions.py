"""What common extensions bring along, so that it is missing exactly where the extension is.

From the extensions' own SQL scripts (contrib of PostgreSQL 18, PostGIS 3, pgvector, TimescaleDB). An extension that is
not in this table may bring anything: where one is installed, no function is called missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Extension:
    """`prefixes` are beginnings of function names; `requires` is installed along with CASCADE."""

    functions: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    types: frozenset[str] = frozenset()
    relations: frozenset[str] = frozenset()
    requires: tuple[str, ...] = ()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_GIS_TYPES = _words("geometry geography box2d box3d geometry_dump valid_detail")

EXTENSIONS: Final[Mapping[str, Extension]] = {
    "plpgsql": Extension(),
    "uuid-ossp": Extension(
        _words(
            "uuid_generate_v1 uuid_generate_v1mc uuid_generate_v3 uuid_generate_v4 uuid_generate_v5 uuid_nil "
            "uuid_ns_dns uuid_ns_url uuid_ns_oid uuid_ns_x500"
        )
    ),
    "pgcrypto": Extension(
        _words(
            "digest hmac crypt gen_salt encrypt decrypt encrypt_iv decrypt_iv gen_random_bytes gen_random_uuid armor "
            "dearmor pgp_sym_encrypt pgp_sym_encrypt_bytea pgp_sym_decrypt pgp_sym_decrypt_bytea pgp_pub_encrypt "
            "pgp_pub_encrypt_bytea pgp_pub_decrypt pgp_pub_decrypt_bytea pgp_key_id pgp_armor_headers fips_mode"
        )
    ),
    "citext": Extension(_words("citext citext_eq"), ("citext_",), _words("citext")),
    "hstore": Extension(
        _words("hstore akeys avals skeys svals each exist defined slice tconvert populate_record"),
        ("hstore_",),
        _words("hstore"),
    ),
    "ltree": Extension(
        _words("subltree subpath nlevel lca text2ltree ltree2text index"), ("ltree_",), _words("ltree lquery ltxtquery")
    ),
    "pg_trgm": Extension(
        _words(
            "similarity show_trgm word_similarity strict_word_similarity show_limit set_limit similarity_op "
            "word_similarity_op strict_word_similarity_op"
        ),
        (),
        _words("gtrgm"),
    ),
    "unaccent": Extension(_words("unaccent unaccent_init unaccent_lexize")),
    "fuzzystrmatch": Extension(
        _words(
            "levenshtein levenshtein_less_equal soundex difference text_soundex metaphone dmetaphone dmetaphone_alt "
            "daitch_mokotoff"
        )
    ),
    "tablefunc": Extension(_words("crosstab crosstab2 crosstab3 crosstab4 crosstabN connectby normal_rand")),
    "intarray": Extension(_words("icount sort sort_asc sort_desc uniq idx subarray intset"), (), _words("query_int")),
    "btree_gin": Extension(),
    "btree_gist": Extension(prefixes=("gbt_",)),
    "cube": Extension(prefixes=("cube_",), types=_words("cube")),
    "earthdistance": Extension(
        _words("earth earth_distance earth_box ll_to_earth sec_to_gc gc_to_sec latitude longitude"),
        types=_words("earth"),
        requires=("cube",),
    ),
    "moddatetime": Extension(_words("moddatetime")),
    "lo": Extension(_words("lo_manage lo_oid"), (), _words("lo")),
    "pg_stat_statements": Extension(
        _words("pg_stat_statements pg_stat_statements_reset pg_stat_statements_info"),
        relations=_words("pg_stat_statements pg_stat_statements_info"),
    ),
    "pgstattuple": Extension(_words("pgstattuple pgstatindex pgstatginindex pg_relpages pgstattuple_approx")),
    "dblink": Extension(prefixes=("dblink",)),
    "postgres_fdw": Extension(prefixes=("postgres_fdw_",)),
    "file_fdw": Extension(prefixes=("file_fdw_",)),
    "vector": Extension(
        _words(
            "l2_distance inner_product cosine_distance l1_distance vector_dims vector_norm l2_normalize "
            "binary_quantize subvector hamming_distance jaccard_distance"
        ),
        ("vector_", "halfvec_", "sparsevec_"),
        _words("vector halfvec sparsevec"),
    ),
    "postgis": Extension(
        _words(
            "geometry geography addgeometrycolumn dropgeometrycolumn dropgeometrytable updategeometrysrid find_srid"
        ),
        ("st_", "_st_", "postgis_", "geometry_", "geography_"),
        _GIS_TYPES,
        _words("spatial_ref_sys geometry_columns geography_columns"),
    ),
    "postgis_topology": Extension(prefixes=("st_", "topo"), types=_words("topogeometry"), requires=("postgis",)),
    "postgis_raster": Extension(prefixes=("st_", "_st_", "raster"), types=_words("raster"), requires=("postgis",)),
    "timescaledb": Extension(
        _words(
            "create_hypertable add_retention_policy add_compression_policy time_bucket time_bucket_gapfill first last "
            "locf interpolate histogram add_continuous_aggregate_policy set_chunk_time_interval add_dimension "
            "remove_retention_policy drop_chunks show_chunks compress_chunk decompress_chunk approximate_row_count "
            "refresh_continuous_aggregate remove_compression_policy remove_continuous_aggregate_policy by_range by_hash"
        )
    ),
    "pg_cron": Extension(_words("schedule unschedule schedule_in_database alter_job"), relations=_words("job")),
    "pgaudit": Extension(),
    "xml2": Extension(prefixes=("xpath_", "xslt_")),
    "isn": Extension(types=_words("ean13 isbn isbn13 ismn issn upc")),
    "seg": Extension(types=_words("seg")),
    "tsm_system_rows": Extension(),
    "pg_prewarm": Extension(_words("pg_prewarm")),
    "pg_buffercache": Extension(_words("pg_buffercache_pages"), relations=_words("pg_buffercache")),
    "pageinspect": Extension(),
    "amcheck": Extension(_words("bt_index_check bt_index_parent_check verify_heapam")),
    "sslinfo": Extension(prefixes=("ssl_",)),
    "pg_uuidv7": Extension(_words("uuid_generate_v7 uuid_v7_to_timestamptz uuid_timestamptz_to_v7")),
}


def brings_function(installed: Iterable[str], name: str) -> bool:
    """Whether an installed extension has, or may have, a function of that name."""
    lowered = name.lower()
    for each in installed:
        extension = EXTENSIONS.get(each)
        if extension is None or lowered in extension.functions or lowered.startswith(extension.prefixes or ("\0",)):
            return True
    return False


def brings_relation(installed: Iterable[str], name: str) -> bool:
    return any(each not in EXTENSIONS or name in EXTENSIONS[each].relations for each in installed)


def type_of_extension(installed: Iterable[str], name: str) -> str | None:
    """The type as it is spelled, where an installed extension has it."""
    lowered = name.lower()
    for each in installed:
        extension = EXTENSIONS.get(each)
        if extension is None or lowered in extension.types:
            return lowered
    return None
