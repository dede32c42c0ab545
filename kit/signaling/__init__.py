"""Bands of phospho-S6K blots in; activation, Rag and Arf1 dependence of each stimulus, judged by
the rules of the assay, out.
"""
