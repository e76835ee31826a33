"""HTTP on the wire: connections, requests and TLS, for an ASGI application.

h11 reads and writes HTTP/1.1; what it is too kind about is refused here, and everything that a
client can make last, grow or multiply has a bound.
"""
