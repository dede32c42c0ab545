"""Growth per biological replicate in; contrasts against control and rescue classes out."""
