"""No credential is ever shown, whatever it is wrapped in; and what is none stays readable."""

import json
from typing import Any

import pytest

from kubectl_safe.model.masking import MASKED, mask_body, mask_headers, mask_text

HIDDEN = "hunter2-hunter2-hunter2"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJl"
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{HIDDEN}\n-----END RSA PRIVATE KEY-----"

URL = "https://127.0.0.1:6443/api/v1/namespaces/shop/pods/web-1"

BODIES = [
    pytest.param({"kind": "TokenReview", "spec": {"token": HIDDEN}}, URL, id="a TokenReview"),
    pytest.param({"kind": "TokenRequest", "status": {"token": HIDDEN}}, URL, id="a TokenRequest"),
    pytest.param({"kind": "Secret", "data": {"a": HIDDEN}, "stringData": {"b": HIDDEN}}, URL, id="a Secret"),
    pytest.param({"kind": "SecretList", "items": [{"data": {"a": HIDDEN}}]}, URL, id="a list of Secrets"),
    pytest.param({"data": {"a": HIDDEN}}, "PATCH https://x/api/v1/namespaces/a/secrets/b", id="a patch of a Secret"),
    pytest.param({"data": {"a": HIDDEN}}, "POST https://x/api/v1/namespaces/a/secrets?dryRun=All", id="a new Secret"),
    pytest.param({"env": [{"name": "DB_PASSWORD", "value": HIDDEN}]}, URL, id="a password in a variable"),
    pytest.param({"env": [{"name": "AWS_SECRET_ACCESS_KEY", "value": HIDDEN}]}, URL, id="a key of AWS in a variable"),
    pytest.param({"env": [{"name": "AWS_SESSION_TOKEN", "value": HIDDEN}]}, URL, id="a session of AWS in a variable"),
    pytest.param({"env": [{"name": "DB", "value": f"postgres://me:{HIDDEN}@db/shop"}]}, URL, id="a URL in a variable"),
    pytest.param({"args": [f"--api-token={HIDDEN}"]}, URL, id="an argument"),
    pytest.param({"command": ["sh", "-c", f"run --password {HIDDEN}"]}, URL, id="a command"),
    pytest.param({"client-key-data": HIDDEN}, URL, id="a client's key"),
    pytest.param({"data": {"tls": PEM}}, URL, id="a private key in a ConfigMap"),
    pytest.param({"tokens": [HIDDEN]}, URL, id="a list of tokens"),
    pytest.param({"password": {"a": [f"token={HIDDEN}"]}}, URL, id="deep inside"),
    pytest.param(
        {"annotations": {"last-applied": json.dumps({"kind": "Secret", "data": {"a": HIDDEN}})}},
        URL,
        id="a Secret in an annotation",
    ),
]


@pytest.mark.parametrize(("body", "url"), BODIES)
def test_never_shows_a_credential_of_a_body(body: dict[str, Any], url: str) -> None:
    for given in (body, json.dumps(body).encode()):
        shown = mask_body(given, about=url)
        assert "hunter2" not in shown
        assert MASKED in shown


TEXTS = [
    f"Authorization: Bearer {HIDDEN}",
    f"authorization:{HIDDEN}",
    f"the header was 'Bearer {HIDDEN}'",
    f"got {JWT} from the plugin".replace("c2lnbmF0dXJl", HIDDEN),
    f"k8s-aws-v1.{HIDDEN}",
    f"https://me:{HIDDEN}@example.com/",
    f"https://example.com/?a=b&access_token={HIDDEN}&c=d",
    f"https://sts.amazonaws.com/?X-Amz-Security-Token={HIDDEN}",
    f"https://sts.amazonaws.com/?X-Amz-Signature={HIDDEN}",
    f"The Canonical String should have been 'POST\n/\n\nhost:x\nx-amz-security-token:{HIDDEN}\n'",
    f'<html>{{"token": "{HIDDEN}',
    f"password={HIDDEN}",
    PEM,
    PEM[:60],
]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:24])
def test_never_shows_a_credential_of_a_text(text: str) -> None:
    for shown in (mask_text(text), mask_body(text.encode(), about=URL)):
        assert "hunter2" not in shown
        assert MASKED in shown


def test_the_rest_of_a_query_stays_readable() -> None:
    assert mask_text(f"{URL}?token=abc&watch=true#x") == f"{URL}?token={MASKED}&watch=true#x"


READABLE = [
    {"kind": "ConfigMap", "data": {"a": "b"}},
    {"imagePullSecrets": [{"name": "registry"}], "secret": {"secretName": "tls"}},
    {"automountServiceAccountToken": False, "token": None},
    {"metadata": {"continue": "abc", "resourceVersion": "7"}},
    {"env": [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password-of-the-shop"}}}]},
    {"message": 'secrets "a" not found; the token can\'t be renewed'},
    [1, None, True, "a"],
]


@pytest.mark.parametrize("body", READABLE, ids=str)
def test_what_only_refers_to_a_credential_stays_readable(body: Any) -> None:
    assert json.loads(mask_body(json.dumps(body).encode(), about=URL)) == body


def test_of_headers_the_names_and_the_scheme_stay() -> None:
    masked = mask_headers(
        {
            "Authorization": f"Bearer {HIDDEN}",
            "X-Amz-Security-Token": HIDDEN,
            "Set-Cookie": HIDDEN,
            "Location": f"https://x/?token={HIDDEN}",
            "Accept": "application/json",
        }
    )
    assert masked == {
        "Authorization": f"Bearer {MASKED}",
        "X-Amz-Security-Token": MASKED,
        "Set-Cookie": MASKED,
        "Location": f"https://x/?token={MASKED}",
        "Accept": "application/json",
    }


def test_an_endless_nesting_is_shown_without_an_error() -> None:
    assert mask_body(b"[" * 100_000, about=URL).startswith("[[[")
