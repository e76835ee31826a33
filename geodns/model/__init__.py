"""The operator's words as frozen types: what a document may say. No I/O, no clock.

Every class here is one resource of the API and one section of the document; `config.Config`
holds them all. Fields are checked one by one here; what spans resources (references, names,
rdata) is checked by `geodns.document`.
"""
