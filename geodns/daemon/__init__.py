"""The composition root: which processes there are, and what each is made of.

`serve` and `demo` are the entries; `supervisor` owns sockets and children; `control` is the
process of the API, the store and the publisher. The health process is `geodns.health`'s own.
"""
