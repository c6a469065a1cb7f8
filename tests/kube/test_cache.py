"""A cache only ever moves forward, whoever tells it, in whatever order."""

from kubectl_safe.kube.cache import Cache, Known, Signal


def known(version: int, uid: str = "a") -> Known[int]:
    return Known(uid, version, version)


def a_cache(*objects: Known[int], version: int = 1) -> Cache[int]:
    cache: Cache[int] = Cache(Signal())
    cache.replace({one.uid: one for one in objects}, version)
    return cache


def test_an_older_version_of_an_object_is_ignored() -> None:
    cache = a_cache(known(5))
    for take in (cache.apply, cache.put):
        take(known(4))
        assert cache.read()[1] == {"a": 5}


def test_a_newer_version_is_taken_from_a_watch_and_from_a_write() -> None:
    cache = a_cache(known(5))
    cache.put(known(6))
    cache.apply(known(7))
    assert cache.read()[1] == {"a": 7}


def test_versions_are_compared_as_numbers() -> None:
    cache = a_cache(known(9))
    cache.apply(known(10))
    assert cache.read()[1] == {"a": 10}


def test_what_a_write_returned_does_not_bring_back_what_is_gone() -> None:
    cache = a_cache(known(5))
    cache.drop("a")
    cache.put(known(6))
    assert cache.read()[1] == {}


def test_a_lagging_watch_does_not_bring_back_what_a_read_found_gone() -> None:
    cache = a_cache(known(5))
    cache.delete("a")
    cache.apply(known(6))
    cache.replace({"a": known(6)}, 7)
    assert cache.read()[1] == {}


def test_what_vanished_between_two_lists_goes() -> None:
    cache = a_cache(known(5), known(5, "b"))
    cache.replace({"b": known(6, "b")}, 7)
    assert cache.read()[1] == {"b": 6}


def test_what_was_written_after_a_list_was_made_outlives_it() -> None:
    cache = a_cache(known(5))
    cache.put(known(9))
    cache.replace({}, 8)
    assert cache.read()[1] == {"a": 9}


def test_a_list_does_not_take_an_object_back() -> None:
    cache = a_cache(known(5))
    cache.put(known(9))
    cache.replace({"a": known(7)}, 8)
    assert cache.read()[1] == {"a": 9}


def test_every_change_wakes_the_one_who_waits_and_nothing_else_does() -> None:
    signal = Signal()
    cache: Cache[int] = Cache(signal)
    cache.replace({"a": known(5)}, 5)
    assert signal.wait(0)
    cache.apply(known(5))
    cache.drop("b")
    cache.replace({"a": known(5)}, 6)
    assert not signal.wait(0)
    cache.apply(known(6))
    assert signal.wait(0)
    cache.drop("a")
    assert signal.wait(0)


def test_the_version_changes_with_the_objects_only() -> None:
    cache = a_cache(known(5))
    before = cache.version
    cache.apply(known(5))
    assert cache.version == before
    cache.apply(known(6))
    assert cache.version > before
