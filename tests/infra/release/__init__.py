"""Releases, tried with an az that keeps blobs in a folder and an app that answers as its package says."""
