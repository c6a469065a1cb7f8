"""Every mutant of a module, by the operators of mutmut and two of our own.

The operators only: mutmut itself leaves out what is decorated, which in `model` are the properties that everything
rests on, and writes its mutants to a copy of the repository. Left out here is what no type checker lets pass (None in
place of a value, a positional argument that is not there), for whatever breaks by that says nothing of the tests.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

import libcst as cst
import libcst.matchers as m
from libcst.metadata import MetadataWrapper
from mutmut.mutation import mutators

from tests.bite.explained import BECOMES
from tests.bite.suite import path_of

_CALLS_THAT_TELL_NOTHING = m.Call(func=m.Name("len") | m.Name("isinstance") | m.Name("ContextVar"))
_NEGATED_BY_OTHERS = m.UnaryOperation(operator=m.Not()) | m.Comparison(
    comparisons=[m.ComparisonTarget(operator=m.Is() | m.IsNot() | m.In() | m.NotIn() | m.Equal() | m.NotEqual())]
)
_NO_CODE = cst.Annotation | cst.Decorator | cst.Import | cst.ImportFrom | cst.Raise | cst.Assert
_OPERATORS = (
    *(
        (kind, operator)
        for kind, operator in mutators.mutation_operators
        if operator not in {mutators.operator_assignment, mutators.operator_arg_removal, mutators.operator_string}
    ),
    # That a text is another is enough: mutmut has it in upper and in lower case, too.
    (cst.SimpleString, lambda node: list(mutators.operator_string(node))[:1]),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change for the worse."""

    module: str
    line: int
    was: str
    """The lines that are changed, in one."""
    now: str
    source: str
    """All of the changed module."""

    def __str__(self) -> str:
        return f"{self.module.removeprefix('kubectl_safe.')}: {self.was}{BECOMES}{self.now}"


def mutants(module: str) -> Iterator[Mutant]:
    """Return the mutants of a module."""
    source = path_of(module).read_text(encoding="utf-8")
    tree = MetadataWrapper(cst.parse_module(source)).module
    seen = {source}
    for original, changed in _changes(tree):
        mutated = tree.deep_replace(original, changed).code
        if mutated not in seen:
            seen.add(mutated)
            yield _mutant(module, source, mutated)


def _changes(node: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
    """Return the nodes that operators change, with what they change them to."""
    if isinstance(node, _NO_CODE) or m.matches(node, _CALLS_THAT_TELL_NOTHING) or _is_union_of_types(node):
        return
    for kind, operator in _OPERATORS:
        if isinstance(node, kind):
            yield from ((node, changed) for changed in operator(node) if not _is_unreachable(node, changed))
    for ours in (_without_keyword, _without_operand, _negated):
        yield from ((node, changed) for changed in ours(node))
    for child in node.children:
        yield from _changes(child)


def _is_unreachable(node: cst.CSTNode, changed: cst.CSTNode) -> bool:
    """Tell whether all that is gone is the case that no value reaches, as mypy holds."""
    if not isinstance(node, cst.Match):
        return False
    (gone,) = (case for case in node.cases if case not in changed.cases)
    return bool(m.findall(gone, m.Call(func=m.Name("assert_never"))))


def _is_union_of_types(node: cst.CSTNode) -> bool:
    """Tell whether a node is such as `Act | Wait`, which does not run with another operator."""
    is_type = m.MatchIfTrue(lambda name: name[:1].isupper() and not name.isupper())
    return bool(m.matches(node, m.BinaryOperation(operator=m.BitOr(), right=m.Name(is_type))))


def _without_keyword(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    if isinstance(node, cst.Call):
        for argument in node.args:
            if argument.keyword:
                yield node.with_changes(args=[other for other in node.args if other is not argument])


def _without_operand(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    if isinstance(node, cst.BooleanOperation):
        for operand in (node.left, node.right):
            yield operand.with_changes(lpar=[*node.lpar, *operand.lpar], rpar=[*operand.rpar, *node.rpar])


def _negated(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Negate a condition, where no other operator does."""
    if isinstance(node, cst.If | cst.CompIf) and not m.matches(node.test, _NEGATED_BY_OTHERS):
        inner = node.test.with_changes(
            lpar=[cst.LeftParen(), *node.test.lpar], rpar=[*node.test.rpar, cst.RightParen()]
        )
        yield node.with_changes(test=cst.UnaryOperation(operator=cst.Not(), expression=inner))


def _mutant(module: str, source: str, mutated: str) -> Mutant:
    before, after = source.splitlines(), mutated.splitlines()
    changes = [c for c in SequenceMatcher(None, before, after, autojunk=False).get_opcodes() if c[0] != "equal"]
    first, last = changes[0], changes[-1]
    was, now = before[first[1] : last[2]], after[first[3] : last[4]]
    return Mutant(
        module=module,
        line=first[1] + 1,
        was=" ".join(map(str.strip, was)),
        now=" ".join(map(str.strip, now)).strip() or "nothing",
        source=mutated,
    )
