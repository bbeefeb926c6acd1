"""A local stand-in of the Foundry Agent Service (classic: assistants, threads, runs), for development and tests.

It speaks the service's wire format, works tools over real storage queues, and thinks with a deterministic planner or
with any chat-completions endpoint. It knows nothing of the application that calls it. `python -m localcloud.foundry`
"""
