"""Nodes by their labels: the API server chooses them, a page at a time."""

from typing import Any

import pytest

from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.nodes import labelled


class Pages:
    """An API server that answers a list a page at a time, or refuses it."""

    def __init__(self, *pages: list[str], refusal: ApiError | None = None) -> None:
        self.pages = pages
        self.refusal = refusal
        self.asked: list[dict[str, str]] = []

    def request(self, method: str, path: str, *, query: Any = None) -> dict[str, Any]:
        """Answer a request."""
        assert (method, path) == ("GET", "/api/v1/nodes")
        self.asked.append(query)
        if self.refusal:
            raise self.refusal
        number = int(query.get("continue", 0))
        further = str(number + 1) if number + 1 < len(self.pages) else ""
        items = [{"metadata": {"name": name}} for name in self.pages[number]]
        return {"metadata": {"continue": further}, "items": items}


def test_all_pages_are_read_in_order() -> None:
    server = Pages(["node-1", "node-2"], ["node-3"])
    assert labelled(server, "pool=old", page=2) == ("node-1", "node-2", "node-3")
    assert [query["labelSelector"] for query in server.asked] == ["pool=old"] * 2
    assert [query["limit"] for query in server.asked] == ["2"] * 2


def test_without_a_size_all_are_asked_for_at_once() -> None:
    server = Pages(["node-1", "node-2"])
    labelled(server, "pool=old", page=0)
    assert server.asked == [{"labelSelector": "pool=old"}]


def test_no_node_is_no_name() -> None:
    assert labelled(Pages([]), "pool=old", page=2) == ()


def test_what_is_no_selector_is_told_in_the_words_of_the_api_server() -> None:
    refusal = ApiError("unable to parse requirement: found '!', expected: identifier", status=400)
    told = "Unable to find nodes that match label selector \"!!\": unable to parse requirement: found '!'"
    with pytest.raises(ApiError, match=told):
        labelled(Pages(refusal=refusal), "!!", page=2)


def test_another_refusal_is_told_as_it_is() -> None:
    with pytest.raises(ApiError, match=r"^nodes is forbidden$"):
        labelled(Pages(refusal=ApiError("nodes is forbidden", status=403)), "pool=old", page=2)
