"""The names by which code that talks to a database is told from code that does not."""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Methods of query builders and clients whose argument is SQL, or a table: Knex, pg, Objection, Kysely, slonik, Drizzle.
_TEXT = _words(
    """
    raw query unsafe any one many none oneornone manyornone maybeone result multi execute executesql fromraw
    joinraw whereraw orwhereraw andwhereraw havingraw orhavingraw orderbyraw groupbyraw $queryraw $executeraw
    $queryrawunsafe $executerawunsafe stream queryarray
    """
)
TABLE_METHODS = _words(
    """
    from into table join innerjoin leftjoin leftouterjoin rightjoin rightouterjoin outerjoin fullouterjoin
    crossjoin fulljoin lateraljoin leftjoinlateral innerjoinlateral selectfrom insertinto updatetable deletefrom
    mergeinto intable batchinsert truncate using replaceinto
    """
)
# What takes values, columns and conditions: a word there is no table, but a query given there is part of the whole.
_VALUES = frozenset(
    "select columns column distinct distincton where andwhere orwhere wherenot orwherenot andwherenot wherein "
    "wherenotin orwherein orwherenotin wherenull wherenotnull orwherenull whereexists orwhereexists wherenotexists "
    "orwherenotexists wherebetween wherenotbetween wherelike whereilike wherejsonpath wherejsonobject "
    "wherejsonsupersetof wherejsonsubsetof wherecolumn whereref wherecomposite having andhaving orhaving havingin "
    "groupby orderby insert insertgraph upsertgraph update patch delete del first pluck count countdistinct sum avg "
    "min max increment decrement returning onconflict ignore merge limit offset as on andon oron using union unionall "
    "intersect except with withrecursive withmaterialized withnotmaterialized modify transacting forupdate forshare "
    "nowait skiplocked timeout options comment hintcomment withschema clone clear clearselect clearwhere clearorder "
    "set values addselect leftjoinandselect innerjoinandselect getmany getone findbyid findone insertandfetch "
    "patchandfetchbyid updateandfetchbyid deletebyid throwifnotfound withgraphfetched withgraphjoined fn ref "
    "tosql tostring tonative catch finally then onin onval onexists jsonextract joinrelated for noWait debug "
    "executetakefirst executetakefirstorthrow selectall innerjoinrelated leftjoinrelated alias connection "
    "insertreturning counters schema".lower().split()
)
TEXT_METHODS = _TEXT
QUERY_METHODS = _TEXT | TABLE_METHODS | _VALUES
# They run what is built on the connection that they are given.
GIVES_CONNECTION = frozenset({"transacting", "connection", "bindtransaction", "bindknex"})

OPENS_TRANSACTION = frozenset(
    {"transaction", "transactionprovider", "tx", "begin", "$transaction", "task", "inTransaction"}
)

