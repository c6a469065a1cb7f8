"""What is said of mutants is said of code that is there."""

import pytest

from tests.bite.explained import BECOMES, explained
from tests.bite.suite import path_of


@pytest.mark.parametrize("mutant", explained())
def test_an_explained_mutant_is_of_code_that_is_there(mutant: str) -> None:
    module, _, change = mutant.partition(": ")
    was, becomes, now = change.partition(BECOMES)
    assert was != now
    assert becomes
    assert " ".join(was.split()) in " ".join(path_of(f"kubectl_safe.{module}").read_text(encoding="utf-8").split())


def test_every_explanation_says_why() -> None:
    assert all(len(why) > len("nothing") for why in explained().values())
