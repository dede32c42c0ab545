"""Densitometry tables and blot images in; bands per lane out."""
