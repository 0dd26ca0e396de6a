"""Style rules for texts and names that a program can check.

``python -m tests.language PATH...`` prints the violations in files and directories.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

PHRASES = {
    r"anew": "again, or a verb: reissue, rewrite, publish again",
    r"whoever|for who|(?:those|one|ones) who|(?:of|for|to|from|by) whom": "the subject: client, caller, user",
    r"(?:of|from) (?:any|other|another|whatever) makers?": "from any source, third-party, independent",
    r"told": "reported, printed, logged, described",
    r"it is said|(?:not|nothing(?: else)? is|is nothing) said": "omitted; state the default",
    r"what is not said": "omitted fields",
    r"stands?(?! for)|standing": "is, is at, contains",
    r"so long as": "while, as long as",
    r"as one likes|one's own": "any value; your own",
    r"octets|octet(?! string|-stream)": "bytes, byte",
    r"folders?": "directory",
    r"held against": "checked against, compared with",
    r"put to (?:them|it|validators|openssl|OpenSSL)": "run against, checked with",
    r"goes with|go with it|brought|brings": "belongs to; provided, imported",
    r"wanted": "expected, requested, required",
    r"of (?:ours|others|theirs)": "name the owner: pkigen's, another program's",
    r"sound ones?": "the original, the certificate without a fault",
    r"for ever": "forever",
    r"to be had": "available",
    r"ways? out": "export",
    r"makes of (?:it|a|an|the|this|them)": "returns for, does with",
    r"no news": "not an error",
    r"be that as|as it may": "delete the phrase",
    r"catalogues?": "catalog",
    r"artefacts?": "artifact",
    r"behaviours?": "behavior",
    r"colou?rless|colours?|coloured": "color",
    r"favours?|honours?|labours?|neighbours?": "the American spelling: -or",
    r"\w+(?:ognis|ganis|alis|ialis|oris|eris|inimis|aximis|ptimis|ronis)(?:e|es|ed|ing|ation)": "-ize",
    r"centres?|licences?|analyse[sd]?|judgements?|whilst|amongst": "the American spelling",
}
"""What a text must not contain (a regular expression for whole words), and what to write instead."""

ALLOWED = re.compile(
    r"standalone|stand-alone|stand-in|(?:re|gener|norm|fin|loc|speci|form|initi|seri)aliz|raises|praises|analysis"
    r"|otherwise|promise|precise|exercise|advertise|comprise|compromise|enterprise|supervise|revise|devise|noise"
    r"|\"folder\"|'folder'|long-standing|outstanding|understand\w*|catalogue[./]|artefacts?[./]",
)
"""Words that look like a violation and are none."""

NAMES = {
    "anew": "again",
    "asked": "requested, request, query",
    "brought": "imported",
    "found": "the content: certificate, entry, match",
    "held": "the content: value, existing, stored",
    "kept": "the content: cached, stored, unchanged",
    "said": "the content: output, message, verdict",
    "shown": "the content: text, output, subject",
    "stands": "status",
    "told": "the content: entry, data, output",
    "wanted": "expected, requested",
}
"""Words that must not be the name of a function, an argument or a variable, and what to choose from instead.

Name a variable after its content, not after how it was obtained.
"""

SUFFIXES = (".py", ".md", ".yaml", ".j2", ".html", ".css", ".js", ".svg", ".sh")

GERUNDS = {"encoding", "signing", "stapling", "timing"}
"""Module names that end in -ing and are nouns."""

_CODE = re.compile(r"``.*?``|`[^`\n]*`")
_FENCED = re.compile(r"^( *)(```|~~~).*?^\1\2", re.MULTILINE | re.DOTALL)
_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|<(?:script|style)\b.*?</(?:script|style)>|<[^>]*>", re.DOTALL)
_YAML_KEY = re.compile(r"^\s*(?:- )?[\w.{}/-]+:(?=\s|$)", re.MULTILINE)
_LINK = re.compile(r"\]\([^)]*\)|https?://\S+|[\w./-]+\.(?:md|py|yaml|html|json|svg)\b")
_RULES = [
    (re.compile(rf"(?<![\w.-])(?:{phrase})(?![\w-])", re.IGNORECASE), advice)
    for phrase, advice in PHRASES.items()
]


def text_violations(path: Path) -> Iterator[str]:
    """Yield ``LINE: 'phrase': write ... instead`` for the texts in a file."""
    for line, text in _texts(path):
        plain = ALLOWED.sub(_blank, _LINK.sub(_blank, _CODE.sub(_blank, text)))
        for rule, advice in _RULES:
            for match in rule.finditer(plain):
                number = line + plain.count("\n", 0, match.start())
                yield f"{number}: '{match[0]}': write {advice} instead"


def name_violations(path: Path) -> Iterator[str]:
    """Yield ``LINE: the name ...`` for functions, arguments and variables of a module."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        name = ""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = node.name
        elif isinstance(node, ast.arg):
            name = node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            name = node.attr
        if advice := NAMES.get(name.strip("_").lower()):
            yield f"{getattr(node, 'lineno', 0)}: the name '{name}': choose {advice} instead"


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    source = path.read_text("utf-8")
    if path.suffix == ".py":
        yield from _python_texts(source)
    elif path.suffix == ".md":
        yield 1, _TEMPLATE.sub(_blank, _FENCED.sub(_blank, source))
    elif path.suffix in (".yaml", ".yml", ".toml"):
        yield 1, _YAML_KEY.sub(_blank, source)
    else:
        yield 1, _TEMPLATE.sub(_blank, source)


def _python_texts(source: str) -> Iterator[tuple[int, str]]:
    """Strings of several words, among them docstrings and the fixed parts of f-strings, and comments."""
    tree = ast.parse(source)
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and id(node) not in inside and _has_words(node.value):
            yield node.lineno, str(node.value)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def _has_words(value: object) -> bool:
    return isinstance(value, str) and " " in value.strip()


def _blank(match: re.Match[str]) -> str:
    """Replace a match by spaces and keep its line breaks, so that line numbers stay right."""
    return re.sub(r"[^\n]", " ", match[0])


def _main(arguments: list[str]) -> None:
    for root in map(Path, arguments):
        for path in [root] if root.is_file() else sorted(root.rglob("*")):
            if path.suffix in SUFFIXES:
                names = name_violations(path) if path.suffix == ".py" else ()
                for violation in (*text_violations(path), *names):
                    sys.stdout.write(f"{path}:{violation}\n")


if __name__ == "__main__":
    _main(sys.argv[1:])
