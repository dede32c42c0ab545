"""Bands of a blot in; ASNS per line, judged by the rules of the assay, out."""
