"""Tables of mass spectrometers, recognised by content: areas or concentrations of compounds in
samples come in, one row a sample and compound goes out, with the sample sheet and counts beside.
"""

from kit.readers.lcms.formats import LONG, Lcms, read_lcms

__all__ = ["LONG", "Lcms", "read_lcms"]
