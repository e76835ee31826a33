"""The native engine, built from ``geodns/native``. Absent where Rust was not there to build it."""

__all__ = ["__version__", "mix"]  # the module has one, and the stub check compares

__version__: str

def mix(key: int, value: int) -> int:
    """Spread ``value`` over 64 bits under ``key``.

    Errors: OverflowError for a key or value outside 0 … 2^64 - 1.
    """
