"""The two tools of the documentation server: search pages, fetch one."""

from __future__ import annotations

import json

from mcp.server import MCPServer
from starlette.applications import Starlette

from localcloud.learn.pages import PAGES
from localcloud.learn.search import Index


def create_app() -> Starlette:
    """The MCP server on /mcp, over streamable HTTP."""
    server: MCPServer[None] = MCPServer("Local documentation", log_level="WARNING")
    index = Index(PAGES)

    @server.tool(structured_output=False)
    def microsoft_docs_search(query: str) -> str:
        """Search the documentation for how something works, what an error code means or how to configure it."""
        found = index.search(query)
        results = [{"title": page.title, "content": page.text, "contentUrl": page.url} for page in found]
        return json.dumps({"results": results})

    @server.tool(structured_output=False)
    def microsoft_docs_fetch(url: str) -> str:
        """Fetch one documentation page by the address a search gave."""
        for page in PAGES:
            if url.rstrip("/").lower().endswith(f"/{page.path}"):
                return f"# {page.title}\n\n{page.text}\n\n{page.url}"
        raise ValueError(f"There is no page at {url!r}. Search first: the results carry addresses.")

    return server.streamable_http_app(stateless_http=True, json_response=True)
