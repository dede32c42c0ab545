"""Cytometer events or gated fractions in; quadrants and specific death per sample out."""
