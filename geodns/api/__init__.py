"""Admin HTTP: the contract of ARCHITECTURE.md over the store, for people and programs.

`app.create_app` puts it together. `service` and what it is made of (`kinds`, `edit`,
`preconditions`, `ledger`, `publishing`) know no HTTP library; the rest is a thin skin over it.
"""
