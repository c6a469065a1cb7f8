"""Calls of the tool as a fault meets them: where each goes, and what can befall it on the way there and back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kubectl_safe.sandbox.cluster.requests import Answer, Request
from kubectl_safe.sandbox.cluster.store import Store
from tests.support.virtual.process import Process

CALL_SECONDS = (0.001, 0.03)
ASK_SECONDS = (0.02, 0.3)


class Response:
    """A response of urllib3, as far as the tool reads it."""

    connection = None

    def __init__(self, status: int, data: bytes, headers: Mapping[str, str]) -> None:
        self.status = status
        self.headers = headers
        self.reason = ""
        self._left = data

    def read1(self, _: int) -> bytes:
        read, self._left = self._left, b""
        return read


@dataclass(kw_only=True, eq=False)
class Call:
    """A call to the API server that is under way.

    It is the fault that says whether it arrives and what is answered; `plainly` is what happens without one.
    """

    process: Process
    number: int
    request: Request
    read_timeout: float
    """Seconds after which the client gives up the answer."""
    ask: Callable[[Request], Answer]
    respond: Callable[[Answer], Any]
    store: Store
    """What the server knows."""
    answer: Answer | None = None

    def travel(self) -> None:
        """Let the time pass that it takes there, or back."""
        self.process.sleep(self.process.random.uniform(*CALL_SECONDS))

    def arrive(self) -> Answer:
        """Have the server do what is asked."""
        self.travel()
        self.answer = self.ask(self.request)
        return self.answer

    def plainly(self) -> Any:
        """Have it done, and return the answer."""
        answer = self.arrive()
        self.travel()
        return self.respond(answer)


@dataclass(kw_only=True, eq=False)
class Question:
    """A call to AWS that is under way."""

    process: Process
    number: int
    operation: str
    parameters: Mapping[str, Any]
    ask: Callable[[], Mapping[str, Any]]

    def plainly(self) -> Mapping[str, Any]:
        """Have it answered."""
        self.process.sleep(self.process.random.uniform(*ASK_SECONDS))
        return self.ask()


@dataclass(kw_only=True, eq=False)
class Told:
    """An event of a watch that is on its way."""

    process: Process
    number: int
    kind: str
    """The plural name of what is watched."""
    event: dict[str, Any]
    stream: Any
    """The watch that tells it."""


Fault = Callable[[Any], Any]
"""What befalls a call: takes it, and returns or raises in place of `plainly`."""


@dataclass(kw_only=True)
class Befalling:
    """What befalls the calls of processes, asked for at each; None lets it go its way."""

    call: Callable[[Call], Fault | None] = lambda _: None
    question: Callable[[Question], Fault | None] = lambda _: None
    told: Callable[[Told], Fault | None] = lambda _: None
    looked: Callable[[Process, int], None] = lambda _process, _number: None
    """Called where a look at the cluster leads to something to be done, with its number."""
    made: int = 0
    """How many calls, questions, events and looks there were."""

    def next(self) -> int:
        """Return the number of what comes now."""
        self.made += 1
        return self.made
