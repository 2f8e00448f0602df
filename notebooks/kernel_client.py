"""A client of kernels that misses no reply while it sends the state of widgets."""

from __future__ import annotations

from typing import Any

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from traitlets import Type


class WakingChannel(AsyncZMQSocketChannel):
    """The shell channel; who waits for a reply is woken after each message that is sent.

    The descriptor of a ZeroMQ socket is edge-triggered: it turns readable once, and any call on the
    socket, sending too, may use that up. nbclient waits for the reply to a cell and meanwhile, when
    that cell writes into a widget, sends the widget's new state on the same socket. jupyter_client
    sends past the asyncio socket (``Session.send`` makes a shadow of it), so nobody looks whether
    the reply has come in between: it lies there, and the client waits for ever. Reading ``EVENTS``
    after sending is what the guide of ZeroMQ asks for; the asyncio socket then wakes who waits.
    """

    def send(self, msg: dict[str, Any]) -> None:
        """Send a message, and look whether one has arrived."""
        super().send(msg)
        if self.socket is not None:
            self.socket.get(zmq.EVENTS)


class WakingClient(AsyncKernelClient):
    """An `AsyncKernelClient` with a `WakingChannel`."""

    shell_channel_class = Type(WakingChannel)
