"""Makes copies of the vendors' API documents that are as strict as the live APIs.

The published documents leave out what the live APIs refuse: unknown body properties, quantities below 1, calls without
a key; and 429, which any call may be answered with. The rest stays as published.
"""

import json
import os

import yaml

METHODS = ("get", "put", "post", "patch", "delete")


def resolve(document, node):
    while isinstance(node, dict) and "$ref" in node:
        target = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def close_schema(document, schema, seen):
    """Refuses unknown properties in a request schema and everything below it."""
    schema = resolve(document, schema)
    if not isinstance(schema, dict) or id(schema) in seen:
        return
    seen.add(id(schema))
    if "properties" in schema and "additionalProperties" not in schema:
        schema["additionalProperties"] = False
    for name, below in schema.get("properties", {}).items():
        if name == "quantity":
            resolve(document, below)["minimum"] = 1
        close_schema(document, below, seen)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            close_schema(document, schema[key], seen)
    for key in ("oneOf", "anyOf"):
        for below in schema.get(key, []):
            close_schema(document, below, seen)


def operations(document):
    for path in document["paths"].values():
        for method in METHODS:
            if method in path:
                yield path[method]


def strict(document, key_header=None):
    """Changes the document in place: request bodies closed, 429 declared, and the key, where one is named, required."""
    seen = set()
    for operation in operations(document):
        for content in resolve(document, operation.get("requestBody", {})).get("content", {}).values():
            close_schema(document, content.get("schema", {}), seen)
        operation["responses"].setdefault("429", {"description": "throttled"})
        if key_header:
            operation.pop("security", None)
    if key_header:
        document["components"]["securitySchemes"] = {"key": {"type": "apiKey", "in": "header", "name": key_header}}
        document["security"] = [{"key": []}]
    return document


def write(source, target, key_header=None):
    with open(source, encoding="utf-8") as file:
        document = strict(yaml.safe_load(file), key_header)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "w", encoding="utf-8") as file:
        json.dump(document, file, default=str)
