"""A command in the background can be listened to while it runs."""

import os
import signal
import sys
import time

import pytest

from tests.support.background import in_background

SPEAKS = """
import sys, time
print("first", flush=True)
sys.stderr.write("warning: second\\n" + "x" * 300_000 + "\\n"); sys.stderr.flush()
sys.stdout.write("half a line"); sys.stdout.flush()
time.sleep(60)
"""


def speaking(script: str) -> list[str]:
    return [sys.executable, "-c", script]


def test_both_outputs_are_there_while_it_runs_however_much_it_says() -> None:
    with in_background(speaking(SPEAKS), dict(os.environ)) as running:
        assert running.await_line("second", seconds=15) == "warning: second"
        assert running.await_line("x" * 300_000, seconds=15)
        assert running.stdout.startswith("first\n")
        assert running.process.poll() is None
        os.kill(running.pid, signal.SIGTERM)
        assert running.wait(15) == -signal.SIGTERM
    assert (running.stdout, running.stderr[:15]) == ("first\nhalf a line", "warning: second")


def test_a_line_is_waited_for_until_it_is_whole() -> None:
    with in_background(speaking(SPEAKS), dict(os.environ)) as running:
        running.await_line("first", seconds=15)
        with pytest.raises(AssertionError, match=r"0\.3 s went by without 'half a line'"):
            running.await_line("half a line", seconds=0.3)


def test_a_line_that_never_came_is_told_at_the_end_with_all_that_was_said() -> None:
    began = time.monotonic()
    with (
        in_background(speaking("print('only this'); raise SystemExit(3)"), dict(os.environ)) as running,
        pytest.raises(AssertionError, match="it ended with 3 without 'other'; it said:\nonly this"),
    ):
        running.await_line("other", seconds=60)
    assert time.monotonic() - began < 30


def test_what_still_runs_at_the_end_of_the_context_is_killed() -> None:
    with in_background(speaking(SPEAKS), dict(os.environ)) as running:
        running.await_line("first", seconds=15)
    assert running.process.returncode == -signal.SIGKILL
