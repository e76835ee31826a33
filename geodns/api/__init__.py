"""Admin HTTP: the contract of ARCHITECTURE.md over the store, for people and programs.

`app.create_app` puts it together. `service` and what it is made of (`kinds`, `edit`,
`preconditions`, `cache`) know no HTTP library; everything else here is the thin skin over it.
"""
