"""Tests of the Foundry stand-in, most of them through the unmodified SDK client."""
