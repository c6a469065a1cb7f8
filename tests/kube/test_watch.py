"""Whatever becomes of a watch, its cache is in step again, or the kind is said to be stale."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.kube import parse
from kubectl_safe.kube.cache import Cache, Signal
from kubectl_safe.kube.listing import PAGE
from kubectl_safe.kube.watch import Watcher
from kubectl_safe.model.pod import Pod
from tests.kube.conftest import Serve
from tests.support.api_server import Answer, ApiServer, Asked, Cut, Feed, a_status
from tests.support.raw import a_bookmark, a_list, a_raw_pod, an_event, an_expiry

SECONDS = 5.0


class Collection:
    """The scripted pods: lists and watches are answered in turn, the last one again and again."""

    def __init__(self, lists: list[Any], watches: list[Any]) -> None:
        self.lists = lists
        self.watches = watches
        self.watched: list[Asked] = []
        self.listed: list[Asked] = []

    def __call__(self, asked: Asked) -> Answer | Feed | Cut:
        if asked.is_watch:
            self.watched.append(asked)
            answer = self.watches.pop(0) if self.watches else Feed()
        else:
            self.listed.append(asked)
            answer = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        return Answer(body=answer) if isinstance(answer, dict) else answer

    @property
    def versions(self) -> list[str]:
        return [asked.query["resourceVersion"] for asked in self.watched]


class Watched:
    """A running watcher, and what a test asks of it."""

    def __init__(self, watcher: Watcher[Pod], signal: Signal, server: ApiServer) -> None:
        self.watcher = watcher
        self.server = server
        self._signal = signal

    @property
    def names(self) -> dict[str, str]:
        return {pod.name: pod.resource_version for pod in self.watcher.cache.read()[1].values()}

    def becomes(self, is_so: Callable[[], bool]) -> None:
        wait = threading.Event()
        for _ in range(int(SECONDS / 0.01)):
            if is_so():
                return
            wait.wait(0.01)
        pytest.fail(f"has {self.names}, live: {self.watcher.is_live}, trouble: {self.watcher.trouble}")

    def has(self, **names: int) -> None:
        """Wait until these pods are there in these versions, and the watch is live."""
        expected = {name: str(version) for name, version in names.items()}
        self.becomes(lambda: self.names == expected and self.watcher.is_live)


Watch = Callable[..., AbstractContextManager[Watched]]


@pytest.fixture
def watch(serve: Serve) -> Watch:
    @contextmanager
    def run(collection: Collection, *, silence: float = 5, page: int = PAGE) -> Iterator[Watched]:
        server, client = serve(collection)
        signal = Signal()
        watcher: Watcher[Pod] = Watcher(
            client,
            kind="pods",
            path="/api/v1/pods",
            parse=parse.pod,
            cache=Cache(signal),
            signal=signal,
            silence=timedelta(seconds=silence),
            page=page,
        )
        watcher.start()
        try:
            yield Watched(watcher, signal, server)
        finally:
            watcher.stop()
            watcher.join()
            assert not watcher._thread.is_alive()

    return run


@pytest.mark.parametrize(("page", "limits"), [(1, ["1", "1"]), (0, [None, None]), (-1, [None, None])])
def test_pages_are_as_large_as_is_wished_or_of_no_size_at_all(watch: Watch, page: int, limits: list[str]) -> None:
    pages = [a_list(a_raw_pod("a"), version=7, further="more"), a_list(a_raw_pod("b"), version=7)]
    collection = Collection(pages, [Feed()])
    with watch(collection, page=page) as pods:
        pods.has(a=1, b=1)
    assert [asked.query.get("limit") for asked in collection.listed] == limits


def test_a_list_comes_in_pages_and_the_watch_goes_on_from_it(watch: Watch) -> None:
    pages = [a_list(a_raw_pod("a"), version=7, further="more"), a_list(a_raw_pod("b"), version=7)]
    collection = Collection(pages, [Feed(an_event("ADDED", a_raw_pod("c", version=8)))])
    with watch(collection) as pods:
        pods.has(a=1, b=1, c=8)
    assert [asked.query.get("continue") for asked in collection.listed] == [None, "more"]
    assert all(asked.query["limit"] == "500" for asked in collection.listed)
    assert collection.versions == ["7"]
    assert "limit" not in collection.watched[0].query
    assert collection.watched[0].query["allowWatchBookmarks"] == "true"


def test_a_page_token_that_expired_begins_the_list_anew(watch: Watch) -> None:
    pages = [a_list(a_raw_pod("a"), version=7, further="more"), a_status(410, "Expired"), a_list(version=9)]
    with watch(Collection(pages, [])) as pods:
        pods.has()


def test_changes_and_deletions_are_followed(watch: Watch) -> None:
    feed = Feed(an_event("MODIFIED", a_raw_pod("a", version=8)), an_event("DELETED", a_raw_pod("b", version=9)))
    with watch(Collection([a_list(a_raw_pod("a"), a_raw_pod("b"), version=7)], [feed])) as pods:
        pods.has(a=8)


@pytest.mark.parametrize(
    "expired",
    [a_status(410, "Expired"), Feed(an_expiry())],
    ids=["as a status", "as an event"],
)
def test_an_expired_version_lists_again_and_finds_what_vanished(watch: Watch, expired: Answer | Feed) -> None:
    lists = [a_list(a_raw_pod("a"), a_raw_pod("b"), version=7), a_list(a_raw_pod("b", version=20), version=30)]
    collection = Collection(lists, [expired, Feed()])
    with watch(collection) as pods:
        pods.has(b=20)
        pods.becomes(lambda: collection.versions == ["7", "30"])


@pytest.mark.parametrize(
    "line",
    [b"{garbled\n", b'{"type":"ADDED"}\n', b'{"type":"NEW","object":{}}\n', b"[]\n", b"\n"],
    ids=["garbled", "without an object", "of an unknown type", "a list", "empty"],
)
def test_a_line_that_cant_be_followed_lists_again(watch: Watch, line: bytes) -> None:
    lists = [a_list(a_raw_pod("a"), version=7), a_list(a_raw_pod("a", version=9), version=9)]
    collection = Collection(lists, [Feed(line)])
    with watch(collection) as pods:
        pods.has(a=9)
    assert len(collection.listed) == 2


@pytest.mark.parametrize("end", [Feed.end, Feed.cut], ids=["in good order", "by a cut"])
def test_a_watch_that_ends_goes_on_where_it_was(watch: Watch, end: Callable[[Feed], Feed]) -> None:
    feed = end(Feed(an_event("MODIFIED", a_raw_pod("a", version=8)), a_bookmark(12)))
    collection = Collection([a_list(a_raw_pod("a"), version=7)], [feed])
    with watch(collection) as pods:
        pods.becomes(lambda: collection.versions == ["7", "12"])
        pods.has(a=8)
    assert len(collection.listed) == 1


@pytest.mark.parametrize("end", [Feed.end, Feed.cut], ids=["in good order", "by a cut"])
def test_half_a_line_at_the_end_loses_nothing(watch: Watch, end: Callable[[Feed], Feed]) -> None:
    cut = end(Feed(an_event("MODIFIED", a_raw_pod("a", version=8)), b'{"type":"MODI'))
    collection = Collection(
        [a_list(a_raw_pod("a"), version=7)], [cut, Feed(an_event("MODIFIED", a_raw_pod("a", version=9)))]
    )
    with watch(collection) as pods:
        pods.has(a=9)
    assert collection.versions == ["7", "8"]


def test_a_silent_watch_counts_as_cut(watch: Watch) -> None:
    collection = Collection([a_list(version=7)], [Feed(), Feed(an_event("ADDED", a_raw_pod("a", version=8)))])
    with watch(collection, silence=0.2) as pods:
        pods.has(a=8)
    assert collection.versions[:2] == ["7", "7"]


def test_a_watch_that_always_ends_empty_is_no_busy_loop(watch: Watch) -> None:
    collection = Collection([a_list(version=7)], [Feed().end() for _ in range(1000)])
    with watch(collection):
        threading.Event().wait(1)
    assert len(collection.watched) <= 10


def test_what_a_watch_left_out_is_known_once_it_has_ended_after_its_time(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending = Feed()
    collection = Collection([a_list(version=7), a_list(a_raw_pod("a", version=8), version=9)], [ending, Feed()])
    with watch(collection) as pods:
        pods.has()
        monkeypatch.setattr("kubectl_safe.kube.watch._LEAST_SECONDS", 0)
        ending.end()
        pods.has(a=8)
    assert collection.versions == ["7", "9"]


def test_a_watch_that_ends_too_soon_goes_on_where_it_was(watch: Watch) -> None:
    ending = Feed()
    collection = Collection([a_list(version=7)], [ending, Feed(an_event("ADDED", a_raw_pod("a", version=8)))])
    with watch(collection) as pods:
        pods.has()
        ending.end()
        pods.has(a=8)
    assert len(collection.listed) == 1


def test_repeated_events_change_nothing(watch: Watch) -> None:
    feed = Feed(*[an_event("MODIFIED", a_raw_pod("a", version=8))] * 3, an_event("MODIFIED", a_raw_pod("b", version=9)))
    with watch(Collection([a_list(a_raw_pod("a"), version=7)], [feed])) as pods:
        pods.has(a=8, b=9)
        assert pods.watcher.cache.version == 3


def test_it_is_not_live_while_the_server_is_away_and_live_again_after(watch: Watch) -> None:
    feed = Feed()
    collection = Collection([a_list(version=7)], [feed, Cut(), Feed()])
    with watch(collection) as pods:
        pods.has()
        feed.cut()
        pods.becomes(lambda: len(collection.watched) == 3)
        pods.has()


def test_it_says_why_it_is_not_live(watch: Watch) -> None:
    collection = Collection([a_status(403, "Forbidden", "pods is forbidden")], [])
    with watch(collection) as pods:
        pods.becomes(lambda: pods.watcher.trouble is not None)
        assert not pods.watcher.is_live
        assert str(pods.watcher.trouble) == "pods is forbidden"


def test_a_list_that_cant_be_read_is_no_list(watch: Watch) -> None:
    collection = Collection([a_list(a_raw_pod("a"), version=7) | {"items": [{"metadata": {}}]}], [])
    with watch(collection) as pods:
        pods.becomes(lambda: pods.watcher.trouble is not None)
        assert not pods.watcher.is_live


def test_it_stops_at_once_in_the_middle_of_a_silent_watch(watch: Watch) -> None:
    with watch(Collection([a_list(version=7)], [Feed()]), silence=60) as pods:
        pods.has()
        pods.watcher.stop()
        pods.watcher._thread.join(1)
        assert not pods.watcher._thread.is_alive()
