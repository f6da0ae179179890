"""Makes what `sam local --env-vars` takes of a function's variables: JSON in, JSON out."""

import json
import sys

variables = json.load(sys.stdin)
# The file is not in the container; the setting takes its text as well.
with open(variables["UPSTREAM_CA_BUNDLE"]) as file:
    variables["UPSTREAM_CA_BUNDLE"] = file.read()
# Of these SAM gives each function those that the template declares for it.
json.dump({"Parameters": variables}, sys.stdout)
