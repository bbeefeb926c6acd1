"""A function app that is nothing but one web app."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

import azure.functions as func
from fastapi import FastAPI, Request


class State(TypedDict):
    ready: bool


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[State]:
    yield {"ready": True}


web = FastAPI(lifespan=lifespan)


@web.get("/api/ready")
async def ready(request: Request) -> dict[str, bool]:
    return {"ready": request.state.ready}


app = func.AsgiFunctionApp(web, http_auth_level=func.AuthLevel.ANONYMOUS)
