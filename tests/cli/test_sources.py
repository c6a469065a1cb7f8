"""No source of the tool runs a shell, evaluates text, or reads YAML or pickles that may run code."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import kubectl_safe

SOURCES = sorted(Path(kubectl_safe.__file__).parent.rglob("*.py"))
FORBIDDEN = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "os.system",
    "os.popen",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "asyncio.create_subprocess_shell",
    "yaml.load",
    "yaml.load_all",
    "yaml.full_load",
    "yaml.unsafe_load",
    "yaml.unsafe_load_all",
    "pickle.load",
    "pickle.loads",
    "marshal.loads",
    "shelve.open",
    "tempfile.mktemp",
}
MODULES = {"pickle", "marshal", "shelve"}
RUNNING = {"run", "Popen", "call", "check_call", "check_output"}


def faults(text: str) -> Iterator[str]:
    """Yield what a source calls that may run what somebody else wrote."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{name.name}" for name in node.names]
            yield from (name for name in names if name in FORBIDDEN or node.module in MODULES)
        elif isinstance(node, ast.Call):
            yield from calls(node)


def calls(node: ast.Call) -> Iterator[str]:
    called = ast.unparse(node.func)
    if called in FORBIDDEN:
        yield f"line {node.lineno}: {called}"
    if any(keyword.arg == "shell" and ast.unparse(keyword.value) != "False" for keyword in node.keywords):
        yield f"line {node.lineno}: {called} with a shell"
    is_run = called in {f"subprocess.{name}" for name in RUNNING}
    if is_run and isinstance(node.args[0], ast.Constant | ast.JoinedStr):
        yield f"line {node.lineno}: {called} of a text"


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(SOURCES[0].parent)))
def test_a_source_runs_nothing_that_somebody_else_wrote(source: Path) -> None:
    assert list(faults(source.read_text())) == []


BAD = [
    "eval(text)",
    "exec(text)",
    "import os\nos.system('ls')",
    "from os import system",
    "import subprocess\nsubprocess.run(['ls'], shell=True)",
    "import subprocess\nsubprocess.run(['ls'], shell=flag)",
    "import subprocess\nsubprocess.run(f'ls {name}')",
    "import yaml\nyaml.load(text, Loader=yaml.Loader)",
    "from yaml import unsafe_load",
    "from pickle import loads",
]


@pytest.mark.parametrize("text", BAD)
def test_what_may_is_found(text: str) -> None:
    assert list(faults(text))


def test_what_may_not_is_let_be() -> None:
    assert list(faults("import subprocess, yaml\nsubprocess.run(['ls'], check=True)\nyaml.safe_load(text)")) == []
