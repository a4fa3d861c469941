"""Stage faces: labelled faces and their split, near duplicates, variants, landmarks, movements.

In: a labelled tree, the fetched faces, people's comparisons.
Out: arrays that models see, and who is in which part.
May use: common, fetch (reading images and the CSV).
"""
