"""The HTTP API: one FastAPI app behind the Functions' doors."""
