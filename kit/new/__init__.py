"""Answers or flags of `kit new` in; an experiment folder with layouts, plate map and
experiment.yaml out.
"""
