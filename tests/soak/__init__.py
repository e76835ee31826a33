"""Long runs that no ``make test`` waits for: ``make soak``."""
