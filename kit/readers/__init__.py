"""Readers of instrument files."""

from kit.readers.geometry import parse_well, well_name
from kit.readers.plates import FORMATS, read_plates
from kit.readers.reads import Read, choose

__all__ = ["FORMATS", "Read", "choose", "parse_well", "read_plates", "well_name"]
