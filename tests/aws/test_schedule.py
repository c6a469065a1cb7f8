"""The rates hold whatever is wished for: virtual time, no threads."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_safe.aws.schedule import Ask, Pause, Schedule, Spread
from kubectl_safe.decide.health import Wish
from kubectl_safe.model.target import Target, account_and_region

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def an_arn(name: str, *, account: str = "123456789012", region: str = "us-east-1") -> str:
    return f"arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/{name}/73e2d6bc24d8a067"


def a_wish(group: str, *, not_before: datetime = NOON) -> dict[str, Wish]:
    return {group: Wish(targets=frozenset({Target(group=group, ip="10.0.0.1", port=80)}), not_before=not_before)}


class NoSpread(Spread):
    """Backoffs as they are."""

    def factor(self) -> float:
        return 1.0


def a_schedule(*wishes: dict[str, Wish]) -> Schedule:
    schedule = Schedule(NoSpread())
    schedule.want({group: wish for one in wishes for group, wish in one.items()})
    return schedule


def asked(step: Ask | Pause) -> str:
    assert isinstance(step, Ask)
    return step.group


WEB, API = an_arn("web"), an_arn("api")


def test_without_wishes_nothing_is_asked() -> None:
    assert a_schedule().next(NOON) == Pause(until=None)


def test_a_group_is_not_asked_before_its_answer_can_be_news() -> None:
    schedule = a_schedule(a_wish(WEB, not_before=NOON + 3 * SECOND))
    assert schedule.next(NOON) == Pause(until=NOON + 3 * SECOND)
    assert asked(schedule.next(NOON + 3 * SECOND)) == WEB


def test_a_group_is_asked_again_after_five_seconds() -> None:
    schedule = a_schedule(a_wish(WEB))
    assert asked(schedule.next(NOON)) == WEB
    assert schedule.next(NOON) == Pause(until=NOON + 5 * SECOND)
    assert asked(schedule.next(NOON + 5 * SECOND)) == WEB
    assert schedule.asked_at(WEB) == NOON + 5 * SECOND


def test_the_five_seconds_count_from_when_a_question_that_was_long_on_its_way_had_arrived() -> None:
    schedule = a_schedule(a_wish(WEB))
    schedule.next(NOON)
    schedule.arrived(WEB, NOON + timedelta(seconds=0.5))
    assert schedule.next(NOON + timedelta(seconds=5)) == Pause(until=NOON + timedelta(seconds=5.5))
    schedule.arrived(WEB, NOON)
    assert schedule.next(NOON + timedelta(seconds=5)) == Pause(until=NOON + timedelta(seconds=5.5))


def test_two_groups_of_an_account_and_region_are_half_a_second_apart() -> None:
    schedule = a_schedule(a_wish(WEB), a_wish(API))
    first = asked(schedule.next(NOON))
    assert schedule.next(NOON) == Pause(until=NOON + SECOND / 2)
    assert {first, asked(schedule.next(NOON + SECOND / 2))} == {WEB, API}


@pytest.mark.parametrize(
    "other",
    [an_arn("web", account="210987654321"), an_arn("web", region="eu-west-1")],
    ids=["another account", "another region"],
)
def test_another_bucket_does_not_wait(other: str) -> None:
    schedule = a_schedule(a_wish(WEB), a_wish(other))
    assert {asked(schedule.next(NOON)), asked(schedule.next(NOON))} == {WEB, other}


def test_the_oldest_answer_comes_first() -> None:
    schedule = a_schedule(a_wish(WEB))
    schedule.next(NOON)
    schedule.want({**a_wish(WEB), **a_wish(API)})
    schedule.next(NOON + SECOND)
    assert asked(schedule.next(NOON + 20 * SECOND)) == WEB


def test_a_throttled_account_is_left_alone_twice_as_long_each_time() -> None:
    schedule, now, pauses = a_schedule(a_wish(WEB), a_wish(API)), NOON, []
    for _ in range(7):
        schedule.throttled(WEB, now)
        step = schedule.next(now)
        assert isinstance(step, Pause)
        assert step.until is not None
        pauses.append((step.until - now).total_seconds())
        now = step.until
    assert pauses == [1, 2, 4, 8, 16, 30, 30]


def test_an_answer_ends_the_backoff() -> None:
    schedule = a_schedule(a_wish(WEB), a_wish(API))
    schedule.throttled(WEB, NOON)
    schedule.throttled(WEB, NOON)
    schedule.answered(API)
    schedule.throttled(WEB, NOON + 10 * SECOND)
    assert schedule.next(NOON + 10 * SECOND) == Pause(until=NOON + 11 * SECOND)


def test_a_wish_that_is_taken_back_is_not_asked() -> None:
    schedule = a_schedule(a_wish(WEB))
    schedule.want({})
    assert schedule.next(NOON) == Pause(until=None)


def test_a_group_that_is_asked_and_wished_for_anew_still_waits() -> None:
    schedule = a_schedule(a_wish(WEB))
    schedule.next(NOON)
    schedule.want({})
    schedule.want(a_wish(WEB))
    assert schedule.next(NOON + SECOND) == Pause(until=NOON + 5 * SECOND)


def test_a_wish_without_targets_is_none() -> None:
    schedule = a_schedule({WEB: Wish(targets=frozenset(), not_before=NOON)})
    assert schedule.next(NOON) == Pause(until=None)


def test_a_group_that_is_asked_about_as_a_whole_needs_no_targets() -> None:
    schedule = a_schedule({WEB: Wish(targets=frozenset(), not_before=NOON, is_whole=True)})
    assert schedule.next(NOON) == Ask(group=WEB, targets=frozenset())


def test_what_is_no_arn_is_refused_where_it_is_wished_for() -> None:
    with pytest.raises(ValueError, match="not a target group's ARN"):
        a_schedule({"web": Wish(targets=frozenset(), not_before=NOON)})


GROUPS = [an_arn(f"g{n}", region=region) for region in ("us-east-1", "eu-west-1") for n in range(6)]
WISHES = st.dictionaries(st.sampled_from(GROUPS), st.integers(-20, 40), max_size=len(GROUPS))
STEPS = st.lists(
    st.tuples(st.one_of(st.none(), WISHES), st.integers(0, 3000), st.sampled_from(["answer", "throttle", "fail"])),
    min_size=1,
    max_size=60,
)


@given(STEPS)
def test_the_rates_hold_whatever_is_wished_for(
    steps: list[tuple[dict[str, int] | None, int, str]],
) -> None:
    schedule, now = Schedule(), NOON
    calls: list[tuple[datetime, str]] = []
    wished: dict[str, Wish] = {}
    for wishes, milliseconds, outcome in steps:
        if wishes is not None:
            wished = {}
            for group, seconds in wishes.items():
                wished |= a_wish(group, not_before=now + seconds * SECOND)
            schedule.want(wished)
        step = schedule.next(now)
        if isinstance(step, Ask):
            assert wished[step.group].not_before <= now
            calls.append((now, step.group))
            if outcome == "throttle":
                schedule.throttled(step.group, now)
            else:
                schedule.answered(step.group)
        else:
            assert step.until is None or step.until > now
        now += timedelta(milliseconds=milliseconds)
    for at, group in calls:
        assert sum(g == group and at <= t < at + 5 * SECOND for t, g in calls) == 1
        in_a_second = Counter(account_and_region(g) for t, g in calls if at <= t < at + SECOND)
        assert max(in_a_second.values()) <= 2


@given(WISHES)
def test_every_wish_is_asked_in_time(wishes: dict[str, int]) -> None:
    schedule, now = Schedule(), NOON
    found: set[str] = set()
    wished: dict[str, Wish] = {}
    for group, seconds in wishes.items():
        wished |= a_wish(group, not_before=NOON + seconds * SECOND)
    schedule.want(wished)
    while len(found) < len(wished) and now < NOON + 60 * SECOND:
        step = schedule.next(now)
        if isinstance(step, Ask):
            found.add(step.group)
        else:
            assert step.until is not None
            now = step.until
    assert found == set(wished)
