"""Well signals in; plate quality and growth (relative viability, log2 change, GR value) per
biological replicate out.
"""
