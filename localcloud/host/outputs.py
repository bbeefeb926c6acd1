"""Queue outputs: what a function returned or set, sent once it has returned."""

from __future__ import annotations

from localcloud.host.functions import RETURN, Binding, Function
from localcloud.host.invocations import Returned
from localcloud.host.storage import Queue, Storage, encode, messages_of


class QueueOutputs:
    def __init__(self, storage: Storage, as_base64: bool) -> None:
        self._storage = storage
        self._as_base64 = as_base64

    async def send(self, function: Function, returned: Returned) -> None:
        for output in function.outputs:
            value = returned.value if output.name == RETURN else returned.outputs.get(output.name)
            if output.kind == "queue" and value is not None:
                await self._send(output, value)

    async def check(self, function: Function) -> None:
        """Raises LoadError when an output names a connection or a setting that is not set."""
        for output in function.outputs:
            if output.kind == "queue":
                await self._queue(output)

    async def _queue(self, output: Binding) -> Queue:
        return await self._storage.queue(output.options.get("connection", ""), output.options["queueName"])

    async def _send(self, output: Binding, value: object) -> None:
        queue = await self._queue(output)
        for message in messages_of(value):
            await queue.send(encode(message, self._as_base64))
