"""A shell's script is found among its arguments, and taken apart where one command ends."""

import pytest

from kubectl_safe.model.script import commands_in, script_of


@pytest.mark.parametrize(
    ("command", "script"),
    [
        (["sh", "-c", "sleep 5"], "sleep 5"),
        (["/bin/sh", "-ec", "sleep 5"], "sleep 5"),
        (["bash", "-x", "-c", "sleep 5"], "sleep 5"),
        (["sh", "-c", "sleep 5", "its-name", "its-argument"], "sleep 5"),
        (["sh", "/stop.sh"], None),
        (["sh", "-c"], None),
        (["python", "-c", "print()"], None),
        (["sleep", "5"], None),
        ([], None),
    ],
)
def test_a_script_follows_the_flag_that_takes_it(command: list[str], script: str | None) -> None:
    assert script_of(command) == script


@pytest.mark.parametrize(
    ("script", "commands"),
    [
        ("sleep 5", ["sleep 5"]),
        ("nginx -s quit && sleep 5", ["nginx -s quit", "sleep 5"]),
        ("a; b | c || d\n e ;", ["a", "b", "c", "d", "e"]),
        (" ", []),
    ],
)
def test_commands_end_where_a_shell_ends_them(script: str, commands: list[str]) -> None:
    assert commands_in(script) == commands
