"""Stage demo: faces rendered from action units, and a host that serves them.

In: sizes and seeds of the config.
Out: photos with an FEC-format CSV, a labelled tree, a contact sheet.
May use: common.
"""
