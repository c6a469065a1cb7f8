"""What is said of mutants is said of code that is there; and they are made where what makes them is installed."""

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


def test_conditions_comparisons_operands_and_texts_are_changed() -> None:
    pytest.importorskip("libcst", reason="mutants are made by who installs kubectl-safe[mutation]")
    pytest.importorskip("mutmut", reason="mutants are made by who installs kubectl-safe[mutation]")
    from tests.bite.mutating import mutants

    made = {(mutant.line, mutant.was, mutant.now) for mutant in mutants("kubectl_safe.model.budget")}
    was = "return self.selector is not None and namespace == self.namespace and self.selector.matches(labels)"
    changes = [
        ("self.selector is not None and ", ""),
        ("is not None", "is None"),
        ("==", "!="),
        ("namespace == self.namespace and ", ""),
        ("and self.selector.matches", "or self.selector.matches"),
    ]
    assert {now for _, before, now in made if before == was} >= {was.replace(*change) for change in changes}
    texts = {mutant.now for mutant in mutants("kubectl_safe.decide.unseen") if "XX" in mutant.now}
    assert 'return "XXXX"' in texts
