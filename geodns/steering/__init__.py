"""In what order, and which? Pure functions: no clock, no I/O, no hidden randomness.

`rank` orders a pool's places for every location of the world (NumPy, at compile time);
`choose` picks among them by the health of the moment (plain Python, per query); `mix` is
the keyed hash both engines draw with.
"""
