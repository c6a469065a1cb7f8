"""Sessions of an IAM role that is assumed: the credentials are renewed by botocore before they expire."""

from dataclasses import dataclass
from typing import Any

from kubectl_safe.model.target import Role

SESSION_NAME = "kubectl-safe"
"""What CloudTrail tells our calls by."""


@dataclass(frozen=True, slots=True)
class _Given:
    """A session's source of credentials: these, and no others."""

    credentials: Any

    def load_credentials(self) -> Any:
        """Return them."""
        return self.credentials


def session_of(role: Role, sts: Any, *, profile: str | None) -> Any:
    """Return a boto3 session of a role.

    The role is assumed when its first request is signed: errors of STS are raised by that request.

    Args:
        role: what is assumed.
        sts: the client that assumes it.
        profile: whose other settings hold, such as endpoints.
    """
    import boto3
    from botocore.credentials import DeferredRefreshableCredentials, create_assume_role_refresher
    from botocore.session import Session

    asked = {"RoleArn": role.arn, "RoleSessionName": SESSION_NAME}
    if role.external_id:
        asked["ExternalId"] = role.external_id
    credentials = DeferredRefreshableCredentials(create_assume_role_refresher(sts, asked), "assume-role")
    core = Session(profile=profile)
    core.register_component("credential_provider", _Given(credentials))
    return boto3.Session(botocore_session=core)
