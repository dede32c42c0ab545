"""Amino-acid dropout analysis kit.

readers + layout + config -> tidy -> quality -> growth / apoptosis / western -> effects -> calls / asns
-> plots -> exhibits -> report -> store
"""

__version__ = "0.1.0"
