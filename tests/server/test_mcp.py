"""The official client over both transports: list, call every operation, get the pictures back."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import queue
import sys
import threading
import time
from contextlib import contextmanager

import httpx
import httpx2
import numpy as np
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from PIL import Image
from server_rig import ROOT, SCENE, TOKENS, data_url, three_keys

from pixelis.media import Limits
from pixelis.ops.registry import REGISTRY
from pixelis.server.keys import Keys
from pixelis.server.listen import Server, bound, server_on
from pixelis.server.mcp import over_http
from pixelis.server.settings import Settings
from pixelis.server.tools import Tools

CALLS = {
    "zoom_in": {"bbox_2d": [700, 840, 830, 980]},
    "segment_object_at": {"point_2d": [640, 180]},
    "get_properties": {"bbox_2d": [570, 110, 700, 260]},
    "read_text": {"bbox_2d": [500, 500, 1000, 1000]},
}


def clip() -> str:
    """A red square that walks over a white ground, as a data URL."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as box:
        stream = box.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 160, 120
        for number in range(12):
            frame = np.full((120, 160, 3), 255, np.uint8)
            frame[40:70, 10 + 8 * number : 40 + 8 * number] = (220, 20, 20)
            for packet in stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")):
                box.mux(packet)
        for packet in stream.encode():
            box.mux(packet)
    return data_url(file.getvalue(), "video/mp4")


def pictures(result) -> list[Image.Image]:
    found = [each for each in result.content if each.type == "image"]
    assert all(each.mime_type in ("image/png", "image/jpeg") for each in found)
    return [Image.open(io.BytesIO(base64.b64decode(each.data))) for each in found]


async def everything(client: Client, media: str) -> None:
    tools = (await client.list_tools()).tools
    assert {tool.name for tool in tools} == {operation.name for operation in REGISTRY} | {"ask"}
    for name, arguments in CALLS.items():
        result = await client.call_tool(name, {"media": media, **arguments})
        assert not result.is_error, result.content[0].text
        assert pictures(result)
        assert result.structured_content["media"].startswith("media_")
    track = {"bbox_2d": [60, 330, 260, 590], "start_frame": 0, "end_frame": 9}
    result = await client.call_tool("track_object", {"media": clip(), **track})
    assert not result.is_error, result.content[0].text
    assert pictures(result)
    assert result.structured_content["data"]["direction"] == "right"
    result = await client.call_tool("select_frames", {"media": clip(), "frames": [0, 6]})
    assert len(pictures(result)) == 2
    wrong = await client.call_tool("zoom_in", {"media": media, "bbox_2d": [9, 9, 1, 1]})
    assert wrong.is_error
    with pytest.raises(MCPError):
        await client.call_tool("rm", {"media": media})


@pytest.mark.slow
def test_over_standard_input_and_output(tmp_path):
    (tmp_path / "scene.jpg").write_bytes(SCENE.read_bytes())
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "pixelis", "mcp"],
        cwd=tmp_path,
        env={"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
    )

    async def talk() -> None:
        async with Client(command) as client:
            await everything(client, "scene.jpg")
            question = {"media": "scene.jpg", "question": "How many things are on the black sign?"}
            answer = await client.call_tool("ask", question)
            assert answer.structured_content["ended"] == "answered"
            assert answer.content[0].text.startswith(answer.structured_content["answer"])
            assert pictures(answer)

    asyncio.run(talk())


class Slow(Tools):
    """Takes a second for every call, and says when one has begun."""

    begun = threading.Event()

    def call(self, *words, **more):
        self.begun.set()
        time.sleep(1)
        return super().call(*words, **more)


@contextmanager
def serving(keys: Keys, kind: type[Tools] = Tools, grace_s: float = 1):
    tools = kind(REGISTRY, Limits(), lambda: None)
    settings = Settings(port=0, grace_s=grace_s)
    said: queue.Queue[str] = queue.Queue()
    with bound(settings) as listener:
        app, calls = over_http(tools, settings, keys)
        server = server_on(listener, app, settings, said.put, calls)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield said.get(timeout=30), server
        finally:
            server.should_exit = True
            thread.join(timeout=30)


def test_a_call_under_way_ends_before_the_server_does():
    results = []

    async def talk(base: str, server: Server) -> None:
        async with httpx2.AsyncClient(timeout=60) as http:
            transport = streamable_http_client(f"{base}mcp", http_client=http)
            async with Client(transport) as client:
                arguments = {"media": data_url(SCENE.read_bytes()), "bbox_2d": [0, 0, 500, 500]}
                call = asyncio.create_task(client.call_tool("zoom_in", arguments))
                assert await asyncio.to_thread(Slow.begun.wait, 30)
                server.should_exit = True
                results.append(await call)

    with serving(Keys(), Slow, grace_s=20) as (base, server):
        try:
            asyncio.run(talk(base, server))
        except* httpx2.TransportError:  # of the client's goodbye; the server has ended by then
            pass
    [result] = results
    assert pictures(result)


def test_over_http_with_a_key():
    async def talk(base: str) -> None:
        headers = {"Authorization": f"Bearer {TOKENS['ask']}"}
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            transport = streamable_http_client(f"{base}mcp", http_client=http)
            async with Client(transport) as client:
                await everything(client, data_url(SCENE.read_bytes()))
                file = await client.call_tool("read_text", {"media": str(SCENE)})
                assert file.is_error

    with serving(three_keys()) as (base, _):
        assert httpx.post(f"{base}mcp", json={}).status_code == 401
        assert httpx.get(f"{base}health").status_code == 200
        asyncio.run(talk(base))


def test_other_hosts_are_refused_without_a_key():
    with serving(Keys()) as (base, _):
        reply = httpx.post(f"{base}mcp", json={}, headers={"Host": "evil.test"})
        assert reply.status_code == 403
