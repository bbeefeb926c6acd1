"""Starts the whole local cloud with the app on top, asks it or keeps it running, and leaves nothing behind.

`children` runs one process each and knows when it is ready or dead, `cloud` knows which processes and with which
settings, `ask` and `dev` are the two commands, `api` is a caller's view of the app.
"""
