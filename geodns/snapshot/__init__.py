"""The files between control and data plane: what they hold, how they are made and checked.

`section` and `status` are the formats, `manifest` names a generation's sections, the
`compile_*` modules make them from a Config and a World, `publish` writes a generation and
`load` reads one back. FORMAT.md beside this file is the written specification.
"""
