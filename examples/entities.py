"""Writes so many sample entities to standard output, a line each: for sizing, see docs/sizing.md."""

import json
import sys

DEPARTMENTS = [f"department-{number}" for number in range(200)]
SYSTEMS = ["Linux", "Windows", "AIX"]
PLACES = ["london", "frankfurt", "new-york", "singapore"]

for number in range(int(sys.argv[1])):
    attributes = {
        "itrs.type": "host" if number % 5 else "database",
        "itrs.os-type": SYSTEMS[number % len(SYSTEMS)],
        "user.department": DEPARTMENTS[number * 7 % len(DEPARTMENTS)],
        "user.region": PLACES[number % len(PLACES)],
        "user.owner": f"team-{number % 5000}@example.com",
    }
    print(json.dumps({"id": f"host/web-{number:07}", "attributes": attributes}))
