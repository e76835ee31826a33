"""The data that geodns ships with; README.md tells where each file is from."""

DEFAULT_DATABASE = "geodns-default.mmdb"
