"""Words on the wire: names, record data, messages. The door to dnslib and dnspython.

`names`, `rrtypes` and `message` are what the packet path imports, and load no library for it;
`rdata` and `client` are for the control side, and import dnspython.
"""
