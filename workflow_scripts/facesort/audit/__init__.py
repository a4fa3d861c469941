"""Stage audit: whom the answers are wrong about.

In: groups of people, every cell's answers for the pool and the scored faces, presence of faces.
Out: gaps between groups, with intervals, tests and power; a page of words, and a figure.
May use: common, faces (how sure a face is), cluster, score (intervals, tables).
"""
