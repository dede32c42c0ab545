"""Plate maps (wellmap TOML, CSV, Excel) in; one row per well out."""
