"""Answer: the reference engine, which defines what every engine answers.

`query` reads a packet, `zones`, `views` and `pools` read the snapshot in place, `generation`
holds them together, `responder` answers, `explain` tells why; `worker` serves sockets.
This folder is imported by the DNS worker and loads neither NumPy nor a web framework.
"""
