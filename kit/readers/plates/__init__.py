"""Plate-reader exports in; reads, each with one value per well, out."""
