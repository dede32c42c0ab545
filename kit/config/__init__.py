"""experiment.yaml in; frozen, checked settings and metadata out, or every problem at once."""
