"""Helpers that several suites share. Nothing here decides what is right; oracles do not use it."""
