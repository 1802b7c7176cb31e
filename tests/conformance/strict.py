"""Makes copies of the vendors' API documents that are as strict as the live APIs.

The published documents leave out what the live APIs refuse: unknown body properties, quantities below 1, calls without
a key; and 429, which any call may be answered with. The rest stays as published. Queries judges what a validator of
OpenAPI lets pass: parameters of a query that are not in the document, and fields that only a description lists.
"""

import json
import os
import re
from urllib.parse import parse_qsl

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


class Queries:
    """The query strings that a document allows."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        self.calls = []  # (method, pattern of the path, {name of a parameter: its description}), fixed paths first
        for template, item in sorted(document["paths"].items(), key=lambda pair: pair[0].count("{")):
            pattern = re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)))
            for method in METHODS:
                if method in item:
                    listed = [resolve(document, one) for one in item.get("parameters", []) + item[method].get("parameters", [])]
                    self.calls.append((method.upper(), pattern, {one["name"]: one.get("description", "")
                                                                 for one in listed if one["in"] == "query"}))
        self.custom_fields = set()  # names of custom fields by which the account can be asked

    def faults(self, method, path, query):
        """What the document does not allow in the query: a list of sentences. A path that it does not have is not judged."""
        known = next((names for its, pattern, names in self.calls if its == method and pattern.fullmatch(path)), None)
        found = []
        for name, value in [] if known is None else parse_qsl(query, keep_blank_values=True):
            if name not in known:
                found.append(f"request.query {method} {path} has no parameter {name}")
            elif name == "filter":
                found += self.filter_faults(path, value, known[name])
            elif name == "fields" and "(Available fields are:" in known[name]:
                listed = re.findall(r"\w+", known[name].split("(Available fields are:")[1].split(")")[0])
                found += [f"request.query {path} has no field {one}" for one in value.split(",") if one not in listed]
        return found

    def filter_faults(self, path, value, description):
        listed = set(re.findall(r"(?m)^- \([^)]*\) `(\w+)`", description))
        if "Custom fields can be filtered" in description:
            listed |= self.custom_fields
        fields = [re.match(r"(\w+)(==|[<>]=?)", clause) for clause in value.split(";")]
        if None in fields:
            return [f"request.query {path} has a filter without a field"]
        return [f"request.query {path} cannot be filtered by {one[1]}" for one in fields if one[1] not in listed]
