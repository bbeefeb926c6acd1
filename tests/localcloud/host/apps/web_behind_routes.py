"""A web app behind one route among others, as an app with its own triggers would have it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import azure.functions as func
from fastapi import FastAPI, Request

app = func.FunctionApp()
started: list[str] = []


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    started.append("lifespan")
    yield


web = FastAPI(lifespan=lifespan)
middleware = func.AsgiMiddleware(web)
waking = asyncio.Lock()


@web.get("/api/web/items/{item}")
async def item(item: str, request: Request, q: str = "") -> dict[str, object]:
    name = request.scope["azure_functions.function_name"]
    return {"item": item, "q": q, "function": name, "started": started}


@app.route("web/{*rest}", auth_level=func.AuthLevel.ANONYMOUS)
async def door(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    async with waking:
        if not started:
            await middleware.notify_startup()
    answer: func.HttpResponse = await middleware.handle_async(req, context)
    return answer


@app.route("owner", auth_level=func.AuthLevel.ADMIN)
def owner(req: func.HttpRequest) -> str:
    return "owner"
