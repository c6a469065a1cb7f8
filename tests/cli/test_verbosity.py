"""`-v` shows what is asked and answered, on stderr, and never a credential."""

import re

import pytest

from kubectl_safe.model.trace import AWS_TRACE
from tests.cli.conftest import CommandLine, EmptyCluster

FORMS = [["-v", "6"], ["-v=6"], ["-v6"], ["--v=6"], ["--v", "6"]]


@pytest.mark.parametrize("flags", FORMS, ids=" ".join)
def test_the_level_is_given_in_every_form_that_kubectl_takes(safe: CommandLine, flags: list[str]) -> None:
    assert safe("drain", "n", *flags).code == 0
    assert [common.verbosity for common in safe.commons] == [6]


def test_other_flags_of_one_letter_take_an_equals_sign_too(safe: CommandLine) -> None:
    assert safe("rollout", "restart", "deploy", "-n=other", "-l=app=web").code == 0
    [request] = safe.requests
    assert request.namespace == "other"
    assert request.selector.matches({"app": "web"})


def test_each_request_is_a_line_on_stderr(empty_cluster: EmptyCluster) -> None:
    ended = empty_cluster("rollout", "restart", "deploy/web", "-n", "shop", "-v=6")
    *lines, error = ended.err.splitlines()
    assert error.startswith("Error from server (NotFound): ")
    asked = re.escape(f"GET {empty_cluster.server.url}/api/v1/namespaces/shop/pods?limit=500")
    assert any(re.fullmatch(rf"{asked} 200 OK in \d+ milliseconds", line) for line in lines)
    assert any("watch=true" in line for line in lines)
    assert all(re.match(r"(GET|POST) http://.* in \d+ milliseconds$", line) for line in lines)
    assert ended.out == ""


@pytest.mark.parametrize("level", range(11))
def test_the_token_is_shown_at_no_level(empty_cluster: EmptyCluster, level: int) -> None:
    ended = empty_cluster("drain", "node-1", f"-v={level}")
    assert "a-token-of-an-admin" not in ended.err + ended.out
    assert ("Authorization: Bearer <masked>" in ended.err) is (level >= 7)
    assert ('Response Body: {"metadata"' in ended.err) is (level >= 8)
    assert ("GET http://" in ended.err) is (level >= 6)


def test_after_a_run_nobody_sees_what_is_asked_of_aws(empty_cluster: EmptyCluster) -> None:
    empty_cluster("drain", "node-1", "-v=6")
    assert AWS_TRACE.get() is None