_NO_DATABASE = re.compile(
    r"^(console|log(ger)?|JSON|Object|Array|String|Number|Boolean|Math|Date|RegExp|Symbol|Set|Map|WeakMap|URL|Promise"
    r"|process|window|document|localStorage|sessionStorage|navigator|res|reply|response|expect|describe|it|test|jest"
    r"|vi|path|fs|require|fetch|axios|setTimeout|clearTimeout|parseInt|BigInt|Intl|Buffer|assert|i18n|i18next)$"
)
_NO_QUERY = _words(
    """
    log debug info warn error trace fatal includes indexof lastindexof startswith endswith push unshift has emit
    on once off addeventlistener removeeventlistener localecompare match test replace replaceall split padstart
    padend concat charat at dispatch navigate appendchild setattribute getattribute queryselector json send
    status render redirect equals anyof t message describe expect tobe toequal json_ object string enum literal
    """
)
# What changes the schema or asks about it reaches no rows.
_DEFINES = _words(
    """
    createtable createtableifnotexists createtablelike droptable droptableifexists altertable renametable
    hastable hascolumn createview createviewofreplace dropview dropviewifexists creatematerializedview
    refreshmaterializedview tableexists columninfo
    """
)
# Packages that have nothing to do with a database; any other one that is not in the workspace may open one.
_NO_DATABASE_PACKAGE = re.compile(
    r"^(node:.*|react.*|@radix-ui/.*|@tanstack/.*|@testing-library/.*|vue.*|@vue/.*|@angular/.*|svelte.*|next|next/.*"
    r"|next-.*|i18next.*|@mui/.*|zod|yup|joi|ajv|lodash.*|ramda|rxjs|axios|winston|pino|bunyan|debug|express|fastify"
    r"|koa.*|@koa/.*|cors|helmet|path|fs|fs/promises|url|util|crypto|events|http|https|os|stream|assert|buffer|zlib"
    r"|child_process|socket\.io.*|commander|yargs|chalk|dotenv|uuid|dayjs|moment|date-fns.*|redux.*|@reduxjs/.*"
    r"|formik|graphql|graphql-.*|@apollo/.*|swr|jotai|zustand|recoil|jest|vitest|mocha|chai|sinon|supertest"
    r"|@remix-run/.*|remix.*|astro.*|@astrojs/.*|gatsby.*|nuxt|@nuxt/.*|@sveltejs/.*|@trpc/.*|@hookform/.*|@headlessui/.*"
    r"|@heroicons/.*|@fortawesome/.*|lucide-.*|sonner|cypress|@playwright/.*|playwright|eslint.*|webpack.*|vite|rollup.*"
    r"|@babel/.*|tailwindcss|prettier|@grpc/.*|bull|bullmq|ioredis|redis|@redis/.*|kafkajs|amqplib|nodemailer"
    r"|@nestjs/(common|core|swagger|config|passport|jwt|graphql|bull|bullmq|schedule|throttler)"
    r"|@storybook/.*|clsx|classnames|tslib|reflect-metadata|@sentry/.*|@aws-sdk/.*|aws-sdk|openai|stripe)$"
)
# Whoever takes a transaction leaves it to the caller to open it for a tenant.
_HANDED_OVER = re.compile(r"^(trx|tx|txn|transaction)$|(Trx|Tx|Transaction)$|_(trx|tx|transaction)$")
_TRANSACTION_TYPE = re.compile(r"\bTransaction\b|\bPoolClient\b|\bTrx\b")
_PLAIN_UNION = re.compile(r"\|\s*(?:Knex\b(?!\s*\.)|Pool\b)|(?:^|[^.\w])(?:Knex\b(?!\s*\.)|Pool\b)\s*(?:<[^|]*>)?\s*\|")
_NAMES_TABLE = re.compile(r"table|relation|collection|^from$|^into$|^model$|^entity$", re.IGNORECASE)
_CONNECTION_NAME = re.compile(
    r"^(db|database|knex|pool|pg|postgres|conn|connection|client|qb|sql|orm|store)s?$|(Db|DB|Knex|Pool|Connection|Client)$"
)


def is_query_method(name: str) -> bool:
    return name.lower() in QUERY_METHODS


def opens_transaction(name: str) -> bool:
    return name in OPENS_TRANSACTION or name.lower() in OPENS_TRANSACTION


def is_no_database(name: str) -> bool:
    """Whether a name at the start of a call says that it is no query."""
    return _NO_DATABASE.match(name) is not None


def is_no_query(method: str) -> bool:
    """Whether a method's name says that its arguments are no query."""
    return method.lower() in _NO_QUERY


def defines_schema(method: str) -> bool:
    """Whether a method is one of a schema builder: it reaches no rows."""
    return method.lower() in _DEFINES


def is_harmless_package(package: str) -> bool:
    return _NO_DATABASE_PACKAGE.match(package) is not None


def is_handed_over(name: str, type_: str = "") -> bool:
    """Whether a parameter's name or type says that it is a transaction, which somebody else has opened."""
    if type_ and _PLAIN_UNION.search(type_):
        return False
    return _HANDED_OVER.search(name) is not None or (bool(type_) and _TRANSACTION_TYPE.search(type_) is not None)


def names_table(key: str) -> bool:
    """Whether the key of an option says that its value is a table."""
    return _NAMES_TABLE.search(key) is not None


def is_connection_name(name: str) -> bool:
    return _CONNECTION_NAME.search(name) is not None
