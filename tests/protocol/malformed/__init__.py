"""Packets nobody should send, and the unusual ones that many do: what its RFC asks for each.

``python -m tests.protocol.malformed`` puts them to a running geodns and to the other servers
that are installed here, and shows how each of them does.
"""
