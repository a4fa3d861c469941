"""Stage export: trained classifiers in; files that other programs run, and what they cost, out.

In: models, the faces of the pool and the labelled faces, their landmarks.
Out: ONNX files in three precisions, what to know to use them, what they cost, model cards.
May use: common, faces, train, score (intervals), pages (cards), archive (detector, thresholds).
"""
