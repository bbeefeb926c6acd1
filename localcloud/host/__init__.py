"""A light Azure Functions host for development: serves a Python v2 app object on the public library alone.

`python -m localcloud.host` runs it. It does what the app can notice of the real host: keys, routes, queue triggers with
renewal and poison queues, outputs, timers, the admin API and draining. What it cannot do it says while loading.
"""
