"""An Analysis and executed notebooks in; exhibits, the self-contained page and the index out.

A notebook opens with one call and shows with one call a cell::

    analysis, page = kit.open_notebook(experiment, out, settings)
    page.show(dropout.overview(analysis))  # a figure, its caption and its table
    page.show(dropout.effects(analysis))  # a table
    page.show(death.figures(analysis), death.effects(analysis))  # several things, in order

A function of `report/sections` takes an Analysis and returns an `Exhibit`, a list of them, or a
`Banner`; None and an empty list show nothing. For a table, let the function return
`(table or None, caption)` or `(table or None, caption, columns)` and put `@tabled("name")` above
it: it then returns an Exhibit, whose table is saved as tables/<name>.csv. `cards` of an Exhibit are
shown in the place of its table, `both` shows the table below the figure, `marks` replaces what
figures of the page say of themselves. Sentences go through `page.bullets` and `page.note`; a note
without text shows nothing.
"""
