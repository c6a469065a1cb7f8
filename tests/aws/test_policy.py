"""The IAM policy is the smallest: all that AWS is asked for is in it, and the lack of each part is noticed."""

import ast
import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import kubectl_safe.aws
from kubectl_safe.aws.errors import AwsError
from kubectl_safe.aws.health import TargetHealthApi
from kubectl_safe.decide.roles import ASSUME_ROLE, CROSS_ZONE
from kubectl_safe.model.target import Role, Target, TargetGroup
from kubectl_safe.render.rbac import policy
from kubectl_safe.sandbox.elbv2_api import Elbv2Api
from kubectl_safe.sandbox.elbv2_faults import access_denied, refusing
from tests.aws.conftest import NOON
from tests.support.rig import PORT, Targets, some_targets

ACCOUNT = "210987654321"
ROLE = Role(arn=f"arn:aws:iam::{ACCOUNT}:role/targets", external_id="42")
ACTIONS = [action for statement in json.loads(policy([ROLE.arn]))["Statement"] for action in statement["Action"]]
DESCRIBING = [action for action in ACTIONS if action != ASSUME_ROLE]


@pytest.fixture(autouse=True)
def unpaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubectl_safe.aws.client.BETWEEN_CALLS", timedelta(0))


def calls() -> Iterator[ast.Call]:
    """Yield every call of a method in the code that speaks to AWS."""
    for file in Path(kubectl_safe.aws.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield node


def test_all_operations_in_the_code_are_allowed_and_no_others() -> None:
    operations = [node.args[1] for node in calls() if node.func.attr == "call"]  # type: ignore[attr-defined]
    named = {its.value for its in operations if isinstance(its, ast.Constant)}
    assert len(operations) == len([its for its in operations if isinstance(its, ast.Constant)])
    assert {"elasticloadbalancing:" + "".join(str(n).title().split("_")) for n in named} == set(DESCRIBING)


def test_no_other_service_has_a_client() -> None:
    services = {ast.literal_eval(node.args[0]) for node in calls() if node.func.attr == "client"}  # type: ignore[attr-defined]
    assert services == {"elbv2", "sts"}


def test_all_that_is_allowed_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    found, asked = everything_asked(monkeypatch)
    assert found == []
    assert {f"elasticloadbalancing:{action}" for action in asked} == set(DESCRIBING)


@pytest.mark.parametrize("action", ACTIONS)
def test_the_lack_of_each_action_is_noticed(monkeypatch: pytest.MonkeyPatch, action: str) -> None:
    found, _ = everything_asked(monkeypatch, denied=action)
    if action in CROSS_ZONE:
        assert found == ["each zone needs a target of its own"]
    else:
        assert found
        assert all(told.startswith(action) for told in found), found


def everything_asked(monkeypatch: pytest.MonkeyPatch, *, denied: str = "") -> tuple[list[str], set[str]]:
    """Ask for all there is to know of a group behind a Network Load Balancer; return what went wrong, and the calls."""

    async def scenario() -> tuple[list[str], set[str]]:
        group: dict[str, Any] = {"protocol": "TCP", "account": ACCOUNT, "crosses_zones": True}
        async with some_targets(1, **group) as targets, Elbv2Api(targets.elbv2) as aws:
            monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
            if denied != ASSUME_ROLE:
                targets.elbv2.roles[ROLE.arn] = ROLE.external_id
            targets.elbv2.fault = refusing(access_denied, action=denied.partition(":")[2] or "nothing")
            before = len(targets.elbv2.journal)
            found = await asyncio.to_thread(_ask, targets)
            return found, {call.action for call in targets.elbv2.journal[before:]}

    return asyncio.run(scenario())


def _ask(targets: Targets) -> list[str]:
    api = TargetHealthApi(profile=None, region_override=None, now=lambda: NOON)
    arn = targets.group.arn
    [ip] = [target.id for target in targets.servers]
    try:
        settings = api.groups({arn: ROLE})[arn]
        found = [str(settings)] if isinstance(settings, AwsError) else []
        if isinstance(settings, TargetGroup) and settings.is_zonal:
            found.append("each zone needs a target of its own")
        api.ask(arn, {Target(group=arn, ip=ip, port=PORT)}, ROLE)
    except AwsError as error:
        found.append(str(error))
    finally:
        api.close()
    return found
