"""A finished report in; a publication package out: workbook, Prism file, notebook archive, MultiQC.

`package` decides what goes in, each other module writes one format.
"""
