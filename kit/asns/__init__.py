"""ASNS protein or mRNA and sensitivity per line in; correlations, comparisons and judged claims
out.
"""
