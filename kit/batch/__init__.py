"""Experiment folders in; report folders out: which reports, on how many workers, in which
processes, resumed where a run stopped.
"""
