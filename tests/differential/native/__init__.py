"""The native engine beside the reference engine: octet by octet, on whatever chance brings."""
