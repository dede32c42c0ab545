"""What every room shares: errors, table columns, wells of a plate, findings, reference tables,
atomic files.
"""
