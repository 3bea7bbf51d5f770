"""The one question of this package: where may code reach a table without the tenant set?"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from remediate.source.access.carried import Access, Model, Query, Unclear
from remediate.source.access.flow import Flow
from remediate.source.access.handles import Handles
from remediate.source.access.mentions import mentions
from remediate.source.access.methods import Methods
from remediate.source.access.models import Models
from remediate.source.access.program import Program, program_of
from remediate.source.access.proof import Proof
from remediate.source.access.references import References
from remediate.source.access.relations import Relation
from remediate.source.access.scripts import script_doubt
from remediate.source.access.site import Module, Site, TooMuch
from remediate.source.access.tenant import Tenant
from remediate.source.access.words import words_of
from remediate.source.code import SCRIPTS
from remediate.source.model import CodeFile


@dataclass(frozen=True, slots=True)
class Doubt:
    """One sentence that names a place in `file`, what it reaches the table through, and why that is no proof."""

    file: str
    sentence: str


@dataclass(slots=True)
class Accesses:
    """All code that may use one database. `functions` are those of the database that set settings, by name; `names`
    the words of the tables that will be asked for: with them, the files are gone through once for all tables.
    """

    program: Program
    scripts: tuple[CodeFile, ...]
    functions: Mapping[str, frozenset[str]]
    names: frozenset[str]
    references: References
    flow: Flow
    _index: dict[str, list[Module]] = field(default_factory=dict)
    _proofs: dict[frozenset[str], Proof] = field(default_factory=dict)
    _of_file: dict[tuple[str, Relation], tuple[tuple[Site, Access], ...]] = field(default_factory=dict)

    def doubts(self, relation: Relation, settings: frozenset[str]) -> Iterator[Doubt]:
        """The accesses that are not proven to run with one of `settings` set, in the order of the files.

        They are found while they are asked for.

        What runs before the tenant is known, by its file's name, is a doubt in any case; tests are left out.
        """
        for module in self._naming(relation):
            yield from self._in_module(module, relation, settings)
        for script in self.scripts:
            if relation.words <= script.words and (sentence := script_doubt(script, relation, settings)) is not None:
                yield Doubt(script.file, sentence)

    def _naming(self, relation: Relation) -> tuple[Module, ...]:
        """The modules that hold the words of a name, whatever they mean there."""
        if relation.words <= self.names:
            if not self._index:
                for module in self.program.modules.values():
                    for word in self.names & module.code.words:
                        self._index.setdefault(word, []).append(module)
            longest = max(relation.words, key=len, default="")
            found: Iterable[Module] = self._index.get(longest, ())
        else:
            found = self.program.modules.values()
        return tuple(module for module in found if relation.words <= module.code.words)

    def accesses(self, module: Module, relation: Relation) -> tuple[tuple[Site, Access], ...]:
        """The mentions of a table in a module, each with what it is used for."""
        key = (module.name, relation)
        if key not in self._of_file:
            self._of_file[key] = tuple(self._read(module, relation))
        return self._of_file[key]

    def _read(self, module: Module, relation: Relation) -> Iterator[tuple[Site, Access]]:
        for site, kind in mentions(module, relation):
            yield from ((site, access) for access in self.flow.accesses(site, kind))

    def _in_module(self, module: Module, relation: Relation, settings: frozenset[str]) -> Iterator[Doubt]:
        try:
            found = self.accesses(module, relation)
            if found and module.code.role == "entry":
                yield Doubt(module.name, f"{found[0][0].place} names it, in code that runs before the tenant is known.")
                return
            proof = self._proof(settings)
            for site, access in found:
                yield from (Doubt(module.name, sentence) for sentence in self._judged(site, access, proof))
        except (TooMuch, RecursionError):
            yield Doubt(module.name, f"{module.name} names it, and is nested too deeply or too long to be followed.")

    def _judged(self, mention: Site, access: Access, proof: Proof) -> Iterator[str]:
        there = "" if _encloses(access.at, mention) else f", in {access.at.place},"
        match access:
            case Query(_, handle):
                if (reason := proof.doubt(handle)) is not None:
                    yield f"{mention.place} reaches it{there} through {handle.short}: {reason}."
            case Unclear(_, why):
                yield f"{mention.place} names it{there} and {why}."
            case Model(at, model):
                queries = Models(self.program, self.references, self.flow.handles).queries(model)
                # One of them is enough to know; a model of a large application has thousands.
                doubts = (sentence for query in queries for sentence in self._judged(at, query, proof))
                yield from itertools.islice(doubts, 1)

    def _proof(self, settings: frozenset[str]) -> Proof:
        if settings not in self._proofs:
            methods = self.flow.methods
            tenant = Tenant(self.program, self.references, self.flow.handles, methods, settings, self.functions)
            self._proofs[settings] = Proof(self.program, self.references, self.flow.handles, methods, tenant)
        return self._proofs[settings]


def accesses_of(
    files: Iterable[CodeFile], functions: Mapping[str, frozenset[str]], tables: Iterable[str] = ()
) -> Accesses:
    """Takes the code files and scripts of one database; the order does not matter."""
    every = {file.file: file for file in files if file.role != "test"}
    program = program_of(file for file in every.values() if not file.file.endswith(SCRIPTS))
    scripts = tuple(every[path] for path in sorted(every) if path.endswith(SCRIPTS))
    references = References(program)
    names = frozenset().union(*(words_of(table) for table in tables))
    flow = Flow(program, references, Handles(program), Methods(program, references))
    return Accesses(program, scripts, functions, names, references, flow)


def _encloses(query: Site, mention: Site) -> bool:
    """Whether the query is the one in which the mention stands, so that its place says nothing new."""
    first, last = query.node.start_byte, query.node.end_byte
    return query.module is mention.module and first <= mention.node.start_byte < last
