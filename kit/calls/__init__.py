"""Growth, death, rescue and carry-over of a line in; its dependency call with probability,
confidence and reasons out.
"""
