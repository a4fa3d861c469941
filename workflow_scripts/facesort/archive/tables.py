"""The tables of an archive: what their columns are called, and what each holds.

Whoever reads or writes one takes its columns from here.
"""

from typing import Final

import pyarrow as pa

from facesort.common.emotions import EMOTIONS
from facesort.faces import facs

# As seen: the left eye is the one further left in a face that stands upright.
POINTS: Final = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
# What is read off a face: "answered", or why it is not. The first that holds counts.
STATES: Final = ("answered", "small", "covered", "turned", "blurred")
APPARENT: Final = ("smiling", "mouth_open", "brows_raised", "frowning", "eyes_closed")
# The tag of an emotion: how a face looks, not what a person feels.
LOOKS: Final = dict(
    zip(
        EMOTIONS,
        (
            *("looks angry", "looks contemptuous", "looks disgusted", "looks afraid"),
            *("looks happy", "looks neutral", "looks sad", "looks surprised"),
        ),
        strict=True,
    )
)
UNSURE: Final = "unsure"
# What a photo's row says if not all is well.
PROBLEMS: Final = ("no face", "no face answered", "lies on its side", "upside down")

MOVEMENTS: Final = tuple(facs.columns(facs.table()))
# Which face of which photo: `photo` is a path below the folder, `face` counts from 0.
KEY: Final = {"photo": pa.string(), "face": pa.int32()}
BOX: Final = ("left", "top", "width", "height")
# Of a face that was found, in the order of the journal's numbers; all float32.
FOUND: Final = (
    *BOX,  # pixels of the photo as it is shown
    "detected",  # the detector's score, 0 to 1
    *(f"{point}_{axis}" for point in POINTS for axis in "xy"),  # pixels, as the box
    # These are NaN of faces that are not looked at, since they are too small.
    *("yaw", "pitch", "roll"),  # degrees, signed as headYaw and so on (faces/movements.py)
    "sharpness",  # 0: nothing but blur (face_reader.py)
    "presence",  # how sure the mesh's network is of a face, 0 to 1
    "size",  # shorter side of the box, pixels
)

# Of a photo: when it was taken by the camera's clock, if told; the camera's name of its burst, or
# ""; how sharp it is where it is sharpest, to compare with photos of the same scene (shot.py).
SHOT: Final = {
    "taken": pa.timestamp("ms"),
    "burst": pa.string(),
    "sharpness": pa.float32(),
}

# Of each job, sorted likewise. results/archive/found/{job}.parquet: a row a face; `seen` is what a
# model sees of it, where one answers.
FOUND_FACES: Final = pa.schema(
    [
        *KEY.items(),
        *((name, pa.float32()) for name in FOUND),
        ("state", pa.string()),
        *((name, pa.float32()) for name in MOVEMENTS),
        ("seen", pa.binary()),
    ]
)
# results/archive/answers/{job}.parquet: a row a face that is answered.
ANSWERS: Final = pa.schema([*KEY.items(), *((emotion, pa.float32()) for emotion in EMOTIONS)])
# results/archive/read/{job}.parquet: a row a photo that was read; `turns` is by how many quarters
# it was turned clockwise to find its faces.
READ: Final = pa.schema(
    [
        ("photo", pa.string()),
        *((name, pa.int32()) for name in ("width", "height", "orientation", "turns")),
        *SHOT.items(),
        ("faces", pa.int32()),
        ("keywords", pa.string()),  # joined by ";", levels by "/"; none of ours
    ]
)
# results/archive/refused/{job}.parquet: a row a file that was not.
REFUSED_FILES: Final = pa.schema([("photo", pa.string()), ("reason", pa.string())])

# results/archive/named/{job}.parquet: a row a region with a person's name, that other programs
# have put into XMP; pixels as of BOX.
NAMED: Final = pa.schema(
    [("photo", pa.string()), ("name", pa.string()), *((edge, pa.float32()) for edge in BOX)]
)
# results/archive/said/{job}.parquet: a row a tag of ours that a person has changed in a sidecar;
# columns of review.COLUMNS.
SAID: Final = pa.schema(
    [
        *(*KEY.items(), *((edge, pa.float32()) for edge in BOX)),
        *((name, pa.string()) for name in ("tag", "verdict", "by", "at")),
    ]
)

# results/archive/faces.parquet: a row a face, sorted by photo, then from left to right.
FACES: Final = pa.schema(
    [
        *KEY.items(),
        *((name, pa.float32()) for name in FOUND),
        ("state", pa.string()),  # one of STATES
        *((name, pa.float32()) for name in MOVEMENTS),  # NaN if not answered
        *((name, pa.float32()) for name in (*APPARENT, *EMOTIONS)),  # probabilities, NaN likewise
        ("tags", pa.string()),  # those that are given, joined by ";"
        ("look", pa.string()),  # "looks happy" and so on, "unsure", or "" if not answered
        ("name", pa.string()),  # the person's, if another program's region is of this face
    ]
)
# Of these, results/archive/faces.csv; numbers are whole pixels.
FACES_IN_SHORT: Final = (*KEY, *BOX, "state", "look", "tags", "name")
# The words of tags: "mouth open" of mouth_open.
TAGS: Final = (*(name.replace("_", " ") for name in APPARENT), *LOOKS.values())
# results/archive/photos.parquet and .csv: a row a photo that was read.
PHOTOS: Final = pa.schema(
    [
        ("photo", pa.string()),
        ("width", pa.int32()),  # pixels, as shown
        ("height", pa.int32()),
        ("orientation", pa.int8()),  # 1 to 8: a sidecar's, else EXIF's
        *SHOT.items(),
        ("faces", pa.int32()),
        ("answered", pa.int32()),
        ("unsure", pa.int32()),  # faces that are answered and whose look is unsure
        *((tag.replace(" ", "_"), pa.int32()) for tag in TAGS),  # faces that have the tag
        ("problem", pa.string()),  # "" or one of PROBLEMS
        ("names", pa.string()),  # of all regions, found as faces or not, joined by ";"
        ("keywords", pa.string()),  # as in READ
    ]
)
# results/archive/refused.csv has the columns of REFUSED_FILES: a row a file that is no photo, or is
# left for the next run.
# results/archive/thumbnails/{job}.parquet: a row a face; THUMBNAIL pixels a side, with a margin.
THUMBNAILS: Final = pa.schema([*KEY.items(), ("jpeg", pa.binary())])
THUMBNAIL: Final = 96
# results/archive/previews/{job}.parquet: a row a photo; its longer side has PREVIEW pixels at most.
PREVIEWS: Final = pa.schema([("photo", pa.string()), ("jpeg", pa.binary())])
PREVIEW: Final = 320
