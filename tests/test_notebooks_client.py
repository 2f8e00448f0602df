"""The client that executes the course misses no reply of a kernel."""

import asyncio
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("nbclient", reason="needs nbclient: pip install -e '.[dev]'")
import zmq.asyncio
from jupyter_client.session import Session

sys.path.insert(0, str(Path(__file__).parents[1] / "notebooks"))
from kernel_client import WakingChannel, WakingClient


async def arrives(address):
    """Tell whether a reply arrives that comes just before its receiver sends something."""
    session = Session(key=b"")
    with zmq.Context() as outside, zmq.asyncio.Context() as inside:
        kernel, socket = outside.socket(zmq.DEALER), inside.socket(zmq.DEALER)
        kernel.bind(address)
        socket.connect(address)
        channel = WakingChannel(socket, session)
        channel.send(session.msg("kernel_info_request"))
        kernel.recv_multipart()
        session.send(kernel, "kernel_info_reply")
        await channel.get_msg()  # both ends are connected now
        waiting = asyncio.ensure_future(channel.get_msg())
        await asyncio.sleep(0.05)  # it found nothing, and waits for the descriptor
        session.send(kernel, "execute_reply")
        while not zmq.Socket.shadow(socket.underlying).poll(0):  # any call uses the edge up
            time.sleep(0.01)  # the loop does not run
        channel.send(session.msg("comm_msg"))
        done, _ = await asyncio.wait({waiting}, timeout=1)
        waiting.cancel()
        kernel.close(linger=0)
        channel.close()
        return bool(done)


@pytest.mark.skipif(sys.platform == "win32", reason="no files to talk through")
def test_who_waits_for_a_reply_is_woken_by_sending(tmp_path):
    assert asyncio.run(arrives(f"ipc://{tmp_path}/a"))


def test_the_client_has_the_channel():
    assert WakingClient.shell_channel_class.default_value is WakingChannel
