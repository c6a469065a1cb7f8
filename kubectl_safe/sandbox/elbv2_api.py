"""The ELBv2 API over HTTP, in AWS's Query protocol, for a client such as boto3.

It only describes: a write is journaled and refused, for nobody who asks over HTTP may make one.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Self
from xml.sax.saxutils import escape

from aiohttp import web

from kubectl_safe.sandbox import moment
from kubectl_safe.sandbox.elbv2 import ACCOUNT, REGION, Elbv2, Elbv2Error, Target, TargetGroup

_NAMESPACE = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"
_STS_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_ROLE_SECONDS = 3600
_REQUEST_ID = "00000000-0000-4000-8000-000000000000"


class Elbv2Api:
    """Serves the API on a port of 127.0.0.1; `url` is its endpoint."""

    def __init__(self, elbv2: Elbv2) -> None:
        self._elbv2 = elbv2
        self._runner: web.AppRunner | None = None
        self._assumed: dict[str, tuple[str, str]] = {}
        """Who assumed a role, and of which account that is, by the access key."""
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
        key, region = _signature(request)
        caller, account = self._assumed.get(key, (key, ACCOUNT))
        try:
            if action == "AssumeRole":
                return _xml(_enveloped(action, self._assume(form, caller)))
            return _xml(_enveloped(action, self._answer(action, form, caller, within=f"{region}:{account}")))
        except Elbv2Error as error:
            return _xml(_error(error), error.status)

    def _assume(self, form: Mapping[str, str], caller: str) -> str:
        """Return credentials of a role, as XML."""
        account = self._elbv2.assume_role(form.get("RoleArn", ""), form.get("ExternalId", ""))
        key = f"{caller}-{account}"
        self._assumed[key] = caller, account
        ends = datetime.fromtimestamp(moment.time() + _ROLE_SECONDS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        given = _fields(AccessKeyId=key, SecretAccessKey=key, SessionToken=key, Expiration=ends)
        return _tag("Credentials", given)

    def _answer(self, action: str, form: Mapping[str, str], caller: str, *, within: str) -> str:
        """Return the result of an action, as XML; nobody sees more than what is `within` their account and region."""
        arn = form.get("TargetGroupArn", "")
        self._elbv2.see(arn, within=within)
        if action == "DescribeTargetHealth":
            return self._target_health(arn, form, caller)
        if action == "DescribeTargetGroups":
            arns, names = _members(form, "TargetGroupArns"), _members(form, "Names")
            groups = self._elbv2.describe_target_groups(arns, names, caller=caller, within=within)
            return _tag("TargetGroups", "".join(_tag("member", _group(group)) for group in groups))
        if action == "DescribeTargetGroupAttributes":
            return _attributes(self._elbv2.describe_target_group_attributes(arn, caller=caller))
        if action == "DescribeLoadBalancerAttributes":
            balancer = form.get("LoadBalancerArn", "")
            return _attributes(self._elbv2.describe_load_balancer_attributes(balancer, caller=caller))
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


def _signature(request: web.Request) -> tuple[str, str]:
    """Return the access key id that signed the request, and the region that it signed for."""
    found = re.search(r"Credential=([^/]+)/[^/]+/([^/]+)/", request.headers.get("Authorization", ""))
    return (found[1], found[2]) if found else ("anonymous", REGION)


def _attributes(attributes: Mapping[str, str]) -> str:
    members = (_tag("member", _fields(Key=key, Value=value)) for key, value in attributes.items())
    return _tag("Attributes", "".join(members))


def _members(form: Mapping[str, str], name: str) -> list[str]:
    return [value for key, value in form.items() if key.startswith(f"{name}.member.")]


def _group(group: TargetGroup) -> str:
    return _fields(
        TargetGroupArn=group.arn,
        TargetGroupName=group.name,
        Protocol=group.protocol,
        Port=group.port,
        VpcId="vpc-0123456789abcdef0",
        HealthCheckProtocol="HTTP",
        ProtocolVersion=group.protocol_version if group.protocol in {"HTTP", "HTTPS"} else "",
        HealthCheckPort=group.health_port,
        HealthCheckEnabled="true",
        HealthCheckIntervalSeconds=max(1, round(group.interval)),
        HealthCheckTimeoutSeconds=max(1, round(group.timeout)),
        HealthyThresholdCount=group.healthy_threshold,
        UnhealthyThresholdCount=group.unhealthy_threshold,
        HealthCheckPath=group.health_path,
        TargetType=group.target_type,
        IpAddressType="ipv4",
    ) + "".join(
        (
            _tag("Matcher", _fields(HttpCode="200")),
            _tag("LoadBalancerArns", _tag("member", group.balancer) if group.is_behind else ""),
        )
    )


def _enveloped(action: str, result: str) -> str:
    namespace = _STS_NAMESPACE if action in {"GetCallerIdentity", "AssumeRole"} else _NAMESPACE
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
