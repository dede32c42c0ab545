"""An Analysis and executed notebooks in; exhibits, the self-contained page and the index out."""
