"""A browser without a network: an httpx client that calls an app in this process, over https and from any address."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import httpx
from fastapi import FastAPI

import pages_once  # noqa: F401


class AppTransport(httpx.BaseTransport):
    """Calls the app as if from `address`. What it raises becomes a 500, as a server would make it."""

    def __init__(self, app: FastAPI, address: str) -> None:
        self.transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 50000))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        # In a thread of its own: where a browser was driven before, this one has a loop already.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, self._call(request)).result()

    async def _call(self, request: httpx.Request) -> httpx.Response:
        whole = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        answer = await self.transport.handle_async_request(whole)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


def new_browser(app: FastAPI, origin: str, address: str = "203.0.113.7", **headers: str) -> httpx.Client:
    """It keeps cookies as browsers do, and follows no redirect by itself."""
    return httpx.Client(transport=AppTransport(app, address), base_url=origin, headers=headers)
