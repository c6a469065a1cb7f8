"""The thread asks what is wished for, keeps the latest answers, and never an older one in their place."""

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kubectl_safe.aws.errors import AwsError
from kubectl_safe.aws.poller import Poller
from kubectl_safe.decide.health import Wish
from kubectl_safe.model.target import Role, State, Target, TargetHealth
from tests.aws.conftest import ARN

A, B = (Target(group=ARN, ip=ip, port=8080) for ip in ("10.0.0.1", "10.0.0.2"))
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
HEALTHY = TargetHealth(state=State.HEALTHY, asked_at=LONG_AGO)

Answers = Mapping[Target, TargetHealth]


class Clock:
    """A clock that moves on by more than the pause between two questions whenever it is read."""

    def __init__(self) -> None:
        self._at = LONG_AGO

    def __call__(self) -> datetime:
        self._at += timedelta(seconds=6)
        return self._at


class Api:
    """Answers in turn, the last one again and again."""

    def __init__(self, *answers: Answers | AwsError) -> None:
        self.answers = list(answers)
        self.asked: list[frozenset[Target]] = []
        self.roles: list[Role | None] = []
        self.is_closed = False

    def ask(self, group: str, targets: Collection[Target], role: Role | None) -> Answers:
        assert group == ARN
        self.asked.append(frozenset(targets))
        self.roles.append(role)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, AwsError):
            raise answer
        return {target: health for target, health in answer.items() if target in targets}

    def close(self) -> None:
        self.is_closed = True


def a_wish(*targets: Target, not_before: datetime = LONG_AGO) -> dict[str, Wish]:
    return {ARN: Wish(targets=frozenset(targets), not_before=not_before)}


class Signal:
    """Counts, and lets a test wait for what it expects."""

    def __init__(self) -> None:
        self._changed = threading.Condition()

    def set(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def until(self, is_so: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(is_so, timeout=10)


def test_nothing_is_asked_without_a_wish() -> None:
    api = Api({})
    with Poller(api, signal=Signal(), now=Clock()):
        threading.Event().wait(0.05)
    assert api.asked == []
    assert api.is_closed


def test_an_answer_is_kept_and_wakes_the_run() -> None:
    api, signal = Api({A: HEALTHY}), Signal()
    with Poller(api, signal=signal, now=Clock()) as poller:
        poller.want(a_wish(A))
        signal.until(lambda: poller.health == {A: HEALTHY})
        assert poller.errors == {}
        assert poller.asked_at(ARN) is not None
    assert api.asked[0] == {A}


@pytest.mark.parametrize("later", [{}, {B: HEALTHY}], ids=["of nothing", "of another target"])
def test_a_target_that_an_answer_leaves_out_is_unknown_again(later: Answers) -> None:
    api, signal = Api({A: HEALTHY}, later), Signal()
    with Poller(api, signal=signal, now=Clock()) as poller:
        poller.want(a_wish(A, B))
        signal.until(lambda: poller.health == later)


@pytest.mark.parametrize(
    ("states", "lost"),
    [("unhealthy unhealthy", None), ("healthy unhealthy draining", 1), ("healthy draining healthy", None)],
    ids=["never healthy", "lost", "back"],
)
def test_an_answer_says_since_when_a_target_is_healthy_no_more(states: str, lost: int | None) -> None:
    told = [TargetHealth(state=State(s), asked_at=LONG_AGO + timedelta(n)) for n, s in enumerate(states.split())]
    api, signal = Api(*({A: its} for its in told)), Signal()
    with Poller(api, signal=signal, now=Clock()) as poller:
        poller.want(a_wish(A))
        signal.until(lambda: A in poller.health and poller.health[A].asked_at == told[-1].asked_at)
        assert poller.health[A].lost_at == (None if lost is None else told[lost].asked_at)


def test_what_was_not_asked_for_keeps_its_answer() -> None:
    api, signal = Api({A: HEALTHY, B: HEALTHY}), Signal()
    with Poller(api, signal=signal, now=Clock()) as poller:
        poller.want(a_wish(A))
        signal.until(lambda: A in poller.health)
        poller.want(a_wish(B))
        signal.until(lambda: poller.health == {A: HEALTHY, B: HEALTHY})


@pytest.mark.parametrize("code", ["Throttling", "AccessDenied"])
def test_an_error_is_told_until_the_next_answer(code: str) -> None:
    told: list[Mapping[str, str]] = []

    class Listening(Signal):
        def set(self) -> None:
            told.append(poller.errors)
            super().set()

    api, signal = Api(AwsError("words", code=code), {A: HEALTHY}), Listening()
    poller = Poller(api, signal=signal, now=Clock())
    with poller:
        poller.want(a_wish(A))
        signal.until(lambda: len(told) > 1)
    assert told[:2] == [{ARN: "words"}, {}]


def test_what_came_of_the_last_question_is_told_by_group() -> None:
    error = AwsError("words", code="AccessDenied")
    heard: list[Mapping[str, AwsError | None]] = []

    class Listening(Signal):
        def set(self) -> None:
            heard.append(poller.heard)
            super().set()

    # An answer that says nothing of the target is an answer, too.
    api, signal = Api(error, {}), Listening()
    poller = Poller(api, signal=signal, now=Clock())
    assert poller.heard == {}
    with poller:
        poller.want(a_wish(A))
        signal.until(lambda: len(heard) > 1)
    assert heard[:2] == [{ARN: error}, {ARN: None}]


def test_the_pause_between_questions_counts_from_the_answer_to_the_first_one() -> None:
    class Standing(Clock):
        def __call__(self) -> datetime:
            return self._at

    class Slow(Api):
        def ask(self, group: str, targets: Collection[Target], role: Role | None) -> Answers:
            clock._at = LONG_AGO + timedelta(seconds=0.5)
            return super().ask(group, targets, role)

    clock, signal = Standing(), Signal()
    with Poller(Slow({A: HEALTHY}), signal=signal, now=clock) as poller:
        poller.want(a_wish(A))
        signal.until(lambda: poller.health == {A: HEALTHY})
        assert poller.asked_at(ARN) == LONG_AGO + timedelta(seconds=0.5)


@pytest.mark.parametrize("role", [None, Role(arn="arn:aws:iam::210987654321:role/targets")], ids=["no role", "a role"])
def test_a_group_is_asked_with_the_role_that_is_wished_for(role: Role | None) -> None:
    api, signal = Api({A: HEALTHY}), Signal()
    with Poller(api, signal=signal, now=Clock()) as poller:
        poller.want({ARN: replace(a_wish(A)[ARN], role=role)})
        signal.until(lambda: poller.health == {A: HEALTHY})
    assert set(api.roles) == {role}


def test_it_ends_at_once_while_it_waits() -> None:
    poller = Poller(Api({}), signal=Signal(), now=lambda: LONG_AGO)
    with poller:
        poller.want(a_wish(A, not_before=LONG_AGO + timedelta(days=1)))
    assert not poller._thread.is_alive()
