"""Prints what a Kubernetes manifest says of the container, as JSON. Argument: the file."""

import json
import sys

import yaml

with open(sys.argv[1], encoding="utf-8") as file:
    documents = [document for document in yaml.safe_load_all(file) if document]

(deployment,) = [document for document in documents if document["kind"] == "Deployment"]
(service,) = [document for document in documents if document["kind"] == "Service"]
pod = deployment["spec"]["template"]["spec"]
(container,) = pod["containers"]
assert service["spec"]["selector"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
assert all(port["targetPort"] in [own["name"] for own in container["ports"]] for port in service["spec"]["ports"])
print(
    json.dumps(
        {
            "args": container["args"],
            "env": [variable["name"] for variable in container["env"]],
            "ports": {port["name"]: port["containerPort"] for port in container["ports"]},
            "probes": {name: container[name]["httpGet"] for name in ("startupProbe", "readinessProbe", "livenessProbe")},
            "grace": pod["terminationGracePeriodSeconds"],
            "root": pod["securityContext"]["runAsNonRoot"] is not True,
            "writes": container["securityContext"]["readOnlyRootFilesystem"] is not True,
        }
    )
)
