"""The whole configuration as one document: read it, check all of it, write it, compare it.

``resources`` names every resource and its pointer; ``load`` and ``reader`` turn text into a
Config and back; ``check`` gives every fault that spans resources (``references``, ``fleet``,
``zones``, ``records`` hold its rules); ``changes`` and ``brakes`` compare two Configs.
"""
