"""Calls to AWS as exchanges, for whoever wants to see them. Signed headers stay inside botocore."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from kubectl_safe.model.trace import Exchange, Trace

_ABOUT_HTTP = "ResponseMetadata"


def traced(
    call: Callable[..., Mapping[str, Any]], asked: str, *, trace: Trace, now: Callable[[], datetime]
) -> Callable[..., Mapping[str, Any]]:
    """Return a call of botocore that is also shown.

    Args:
        call: the method of a client.
        asked: the operation, and what it is about.
        trace: who sees it.
        now: reads the clock.
    """

    def shown(**parameters: Any) -> Mapping[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        sent = now()

        def show(answer: Mapping[str, Any], code: str) -> None:
            about = answer.get(_ABOUT_HTTP) or {}
            trace(
                Exchange(
                    asked=asked,
                    answered=" ".join(filter(None, (str(about.get("HTTPStatusCode") or ""), code))),
                    took=now() - sent,
                    asked_body=parameters,
                    answered_headers=about.get("HTTPHeaders") or {},
                    answered_body={name: value for name, value in answer.items() if name != _ABOUT_HTTP},
                )
            )

        try:
            answer = call(**parameters)
        except ClientError as error:
            show(error.response, str((error.response.get("Error") or {}).get("Code") or "failed"))
            raise
        except (BotoCoreError, ResponseParserError) as error:
            show({}, f"{type(error).__name__}: {error}")
            raise
        show(answer, "")
        return answer

    return shown
