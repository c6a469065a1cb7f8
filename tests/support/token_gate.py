"""A way to the API server for tokens that say when they expire; one that has is refused."""

import time
from pathlib import Path
from typing import Any, Self

import aiohttp
from aiohttp import web

_PASSED_ON = ("Content-Type", "Accept", "Impersonate-User", "Impersonate-Group")


class TokenGate:
    """Passes requests on as an administrator, as an async context manager; answers go back as they come.

    Args:
        url: of the API server.
        token: the administrator's.
    """

    def __init__(self, url: str, *, token: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        self.taken: list[int] = []
        """When the token of each request expires, or did."""
        self.refused = 0
        self._session: aiohttp.ClientSession
        self._runner: web.AppRunner
        self.port = 0

    async def __aenter__(self) -> Self:
        # It is on this machine, and nobody looks at who it is.
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False, limit=0), auto_decompress=False)
        application = web.Application(client_max_size=1 << 24)
        application.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        await self._runner.cleanup()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        until = int(request.headers["Authorization"].removeprefix("Bearer until-"))
        self.taken.append(until)
        if time.time() >= until:
            self.refused += 1
            return web.json_response({"kind": "Status", "code": 401, "reason": "Unauthorized"}, status=401)
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        url = self._url + request.path_qs
        sent: Any = await request.read() or None
        async with self._session.request(
            request.method, url, data=sent, headers={**headers, **self._headers}, timeout=aiohttp.ClientTimeout()
        ) as answer:
            kept = {name: answer.headers[name] for name in ("Content-Type", "Date") if name in answer.headers}
            response = web.StreamResponse(status=answer.status, headers=kept)
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response


def write_plugin(folder: Path, *, lives: int) -> dict[str, Any]:
    """Write a credential plugin whose tokens live so many seconds, and return the user that has it."""
    file = folder / "plugin"
    status = '{"token":"until-%s","expirationTimestamp":"%s"}'
    told = f'{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{status}}}'
    file.write_text(
        f"#!/bin/sh\nuntil=$(($(date +%s) + {lives}))\necho $until >> {folder}/runs\n"
        f"printf '{told}' $until $(date -u -d @$until +%Y-%m-%dT%H:%M:%SZ)\n"
    )
    file.chmod(0o755)
    version = "client.authentication.k8s.io/v1"
    return {"exec": {"apiVersion": version, "command": "./plugin", "interactiveMode": "Never"}}
