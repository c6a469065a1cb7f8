"""Command lines are shown without what is secret in them, and with all else."""

import json

import pytest

from kubectl_safe.model.masking import MASKED, mask_arguments, mask_body, mask_headers, mask_known
from tests.support.builders import NOW

ROWS = [
    pytest.param(["--token", "x", "--name", "y"], ["--token", MASKED, "--name", "y"], id="a value after its flag"),
    pytest.param(["--token=x", "y"], [f"--token={MASKED}", "y"], id="a value beside its flag, and no other"),
    pytest.param(["--token", "--name", "y"], ["--token", "--name", "y"], id="no flag is a value"),
    pytest.param(["--name=token", "y"], ["--name=token", "y"], id="no flag by its value"),
    pytest.param(["token", "y"], ["token", "y"], id="nothing by a word that is no flag"),
    pytest.param(
        ["--name", "https://me:x@host"], ["--name", f"https://{MASKED}@host"], id="what a value's shape tells"
    ),
    pytest.param(["--url=https://me:x@host"], [f"--url=https://{MASKED}@host"], id="also beside a flag"),
    pytest.param(["--password", "x", "y"], ["--password", MASKED, "y"], id="one value of a flag"),
    pytest.param(["token=x y"], [f"token={MASKED} y"], id="one word after a name that is no flag"),
    pytest.param([], [], id="nothing of nothing"),
]


@pytest.mark.parametrize(("arguments", "shown"), ROWS)
def test_of_a_command_line_is_masked(arguments: list[str], shown: list[str]) -> None:
    assert mask_arguments(arguments) == shown


URL = "https://127.0.0.1:6443/api/v1/namespaces/shop/pods/web-1"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        pytest.param(
            {"token": 7, "password": None, "secret": True},
            {"token": MASKED, "password": None, "secret": True},
            id="a number",
        ),
        pytest.param(
            {"token": {"data": "x"}}, {"token": {"data": "x"}}, id="not what an object of that name refers to"
        ),
        pytest.param(
            {"kind": "Secret", "data": None}, {"kind": "Secret", "data": None}, id="not that a Secret is empty"
        ),
        pytest.param(
            {"kind": "Secret", "data": {"a": "x"}, "type": "Opaque"},
            {"kind": "Secret", "data": {"a": MASKED}, "type": "Opaque"},
            id="not the names of a Secret's values",
        ),
        pytest.param(
            {"name": "TOKEN", "value": "x", "valueFrom": "y"},
            {"name": "TOKEN", "value": MASKED, "valueFrom": "y"},
            id="the value of a variable",
        ),
        pytest.param({"name": 7, "value": "x"}, {"name": 7, "value": "x"}, id="not of one without a name"),
        pytest.param(
            {"kind": "ConfigMap", "data": {"a": "{x"}},
            {"kind": "ConfigMap", "data": {"a": "{x"}},
            id="not what only begins like JSON",
        ),
        pytest.param({"value": "x"}, {"value": "x"}, id="not a value without a name"),
        pytest.param(
            {"name": "COLOR", "value": "x"}, {"name": "COLOR", "value": "x"}, id="not the value of another variable"
        ),
        pytest.param(
            {"a": '{"data": {"b": "x"}}'},
            {"a": '{"data": {"b": "x"}}'},
            id="not the data of what is not said to be one",
        ),
        pytest.param({"at": NOW}, {"at": str(NOW)}, id="not what JSON has no word for"),
        pytest.param(
            {"a": '[{"name": "TOKEN", "value": "x"}]'},
            {"a": f'[{{"name": "TOKEN", "value": "{MASKED}"}}]'},
            id="a list in a text",
        ),
    ],
)
def test_of_a_body_is_masked(body: dict[str, object], shown: dict[str, object]) -> None:
    assert json.loads(mask_body(body, about=URL)) == shown


def test_what_is_masked_is_seen_to_be() -> None:
    assert MASKED == "<masked>"


def test_nothing_is_shown_of_an_object_that_holds_itself() -> None:
    body: dict[str, object] = {}
    body["again"] = body
    assert mask_body(body, about=URL) == ""


def test_a_body_that_is_no_json_is_masked_as_a_text() -> None:
    assert mask_body(b"\xff password=x", about=URL) == f"\ufffd password={MASKED}"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        pytest.param("Authorization", "Bearer a b", "Bearer <masked>", id="all but a scheme"),
        pytest.param("Proxy-Authorization", "Basic a", "Basic <masked>", id="also for a proxy"),
        pytest.param("Authorization", "abc", "<masked>", id="all where there is no scheme"),
        pytest.param("Cookie", "a=b c=d", "<masked>", id="all of what has no scheme"),
        pytest.param("Accept", "a b", "a b", id="nothing of another header"),
    ],
)
def test_of_a_header_is_masked(name: str, value: str, shown: str) -> None:
    assert mask_headers({name: value}) == {name: shown}


REPEATED = [
    (["drain", "n", "--token", "hunter2-hunter2"], "no hunter2-hunter2 here", "no <masked> here"),
    (["drain", "n", "--token=hunter2-hunter2"], "'hunter2-hunter2'", "'<masked>'"),
    (["drain", "n", "--token=short"], "short of memory", "short of memory"),
    (["drain", "n", "--context", "hunter2-hunter2"], "hunter2-hunter2", "hunter2-hunter2"),
    ([], "anything", "anything"),
]


@pytest.mark.parametrize(("arguments", "text", "masked"), REPEATED)
def test_what_a_command_line_names_is_masked_wherever_it_is_repeated(
    arguments: list[str], text: str, masked: str
) -> None:
    assert mask_known(text, arguments) == masked
