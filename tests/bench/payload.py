"""What each run of a load carries, here and at the peers."""

import json

# With its name some 200 bytes of JSON.
PARAMETERS = json.dumps({"padding": "x" * 185})
