"""Results of many experiments in; control charts, agreement of repeats and pooled ASNS out."""
