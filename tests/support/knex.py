"""Real Knex, run on a database: what a service's `knex migrate:…` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from support.database import Database
from support.driver import Driver

EXTENSIONS = (".ts", ".js", ".cjs", ".mjs")


@dataclass(frozen=True)
class KnexRun:
    """What one command of Knex did.

    `files` are those that ran (for `status`: that are applied), `pending` those that `status` found to be new, `error`
    is the message and `code` the SQLSTATE or Node's code of what stopped it, `queries` what Knex sent, in order, `log`
    its warnings, and `rejections` the errors of promises that nobody awaited. Of `apply`, `refused` are the file, text
    and SQLSTATE of the strings that PostgreSQL refused, `thrown` file and message of what the files themselves threw.
    """

    batch: int | None
    files: tuple[str, ...]
    pending: tuple[str, ...]
    error: str | None
    code: str | None
    queries: tuple[tuple[str, tuple[object, ...]], ...]
    log: tuple[str, ...]
    rejections: tuple[str, ...]
    refused: tuple[tuple[str | None, str, str | None], ...] = ()
    thrown: tuple[tuple[str, str], ...] = ()

    def expect_success(self) -> KnexRun:
        """This run, if nothing stopped it; else an assertion that shows what did."""
        assert self.error is None, f"Knex stopped: {self.code} {self.error}\n" + "\n".join(self.log)
        return self


class KnexRunner:
    """Runs the commands of Knex's migrator on the migrations in `folder / directory` for each of `directories`."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def latest(self, database: Database, folder: Path, **options: object) -> KnexRun:
        return self.run("latest", database, folder, **options)  # type: ignore[arg-type]

    def apply(self, database: Database, folder: Path, **options: object) -> KnexRun:
        """Run every migration string by string: what is refused is skipped, and each string commits by itself."""
        return self.run("apply", database, folder, **options)  # type: ignore[arg-type]

    def rollback(self, database: Database, folder: Path, **options: object) -> KnexRun:
        """Take the last batch back (with `all=True` every batch)."""
        return self.run("rollback", database, folder, **options)  # type: ignore[arg-type]

    def up(self, database: Database, folder: Path, **options: object) -> KnexRun:
        """Run the next migration, or the one called `name`."""
        return self.run("up", database, folder, **options)  # type: ignore[arg-type]

    def down(self, database: Database, folder: Path, **options: object) -> KnexRun:
        """Take back the last migration, or the one called `name`."""
        return self.run("down", database, folder, **options)  # type: ignore[arg-type]

    def status(self, database: Database, folder: Path, **options: object) -> KnexRun:
        return self.run("status", database, folder, **options)  # type: ignore[arg-type]

    def run(
        self,
        command: str,
        database: Database,
        folder: Path,
        *,
        directories: Sequence[str] = ("migrations",),
        name: str | None = None,
        all: bool = False,
        table: str = "knex_migrations",
        schema: str | None = None,
        search_path: Sequence[str] | None = None,
        extensions: Sequence[str] = EXTENSIONS,
        sort_directories_separately: bool = False,
        disable_transactions: bool = False,
        user: str | None = None,
    ) -> KnexRun:
        """Run `command`: latest, apply, rollback, up, down or status. Errors of migrations are in the result."""
        endpoint = database.endpoint
        answer = self._driver.ask(
            "knex",
            command=command,
            name=name,
            all=all,
            searchPath=None if search_path is None else list(search_path),
            connection={
                "host": endpoint.host,
                "port": endpoint.port,
                "user": user or endpoint.user,
                "database": database.name,
            },
            migrations={
                "directory": [str(folder / directory) for directory in directories],
                "loadExtensions": list(extensions),
                "tableName": table,
                "sortDirsSeparately": sort_directories_separately,
                "disableTransactions": disable_transactions,
                **({"schemaName": schema} if schema else {}),
            },
        )
        error = answer["error"] or {"message": None, "code": None}
        return KnexRun(
            batch=answer["batch"],
            files=tuple(Path(file).name for file in answer["files"]),
            pending=tuple(answer["pending"]),
            error=error["message"],
            code=error["code"],
            queries=tuple((query["sql"], tuple(query["bindings"])) for query in answer["queries"]),
            log=tuple(answer["log"]),
            rejections=tuple(answer.get("rejections", ())),
            refused=tuple((one["file"], one["sql"], one["code"]) for one in answer["refused"]),
            thrown=tuple((one["file"], one["message"]) for one in answer["thrown"]),
        )
