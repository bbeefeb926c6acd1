"""A stand-in for the generated gRPC messages that the worker library is given by Azure's own worker process.

The library only makes them, reads their fields and asks which one of several is set; plain objects will do.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any


class Message:
    """Keeps what it is given; a field that was not given reads as None, as an unset message field would."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name[:1].isupper():  # a nested type or constant, which cannot be made up
            raise AttributeError(name)
        return None

    def WhichOneof(self, group: str) -> str | None:
        return next((name for name, value in self.__dict__.items() if value is not None), None)


class TypedData(Message):
    """One of string, bytes, json, http …"""


class ParameterBinding(Message):
    def WhichOneof(self, group: str) -> str | None:
        return "data"


class StatusResult(Message):
    Failure = 0
    Success = 1


class BindingInfo(Message):
    undefined = 0
    out = 1
    inout = 2


class SameSite(IntEnum):
    Lax = 1
    Strict = 2
    ExplicitNone = 3


setattr(SameSite, "None", 0)  # a keyword, which the library reads by getattr


class RpcHttpCookie(Message):
    SameSite = SameSite


class FunctionLoadResponse(Message): ...


class FunctionMetadataResponse(Message): ...


class InvocationResponse(Message): ...


class NullableBool(Message): ...


class NullableDouble(Message): ...


class NullableString(Message): ...


class NullableTimestamp(Message): ...


class RpcException(Message): ...


class RpcFunctionMetadata(Message): ...


class RpcHttp(Message): ...


class RpcRetryOptions(Message): ...


class WorkerInitResponse(Message): ...


class WorkerMetadata(Message): ...
