"""Releases: a package is put into both apps, tried, and kept; or the one before is put back.

    python3 -m infra.release --help

For pipelines and for hands alike. Only the standard library, az and azd: where it runs somebody is signed in to Azure,
so nothing is installed there that a registry could change.
"""
