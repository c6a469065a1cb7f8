"""Before the first write each target group has answered, or the command is refused; or goes by gates, where told to."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kubectl_safe.aws.errors import AwsError
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.service import ServicePort
from kubectl_safe.model.target import Role
from tests.run.aws import GROUPS, Aws, connect, denied
from tests.run.conftest import OpenSession
from tests.run.world import Heard, World, a_world
from tests.support.builders import NOW, a_binding, a_deployment, a_pod, a_service, a_target, arn, uid

THROTTLED = AwsError("elasticloadbalancing:DescribeTargetHealth on target group web: Throttling", code="Throttling")
GONE = AwsError("target group web: TargetGroupNotFound", code="TargetGroupNotFound")
ALLOWED = Settings(allow=frozenset({"unseen-targets"}), drain_wait=timedelta(minutes=5))
REMEDY = "or go by readiness gates alone: --allow unseen-targets --drain-wait"


def a_balanced_world(*groups: str, **changes: object) -> World:
    """Return a world whose Service is bound to these target groups."""
    names = groups or ("web",)
    world = a_world(bindings=tuple(a_binding(name, service="web") for name in names), **changes)
    gates = {f"target-health.elbv2.k8s.aws/{name}": True for name in names}
    world.add(*(a_pod(pod.name, gates=gates) for pod in list(world.pods.values())))
    return world


def an_intent(world: World, settings: Settings | None = None) -> Intent:
    """Return the intent to hand over all pods."""
    workload = reference_to(a_deployment())
    pods = (Planned(uid=p.uid, namespace="shop", name=p.name, node="", workload=workload) for p in world.pods.values())
    return Intent(pods=tuple(pods), settings=settings or Settings())


def test_each_group_is_asked_once_before_the_first_write(open_session: OpenSession) -> None:
    world = a_balanced_world("web", "other")
    aws = Aws(world)
    session = connect(aws, open_session(world, Heard()))
    session.prepare(an_intent(world), [])
    assert aws.asked_for_settings == [["other", "web"]]
    assert sorted(aws.asked_for_health) == ["other", "web"]
    assert {target.ip for target in aws.health} == {pod.ips[0] for pod in world.pods.values()}
    assert session.observer.groups.keys() == {arn("web"), arn("other")}
    assert session.observer.look().unseen == frozenset()


def test_what_is_taken_for_granted_of_zones_is_told(open_session: OpenSession) -> None:
    world, heard = a_balanced_world("web", "other"), Heard()
    connect(Aws(world, zones_unknown={"web": "AccessDenied: no"}), open_session(world, heard)).check(an_intent(world))
    told = "target group web is taken to keep requests within zones, as its load balancer can't be asked"
    assert heard.warnings == [f"Warning: {told}: AccessDenied: no"]


def test_the_targets_of_pods_that_stay_are_asked_for_too(open_session: OpenSession) -> None:
    world = a_balanced_world()
    aws = Aws(world)
    intent = an_intent(world)
    connect(aws, open_session(world, Heard())).check(replace(intent, pods=intent.pods[:1]))
    assert aws.health.keys() == {a_target(f"web-{n}") for n in (1, 2, 3)}


def test_pods_whose_deployment_is_gone_have_their_groups_asked_as_well(open_session: OpenSession) -> None:
    world = a_balanced_world(workloads={})
    aws = Aws(world)
    connect(aws, open_session(world, Heard())).check(an_intent(world))
    assert aws.asked_for_settings == [["web"]]


def test_groups_of_later_pods_are_asked_when_they_come_and_no_other_again(open_session: OpenSession) -> None:
    world = a_balanced_world()
    aws = Aws(world)
    session = connect(aws, open_session(world, Heard()))
    session.check(an_intent(world))
    session.check(an_intent(world))
    world.bindings += (a_binding("late", service="web"),)
    session.check(an_intent(world))
    assert aws.asked_for_settings == [["web"], ["late"]]
    assert aws.asked_for_health == ["web", "late"]
    assert session.observer.groups.keys() == {arn("web"), arn("late")}


@pytest.mark.parametrize("code", ["AccessDenied", "ExpiredToken", "NoCredentialsError", "InvalidClientTokenId"])
def test_without_rights_or_credentials_the_command_is_refused_at_once(open_session: OpenSession, code: str) -> None:
    world, heard = a_balanced_world(), Heard()
    error = denied(code=code)
    with pytest.raises(KubectlSafeError) as raised:
        connect(Aws(world, health_errors={"web": error}), open_session(world, heard)).prepare(an_intent(world), [])
    assert str(raised.value) == f"nothing was changed: {error}, {REMEDY} 5m"
    assert (world.tried, heard.plans, heard.warnings) == ([], [], [])
    assert (world.at - NOW).total_seconds() == 1


def test_the_wait_that_is_suggested_is_the_delay_where_that_is_known(open_session: OpenSession) -> None:
    world = a_balanced_world()
    aws = Aws(world, health_errors={"web": denied()}, delay=600)
    with pytest.raises(KubectlSafeError, match=f"{REMEDY} 10m$"):
        connect(aws, open_session(world, Heard())).prepare(an_intent(world), [])


def test_without_the_right_to_settings_nothing_else_is_asked(open_session: OpenSession) -> None:
    world = a_balanced_world()
    aws = Aws(world, settings_errors={"web": denied(GROUPS)})
    with pytest.raises(KubectlSafeError, match=r"^nothing was changed: elasticloadbalancing:DescribeTargetGroups on"):
        connect(aws, open_session(world, Heard())).prepare(an_intent(world), [])
    assert aws.asked_for_health == []


def test_each_group_that_may_not_be_asked_is_told(open_session: OpenSession) -> None:
    world = a_balanced_world("web", "other", "third")
    errors = {name: denied(group=name) for name in ("web", "other")}
    with pytest.raises(KubectlSafeError) as raised:
        connect(Aws(world, health_errors=errors), open_session(world, Heard())).prepare(an_intent(world), [])
    assert str(raised.value) == f"nothing was changed: {errors['other']}\n{errors['web']}, {REMEDY} 5m"


def test_what_is_impossible_is_told_before_aws_is_asked(open_session: OpenSession) -> None:
    world = a_balanced_world()
    world.bindings = (a_binding(group=""),)
    aws = Aws(world)
    with pytest.raises(KubectlSafeError, match="has neither targetGroupARN nor targetGroupName"):
        connect(aws, open_session(world, Heard())).prepare(an_intent(world), [])
    assert aws.asked_for_settings == []


ROLE = Role(arn="arn:aws:iam::210987654321:role/targets")


def test_a_group_is_asked_with_the_role_of_its_binding(open_session: OpenSession) -> None:
    world = a_balanced_world("web", "other")
    web, other = world.bindings
    world.bindings = (replace(web, role=ROLE), other)
    aws = Aws(world)
    connect(aws, open_session(world, Heard())).check(an_intent(world))
    assert aws.roles == {arn("web"): ROLE, arn("other"): None}
    assert aws.asked_with == {"web": ROLE, "other": None}


def test_a_group_that_is_only_named_is_looked_up_before_it_is_asked(open_session: OpenSession) -> None:
    world = a_balanced_world("web", "other")
    web, other = world.bindings
    world.bindings = (replace(web, group="web", role=ROLE), other)
    aws = Aws(world)
    session = connect(aws, open_session(world, Heard()))
    session.prepare(an_intent(world), [])
    assert (aws.asked_for_names, aws.near) == ([["web"]], [[arn("other")]])
    assert aws.asked_for_settings == [["other", "web"]]
    assert aws.asked_with == {"web": ROLE, "other": None}
    assert [b.group for b in session.observer.look().bindings] == [arn("web"), arn("other")]
    session.check(an_intent(world))
    assert len(aws.asked_for_names) == 1


def test_what_depends_on_a_type_that_is_not_told_is_not_refused_before_aws_was_asked(open_session: OpenSession) -> None:
    # A UDP port that nodes lead to would be cut; one of ip targets is not.
    port = ServicePort(name="http", port=80, target_port=8080, protocol="UDP")
    world = a_balanced_world(services=(a_service(ports=(port,)),))
    world.bindings = (replace(world.bindings[0], target_type=""),)
    session = connect(Aws(world), open_session(world, Heard()))
    session.prepare(an_intent(world), [])


def test_a_binding_that_does_not_tell_its_type_is_refused_where_that_is_neither_ip_nor_instance(
    open_session: OpenSession,
) -> None:
    world = a_balanced_world()
    world.bindings = (replace(world.bindings[0], target_type=""),)
    aws = Aws(world, target_type="alb")
    with pytest.raises(KubectlSafeError, match=r"^Blocked\(unseen-load-balancer\): targetgroupbinding shop/web"):
        connect(aws, open_session(world, Heard())).prepare(an_intent(world), [])
    assert aws.asked_for_names == [["web"]]


@pytest.mark.parametrize("error", [denied(GROUPS), GONE], ids=["denied", "not there"])
def test_a_name_that_can_not_be_resolved_is_told_in_aws_s_words(open_session: OpenSession, error: AwsError) -> None:
    world = a_balanced_world()
    world.bindings = (replace(world.bindings[0], group="web"),)
    aws = Aws(world, name_errors={"web": error})
    with pytest.raises(KubectlSafeError) as raised:
        connect(aws, open_session(world, Heard())).prepare(an_intent(world, ALLOWED), [])
    assert str(raised.value) == (
        "nothing was changed: targetgroupbinding shop/web tells no targetGroupARN, and AWS does not tell it either: "
        f"{error}"
    )
    assert aws.asked_for_settings == []


def test_a_name_is_waited_for_while_aws_is_throttled(open_session: OpenSession) -> None:
    world, heard = a_balanced_world(), Heard()
    world.bindings = (replace(world.bindings[0], group="web"),)
    aws = Aws(world, name_errors={"web": THROTTLED})
    world.after(12, aws.name_errors.clear)
    connect(aws, open_session(world, heard)).prepare(an_intent(world), [])
    assert heard.warnings == [f"Warning: AWS is waited for, up to 1m: {THROTTLED}"]
    assert len(heard.plans) == 1


def test_a_binding_that_comes_later_with_a_name_only_is_not_guessed(open_session: OpenSession) -> None:
    world = a_balanced_world()
    session = connect(Aws(world), open_session(world, Heard()))
    session.check(an_intent(world))
    world.bindings += (a_binding("late", service="web", group="late"),)
    snapshot = session.observer.look()
    [late] = [t for t in snapshot.targets_of(snapshot.pods[uid("web-1")]) if t.group != arn("web")]
    assert late.group == "late"
    assert "run the same command again" in snapshot.stale_health["late"]


def test_the_role_of_a_binding_that_is_gone_is_remembered(open_session: OpenSession) -> None:
    world = a_balanced_world()
    world.bindings = (replace(world.bindings[0], role=ROLE),)
    session = connect(Aws(world), open_session(world, Heard()))
    session.check(an_intent(world))
    world.bindings = ()
    assert session.observer.look().roles_by_group == {arn("web"): ROLE}


def test_where_allowed_a_group_that_may_not_be_asked_is_unseen_and_not_asked_again(open_session: OpenSession) -> None:
    world, heard = a_balanced_world("web", "other"), Heard()
    aws = Aws(world, health_errors={"web": denied()})
    session = connect(aws, open_session(world, heard))
    session.prepare(an_intent(world, ALLOWED), [])
    assert session.observer.look().unseen == {arn("web")}
    assert len(heard.plans) == 1
    world.wait(60)
    assert aws.asked_for_health.count("web") == 1


def test_settings_that_may_not_be_known_fall_away(open_session: OpenSession) -> None:
    world = a_balanced_world("web", "other")
    aws = Aws(world, settings_errors={"web": denied(GROUPS)}, health_errors={"web": denied()})
    session = connect(aws, open_session(world, Heard()))
    session.prepare(an_intent(world, ALLOWED), [])
    assert session.observer.look().groups.keys() == {arn("other")}
    assert session.observer.look().unseen == {arn("web")}


def test_a_group_whose_health_may_be_asked_is_seen_whatever_is_known_of_its_settings(open_session: OpenSession) -> None:
    world = a_balanced_world()
    session = connect(Aws(world, settings_errors={"web": denied(GROUPS)}), open_session(world, Heard()))
    session.prepare(an_intent(world, ALLOWED), [])
    assert session.observer.look().unseen == frozenset()


def test_gates_that_are_not_there_are_told_before_the_first_write(open_session: OpenSession) -> None:
    world = a_balanced_world()
    world.add(a_pod("web-2", gates={}))
    session = connect(Aws(world, health_errors={"web": denied()}), open_session(world, Heard()))
    with pytest.raises(KubectlSafeError, match=r"^Blocked\(unseen-targets\): pod shop/web-2 has no readiness gate"):
        session.prepare(an_intent(world, ALLOWED), [])
    assert world.tried == []


def test_a_group_that_is_denied_half_way_is_not_unseen(open_session: OpenSession) -> None:
    world = a_balanced_world()
    aws = Aws(world)
    session = connect(aws, open_session(world, Heard()))
    session.prepare(an_intent(world, ALLOWED), [])
    aws.heard = {arn("web"): denied()}
    session.check(an_intent(world, ALLOWED))
    assert session.observer.look().unseen == frozenset()
    assert session.observer.look().stale_health == {arn("web"): str(denied())}


@pytest.mark.parametrize("step", ["settings", "health"])
def test_a_throttled_aws_is_waited_for_with_a_word(open_session: OpenSession, step: str) -> None:
    world, heard = a_balanced_world(), Heard()
    aws = Aws(world)
    errors = aws.settings_errors if step == "settings" else aws.health_errors
    errors["web"] = THROTTLED
    world.after(42, errors.clear)
    connect(aws, open_session(world, heard)).prepare(an_intent(world), [])
    assert 42 <= (world.at - NOW).total_seconds() <= 50
    assert heard.warnings == [f"Warning: AWS is waited for, up to 1m: {THROTTLED}"]
    assert len(heard.plans) == 1


@pytest.mark.parametrize("step", ["settings", "health"])
def test_a_throttled_aws_is_not_waited_for_without_end(open_session: OpenSession, step: str) -> None:
    world, heard = a_balanced_world(), Heard()
    errors = {"web": THROTTLED}
    aws = Aws(world, settings_errors=errors) if step == "settings" else Aws(world, health_errors=errors)
    with pytest.raises(KubectlSafeError, match=f"^nothing was changed: {THROTTLED}; AWS was waited for"):
        connect(aws, open_session(world, heard)).prepare(an_intent(world, ALLOWED), [])
    assert 60 <= (world.at - NOW).total_seconds() <= 65
    assert world.tried == []


def test_an_aws_that_says_nothing_is_not_waited_for_without_end(open_session: OpenSession) -> None:
    world = a_balanced_world()
    with pytest.raises(KubectlSafeError, match="target group web did not answer within 1m; AWS was waited for"):
        connect(Aws(world, silent={"web"}), open_session(world, Heard())).prepare(an_intent(world), [])


def test_many_groups_may_take_their_time_one_after_the_other(open_session: OpenSession) -> None:
    world = a_balanced_world("web", "other")
    aws = Aws(world, silent={"web", "other"})
    world.after(50, lambda: aws.silent.discard("other"))
    world.after(50, lambda: aws.want({}))
    world.after(100, lambda: aws.silent.discard("web"))
    world.after(100, lambda: aws.want({}))
    connect(aws, open_session(world, Heard())).prepare(an_intent(world), [])
    assert (world.at - NOW).total_seconds() >= 100


@pytest.mark.parametrize("step", ["settings", "health"])
def test_a_group_that_is_gone_is_not_waited_for(open_session: OpenSession, step: str) -> None:
    world = a_balanced_world()
    errors = {"web": GONE}
    aws = Aws(world, settings_errors=errors) if step == "settings" else Aws(world, health_errors=errors)
    with pytest.raises(KubectlSafeError, match=f"^nothing was changed: {GONE}$"):
        connect(aws, open_session(world, Heard())).prepare(an_intent(world, ALLOWED), [])
    assert (world.at - NOW).total_seconds() <= 1
