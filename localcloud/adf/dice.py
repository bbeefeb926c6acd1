"""Chance that repeats: every number follows from the words it is asked with, so a seed and a clock give one world."""

from __future__ import annotations

import math
from hashlib import blake2b


def _digest(parts: tuple[object, ...], size: int) -> bytes:
    return blake2b("\x1f".join(map(str, parts)).encode(), digest_size=size).digest()


def chance(*parts: object) -> float:
    """A number in [0, 1)."""
    return int.from_bytes(_digest(parts, 7), "big") / (1 << 56)


def whole(low: int, high: int, *parts: object) -> int:
    """A whole number in [low, high]."""
    return low + int(chance(*parts) * (high - low + 1))


def spread(middle: float, sigma: float, *parts: object) -> float:
    """A value around `middle`, log-normal: many near it, a few far above, none below zero."""
    first = int.from_bytes(_digest(parts, 8), "big")
    u, v = ((first >> 32) + 1) / (1 << 32), (first & 0xFFFFFFFF) / (1 << 32)
    return middle * math.exp(sigma * math.sqrt(-2 * math.log(min(u, 1.0))) * math.cos(2 * math.pi * v))


def identifier(*parts: object) -> str:
    """A GUID."""
    text = _digest(parts, 16).hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def token(*parts: object) -> str:
    """Thirty-two hexadecimal digits."""
    return _digest(parts, 16).hex()
