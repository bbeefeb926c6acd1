"""A proxy before the storage emulator that sees every request and can spoil it: before its effect, after it, midway.

It knows HTTP/1.1 as far as the emulator and the vendors' clients speak it, and nothing of what the requests mean.
"""
