"""The command line `kit`: arguments and signals in, an exit status out."""
