"""Tables and an axes in; drawn axes out. Nothing here reads or writes a file or sets global state."""
