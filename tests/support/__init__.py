"""Helpers that several suites share. `naive` and `oracle` import nothing from geodns."""
