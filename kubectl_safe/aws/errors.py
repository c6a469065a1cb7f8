"""What keeps AWS from answering. botocore's exceptions stay inside this package."""

from typing import Any

from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.masking import mask_text

_THROTTLED = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_UNKNOWN_KEY = {"InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure", "SignatureDoesNotMatch"}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}
_NOT_FOUND = {
    "TargetGroupNotFound",
    "TargetGroupNotFoundException",
    "LoadBalancerNotFound",
    "LoadBalancerNotFoundException",
}
_NO_REGION = {"NoRegionError"}
_TRUST = ", and the role trust you, with the external id of its targetgroupbinding"
_NO_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound"}
_NO_LOGIN = {
    "SSOTokenLoadError",
    "UnauthorizedSSOTokenError",
    "TokenRetrievalError",
    "SSOError",
}
ASSUME_ROLE = "sts:AssumeRole"
"""The IAM action by which a role is assumed."""


class AwsError(KubectlSafeError):
    """A question to AWS without an answer.

    Args:
        message: the call, the fact and the remedy.
        code: AWS's error code, or the name of botocore's exception.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code

    @property
    def is_throttled(self) -> bool:
        """Whether the account's calls are used up for the moment."""
        return self.code in _THROTTLED

    @property
    def is_refusal(self) -> bool:
        """Whether rights or credentials are what is missing: asking again changes nothing by itself."""
        return self.code in _DENIED or self.is_login

    @property
    def is_lasting(self) -> bool:
        """Whether waiting is no use: a refusal, or a target group that isn't there."""
        return self.is_refusal or self.code in _NOT_FOUND | _NO_REGION

    @property
    def is_login(self) -> bool:
        """Whether credentials are what is wrong: new ones may be there by the next try."""
        return self.code in _EXPIRED | _UNKNOWN_KEY | _NO_CREDENTIALS | _NO_LOGIN


def aws_error(error: Exception, *, action: str, subject: str) -> AwsError:
    """Return what botocore raised, in words.

    Args:
        error: a `ClientError` or any other `BotoCoreError`.
        action: the IAM action, such as `elasticloadbalancing:DescribeTargetHealth`.
        subject: what it was asked about.
    """
    response: dict[str, Any] = getattr(error, "response", None) or {}
    answer = response.get("Error") or {}
    code = str(answer.get("Code") or type(error).__name__)
    # Of a wrong signature AWS tells the whole request that it expects, with the session token in it.
    words = mask_text(str(answer.get("Message") or error))
    remedy = _remedy(code, action)
    return AwsError(f"{action} on {subject}: {code}: {words}{f'; {remedy}' if remedy else ''}", code=code)


def _remedy(code: str, action: str) -> str:
    remedies = (
        (_THROTTLED, "the account's calls are used up; it is asked again more slowly"),
        (_EXPIRED | _NO_LOGIN, "log in again (aws sso login, or whatever gives you credentials)"),
        (_UNKNOWN_KEY, "AWS doesn't know these credentials; choose others with --aws-profile"),
        (_NO_CREDENTIALS, "give credentials in the environment or with --aws-profile"),
        (_DENIED, f"have {action} allowed{_TRUST if action == ASSUME_ROLE else ''}"),
        (_NO_REGION, "give --aws-region"),
        (_NOT_FOUND, "the target group was deleted, or it is of another account or region"),
    )
    return next((remedy for codes, remedy in remedies if code in codes), "")
