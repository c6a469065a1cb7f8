"""A way to the API server that can be cut: every connection on it is reset at once, and new ones are let through."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

_CHUNK = 1 << 16


class CutProxy:
    """Passes TCP connections on from a port of 127.0.0.1, as an async context manager.

    Args:
        url: of the server on 127.0.0.1 that they are passed on to.
    """

    def __init__(self, url: str) -> None:
        self._to = urlsplit(url)
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server
        self.was_cut: list[int] = []
        """How many connections each cut ended."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self.cut()

    def kubeconfig(self, of: Path) -> Path:
        """Write a kubeconfig beside another one that leads the same user this way."""
        port = self._server.sockets[0].getsockname()[1]
        file = of.with_name(f"cut-{port}-{of.name}")
        file.touch(mode=0o600)
        file.write_text(of.read_text().replace(self._to.geturl(), f"https://127.0.0.1:{port}"))
        return file

    async def cut(self) -> None:
        """Reset every connection."""
        self.was_cut.append(len(self._open) // 2)
        for writer in tuple(self._open):
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._to.hostname, self._to.port)
        self._open |= {writer, back}
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._copy(reader, back))
                ways.create_task(self._copy(there, writer))
        finally:
            self._open -= {writer, back}
            writer.transport.abort()
            back.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                writer.write(data)
                await writer.drain()
        writer.transport.abort() if writer.is_closing() else writer.close()
