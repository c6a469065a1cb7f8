"""The ELBv2 API over HTTP, in AWS's Query protocol, for a client such as boto3.

It only describes: a write is journaled and refused, for nobody who asks over HTTP may make one.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Self
from xml.sax.saxutils import escape

from aiohttp import web

from kubectl_safe.sandbox.elbv2 import ACCOUNT, Elbv2, Elbv2Error, Target, TargetGroup

_NAMESPACE = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"
_STS_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_REQUEST_ID = "00000000-0000-4000-8000-000000000000"


class Elbv2Api:
    """Serves the API on a port of 127.0.0.1; `url` is its endpoint."""

    def __init__(self, elbv2: Elbv2) -> None:
        self._elbv2 = elbv2
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_post("/{tail:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        action = form.get("Action", "")
        try:
            return _xml(_enveloped(action, self._answer(action, form, _caller(request))))
        except Elbv2Error as error:
            return _xml(_error(error), error.status)

    def _answer(self, action: str, form: Mapping[str, str], caller: str) -> str:
        """Return the result of an action, as XML."""
        arn = form.get("TargetGroupArn", "")
        if action == "DescribeTargetHealth":
            return self._target_health(arn, form, caller)
        if action == "DescribeTargetGroups":
            arns, names = _members(form, "TargetGroupArns"), _members(form, "Names")
            groups = self._elbv2.describe_target_groups(arns, names, caller=caller)
            return _tag("TargetGroups", "".join(_tag("member", _group(group)) for group in groups))
        if action == "DescribeTargetGroupAttributes":
            attributes = self._elbv2.describe_target_group_attributes(arn, caller=caller)
            members = (_tag("member", _fields(Key=key, Value=value)) for key, value in attributes.items())
            return _tag("Attributes", "".join(members))
        if action == "GetCallerIdentity":
            return _fields(Arn=f"arn:aws:iam::{ACCOUNT}:user/{caller}", UserId=caller, Account=ACCOUNT)
        raise self._elbv2.refuse_write(action, arn, caller=caller)

    def _target_health(self, arn: str, form: Mapping[str, str], caller: str) -> str:
        default_port = self._elbv2.groups[arn].port if arn in self._elbv2.groups else 0
        numbers = sorted({int(found[1]) for key in form if (found := re.match(r"Targets\.member\.(\d+)\.", key))})
        asked = [
            Target(
                form.get(f"Targets.member.{number}.Id", ""),
                int(form.get(f"Targets.member.{number}.Port", default_port)),
            )
            for number in numbers
        ]
        described = self._elbv2.describe_target_health(arn, asked, caller=caller)
        members = (
            _tag(
                "member",
                _tag("Target", _fields(Id=target.id, Port=target.port))
                + _fields(HealthCheckPort=target.port)
                + _tag(
                    "TargetHealth", _fields(State=health.state, Reason=health.reason, Description=health.description)
                ),
            )
            for target, health in described
        )
        return _tag("TargetHealthDescriptions", "".join(members))


def _caller(request: web.Request) -> str:
    """Return the access key id that signed the request."""
    found = re.search(r"Credential=([^/]+)/", request.headers.get("Authorization", ""))
    return found[1] if found else "anonymous"


def _members(form: Mapping[str, str], name: str) -> list[str]:
    return [value for key, value in form.items() if key.startswith(f"{name}.member.")]


def _group(group: TargetGroup) -> str:
    return _fields(
        TargetGroupArn=group.arn,
        TargetGroupName=group.name,
        Protocol="HTTP",
        Port=group.port,
        VpcId="vpc-0123456789abcdef0",
        HealthCheckProtocol="HTTP",
        HealthCheckPort="traffic-port",
        HealthCheckEnabled="true",
        HealthCheckIntervalSeconds=max(1, round(group.interval)),
        HealthCheckTimeoutSeconds=max(1, round(group.timeout)),
        HealthyThresholdCount=group.healthy_threshold,
        UnhealthyThresholdCount=group.unhealthy_threshold,
        HealthCheckPath=group.health_path,
        TargetType=group.target_type,
        IpAddressType="ipv4",
    ) + _tag("Matcher", _fields(HttpCode="200"))


def _enveloped(action: str, result: str) -> str:
    namespace = _STS_NAMESPACE if action == "GetCallerIdentity" else _NAMESPACE
    metadata = _tag("ResponseMetadata", _fields(RequestId=_REQUEST_ID))
    return f'<{action}Response xmlns="{namespace}">{_tag(f"{action}Result", result)}{metadata}</{action}Response>'


def _error(error: Elbv2Error) -> str:
    told = _tag("Error", _fields(Type="Sender", Code=error.code, Message=error.message))
    return f'<ErrorResponse xmlns="{_NAMESPACE}">{told}{_fields(RequestId=_REQUEST_ID)}</ErrorResponse>'


def _fields(**values: object) -> str:
    return "".join(_tag(name, escape(str(value))) for name, value in values.items() if value != "")


def _tag(name: str, inner: str | Iterable[str]) -> str:
    return f"<{name}>{''.join(inner)}</{name}>"


def _xml(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/xml")
