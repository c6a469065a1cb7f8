"""What selectors select, as the API server has it."""

import pytest

from kubectl_safe.model.budget import Budget
from kubectl_safe.model.selector import Labels, LabelSelector, Operator, Requirement
from kubectl_safe.model.target import account_and_region, group_name
from kubectl_safe.model.workload import resolve
from tests.support.builders import a_budget, a_service, arn


def needs(key: str, operator: Operator, *values: str) -> LabelSelector:
    return LabelSelector(
        match_labels={}, match_expressions=(Requirement(key=key, operator=operator, values=frozenset(values)),)
    )


ROWS = [
    pytest.param(LabelSelector(match_labels={}), {}, True, id="an empty selector selects everything"),
    pytest.param(LabelSelector(match_labels={"a": "1"}), {"a": "1", "b": "2"}, True, id="other labels don't matter"),
    pytest.param(LabelSelector(match_labels={"a": "1", "b": "2"}), {"a": "1"}, False, id="all pairs must be there"),
    pytest.param(needs("a", Operator.IN, "1", "2"), {"a": "2"}, True, id="In"),
    pytest.param(needs("a", Operator.IN, "1"), {}, False, id="In fails where the key is absent"),
    pytest.param(needs("a", Operator.NOT_IN, "1"), {"a": "1"}, False, id="NotIn"),
    pytest.param(needs("a", Operator.NOT_IN, "1"), {}, True, id="NotIn holds where the key is absent"),
    pytest.param(needs("a", Operator.EXISTS), {"a": ""}, True, id="Exists, whatever the value"),
    pytest.param(needs("a", Operator.DOES_NOT_EXIST), {"a": ""}, False, id="DoesNotExist"),
    pytest.param(needs("a", Operator.MORE_THAN, "9"), {"a": "10"}, True, id="Gt compares numbers"),
    pytest.param(needs("a", Operator.MORE_THAN, "9"), {"a": "9"}, False, id="Gt fails where both are the same"),
    pytest.param(needs("a", Operator.MORE_THAN, "9"), {"a": "b"}, False, id="a word is more than no number"),
    pytest.param(needs("a", Operator.LESS_THAN, "10"), {"a": "9"}, True, id="Lt"),
    pytest.param(needs("a", Operator.LESS_THAN, "10"), {"a": "10"}, False, id="Lt fails where both are the same"),
    pytest.param(needs("a", Operator.LESS_THAN, "10"), {}, False, id="an absent key is less than no number"),
    pytest.param(needs("a", Operator.DOES_NOT_EXIST), {}, True, id="DoesNotExist holds where the key is absent"),
]


@pytest.mark.parametrize(("selector", "labels", "expected"), ROWS)
def test_a_label_selector(selector: LabelSelector, labels: Labels, expected: bool) -> None:
    assert selector.matches(labels) is expected


def test_operators_are_called_as_the_api_has_it() -> None:
    assert [operator.value for operator in Operator] == ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]


def test_a_service_with_an_empty_selector_selects_no_pod() -> None:
    assert not a_service(selector={}).selects("shop", {"app": "web"})


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        pytest.param(a_budget(), True, id="its labels"),
        pytest.param(a_budget(selector={}), True, id="an empty selector selects its whole namespace"),
        pytest.param(a_budget(selector={}, namespace="other"), False, id="but no other"),
    ],
)
def test_a_budget(budget: Budget, expected: bool) -> None:
    assert budget.selects("shop", {"app": "web"}) is expected


def test_a_budget_without_a_selector_selects_nothing() -> None:
    budget = Budget(
        namespace="shop", name="b", selector=None, disruptions_allowed=1, current_healthy=1, desired_healthy=0
    )
    assert not budget.selects("shop", {"app": "web"})


@pytest.mark.parametrize(
    ("value", "total", "count"),
    [(2, 6, 2), ("100%", 200, 200), ("25%", 6, 2), ("0%", 6, 0), ("100%", 6, 6), ("25%", 0, 0)],
)
def test_a_percentage_of_pods_is_rounded_up(value: int | str, total: int, count: int) -> None:
    assert resolve(value, total) == count


def test_an_arn_names_its_group_its_account_and_its_region() -> None:
    assert group_name(arn("blue")) == "blue"
    assert account_and_region(arn()) == ("123456789012", "eu-west-1")


@pytest.mark.parametrize(
    "text",
    [
        *("", "web", "arn", "arn:aws:s3:::bucket", "arn:aws:elasticloadbalancing:eu-west-1"),
        "urn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/73e2d6bc24d8a067",
    ],
)
def test_what_is_no_arn_of_a_group_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a target group's ARN"):
        account_and_region(text)
