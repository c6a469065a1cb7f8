"""Each condition that holds back a step is claimed by a test, which breaks without it."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.bite.conditions import Condition, conditions
from tests.bite.suite import Question, Suite

CONDITIONS = conditions()


@pytest.fixture(scope="module")
def suite() -> Iterator[Suite]:
    with Suite() as running:
        yield running


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def test_without_the_condition_a_test_breaks(condition: Condition, suite: Suite) -> None:
    source = condition.source.replace(condition.fragment, condition.without)
    answer = suite.run(Question(tests=[condition.tests], module=condition.module, source=source))
    assert answer.broken, f"nothing claims that {condition.holds_back}"
    assert not answer.crash, f"without it the code does not run: {answer.crash} in {answer.broken}"


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def test_the_condition_is_found_in_the_code_and_nowhere_else(condition: Condition) -> None:
    assert condition.source.count(condition.fragment) == 1
    assert condition.fragment != condition.without
    assert condition.holds_back


def test_with_every_condition_in_its_place_the_same_tests_pass(suite: Suite) -> None:
    files = sorted({condition.tests for condition in CONDITIONS})
    assert all(file.startswith(("tests/decide/", "tests/model/")) for file in files)
    assert not suite.run(Question(tests=files)).broken
    module = CONDITIONS[0].module
    assert not suite.run(Question(tests=files, module=module, source=CONDITIONS[0].source)).broken


def test_no_two_conditions_have_one_name() -> None:
    assert [name for name, count in Counter(map(str, CONDITIONS)).items() if count > 1] == []


def test_the_list_is_long_enough_to_mean_something() -> None:
    assert len(CONDITIONS) >= 100
