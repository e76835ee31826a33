"""Random zones asked of geodns, Knot and NSD alike, and what real clients make of us."""
