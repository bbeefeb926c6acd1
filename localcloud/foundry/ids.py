"""Ids and times as the service writes them: a prefix and 24 characters, unix seconds."""

from __future__ import annotations

import secrets
import string
import time

ALPHABET = string.ascii_letters + string.digits
LENGTH = 24


def new_id(prefix: str) -> str:
    return f"{prefix}_" + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def unix_now() -> int:
    return int(time.time())
