"""Stage train: models, the engine that trains them, and what they make of faces.

In: arrays of faces, labels, landmarks or comparisons.
Out: a model's folder, embeddings, probabilities.
May use: common, faces (shapes of landmarks).
"""
