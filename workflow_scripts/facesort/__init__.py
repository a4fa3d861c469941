"""The workflow's library: plain functions that the scripts beside it call and the tests import."""

import os

# ONNX Runtime tells its maker of each model that is loaded, over the network, unless it finds this
# when it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
