"""Measuring geodns against what it promises: ``make bench``, or ``python -m tests.bench ROW…``."""
