"""Lists the mutants of a module: every small change that the operators make to its functions.

Left alone are annotations, decorators, default arguments, docstrings, assertions, and the texts of errors.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import CodeType
from typing import NamedTuple

_SWAPPED_OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Div,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
    ast.Pow: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
_PAIRS = [
    ("min", "max"),
    ("any", "all"),
    ("lower", "upper"),
    ("lstrip", "rstrip"),
    ("ljust", "rjust"),
    ("startswith", "endswith"),
    ("removeprefix", "removesuffix"),
    ("partition", "rpartition"),
]
_SWAPPED_NAMES = dict([*_PAIRS, *((second, first) for first, second in _PAIRS)])
_UNCHANGED_FIELDS = {"annotation", "returns", "decorator_list", "type_params"}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_TEXT = "text"  # marks the constants that are docstrings, or the texts of errors and f-strings


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: ``number`` is its position in the module, ``occurrence`` among equal changes."""

    module: str
    function: str
    path: Path
    line: int
    change: str
    number: int
    occurrence: int
    key: str


class _Change(NamedTuple):
    function: ast.expr | ast.stmt
    name: str
    line: int
    before: ast.AST
    after: ast.AST


def mutants_of(module: str, path: Path) -> list[Mutant]:
    """Return the mutants of a module in the order of its source."""
    source = path.read_text("utf-8")
    counts: Counter[str] = Counter()
    mutants = []
    for number, change in enumerate(_changes(ast.parse(source))):
        text = f"{_text(change.before)} -> {_text(change.after)}"
        function = hashlib.sha256(
            (ast.get_source_segment(source, change.function) or "").encode()
        ).hexdigest()
        place = f"{module}:{change.name}:{function}:{text}"
        key = hashlib.sha256(f"{place}:{counts[place]}".encode()).hexdigest()[:16]
        mutants.append(Mutant(module, change.name, path, change.line, text, number, counts[place], key))
        counts[place] += 1
    return mutants


def mutated_code(mutant: Mutant) -> tuple[str, int, CodeType | None]:
    """Return the qualified name, the first line and the code of the changed function."""
    tree = ast.parse(mutant.path.read_text("utf-8"))
    change = next(islice(_changes(tree), mutant.number, None))
    decorators = getattr(change.function, "decorator_list", [])
    first = min([change.function.lineno, *(decorator.lineno for decorator in decorators)])
    code = compile(ast.fix_missing_locations(tree), str(mutant.path), "exec", dont_inherit=True)
    return change.name, first, _code_at(code, change.name, first)


def _code_at(code: CodeType, qualified: str, line: int) -> CodeType | None:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            if (inner.co_qualname, inner.co_firstlineno) == (qualified, line):
                return inner
            if qualified.startswith(inner.co_qualname + ".") and (
                code_there := _code_at(inner, qualified, line)
            ):
                return code_there
    return None


def _changes(tree: ast.Module) -> Iterator[_Change]:
    """Apply each change in turn, and yield it while the tree has it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise | ast.JoinedStr | ast.Expr):
            for part in ast.walk(node) if isinstance(node, ast.Raise) else ast.iter_child_nodes(node):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    part.kind = _TEXT
    for function, name in _functions(tree, ""):
        for parent, field, index, node in _slots(function, ["body"]):
            line = getattr(node, "lineno", getattr(parent, "lineno", function.lineno))
            for replacement in _replacements(node, field):
                _put(parent, field, index, ast.copy_location(replacement, node))
                yield _Change(function, name, line, node, replacement)
                _put(parent, field, index, node)


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """Yield the outermost functions and lambdas with their qualified names."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _FUNCTIONS):
            yield child, prefix + getattr(child, "name", "<lambda>")
        else:
            yield from _functions(
                child, f"{prefix}{child.name}." if isinstance(child, ast.ClassDef) else prefix
            )


def _slots(parent: ast.AST, fields: list[str] | None = None) -> Iterator[tuple[ast.AST, str, int, ast.AST]]:
    """Yield every node below ``parent`` that operators may change, with its place."""
    for field in fields or [name for name in parent._fields if name not in _UNCHANGED_FIELDS]:
        value = getattr(parent, field)
        for index, node in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(node, ast.AST) and not isinstance(node, ast.Assert | ast.arguments):
                yield parent, field, index, node
                yield from _slots(node)


def _put(parent: ast.AST, field: str, index: int, node: ast.AST) -> None:
    value = getattr(parent, field)
    if isinstance(value, list):
        value[index] = node
    else:
        setattr(parent, field, node)


def _text(node: ast.AST) -> str:
    text = ast.unparse(node).splitlines()[0]
    return text if len(text) <= 80 else text[:77] + "..."


def _replacements(node: ast.AST, field: str) -> Iterator[ast.AST]:
    """Yield what the operators make of a node."""
    if isinstance(node, ast.stmt):
        yield from _changed_statements(node)
    elif isinstance(node, ast.Constant):
        yield from _changed_constants(node)
    elif isinstance(node, ast.Call):
        yield from _changed_calls(node)
    elif isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.UAdd):
        yield node.operand
    elif isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in _SWAPPED_OPERATORS:
        other = _SWAPPED_OPERATORS[type(node.op)]()
        fields = {name: getattr(node, name) for name in node._fields}
        yield type(node)(**{**fields, "op": other})
    elif isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            operators = [*node.ops[:index], _SWAPPED_OPERATORS[type(operator)](), *node.ops[index + 1 :]]
            yield ast.Compare(node.left, operators, node.comparators)  # type: ignore[arg-type]
    if field == "ifs":
        yield ast.Constant(True)
    elif field == "test" and not isinstance(node, ast.Compare | ast.UnaryOp):
        yield ast.UnaryOp(ast.Not(), node)  # type: ignore[arg-type]


def _changed_statements(node: ast.AST) -> Iterator[ast.stmt]:
    match node:
        case ast.Raise():
            yield ast.Pass()
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield ast.Return(ast.Constant(None))
        case ast.Expr(value=ast.Call() | ast.Await() | ast.Yield() | ast.YieldFrom()):
            yield ast.Pass()
        case ast.AugAssign(target=target, op=operator, value=value):
            yield ast.Assign([target], value)
            if type(operator) in _SWAPPED_OPERATORS:
                yield ast.AugAssign(target, _SWAPPED_OPERATORS[type(operator)](), value)  # type: ignore[arg-type]
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _changed_constants(node: ast.Constant) -> Iterator[ast.Constant]:
    match node.value:
        case str() if node.kind == _TEXT:
            return
        case bool(value):
            yield ast.Constant(not value)
        case int(value) | float(value):
            yield ast.Constant(value + 1)
        case str(text):
            yield ast.Constant(f"XX{text}XX")
        case bytes(octets):
            yield ast.Constant(b"XX" + octets)


def _changed_calls(node: ast.Call) -> Iterator[ast.Call]:
    for keyword in node.keywords:
        if keyword.arg:
            yield ast.Call(node.func, node.args, [other for other in node.keywords if other is not keyword])
    match node.func:
        case ast.Name(id=name) if name in _SWAPPED_NAMES:
            yield ast.Call(ast.Name(_SWAPPED_NAMES[name], ast.Load()), node.args, node.keywords)
        case ast.Attribute(value=value, attr=name) if name in _SWAPPED_NAMES:
            yield ast.Call(ast.Attribute(value, _SWAPPED_NAMES[name], ast.Load()), node.args, node.keywords)
