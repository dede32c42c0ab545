"""FCS files, gated tables and FlowJo workspaces in; events or fractions per sample out."""
