"""An experiment folder in; a checked Experiment with its tables and input hashes out."""
