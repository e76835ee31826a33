"""Remember what operators configured, durably, with every revision.

``base`` is what a store must do, ``sqlite`` the one in the data directory, ``configuration``
turns its records into a Config and back, ``tokens`` keeps who may change it.
"""
