"""Prism, the validating proxy, in front of one side of the sandbox; and the bad requests by which it proves itself."""

import os
import re
import shutil
import subprocess
from urllib.parse import urlsplit

import strict
from processes import BUILD, Process, free_port, http_call, wait_until
from stack import KEY, TOKEN

HERE = os.path.dirname(os.path.abspath(__file__))
SENT = re.compile(r'Forwarding "(\w+)" request to (\S+?)\.\.\.$')

ORDER = {"contact_id": "1", "order_title": "BC #1", "order_time": "2026-01-02T03:04:05Z", "order_type": "ONLINE"}
PRODUCT = {"sku": "A", "name": "Apple", "short_description": "Apple", "price": 100}
BAD_REQUESTS = {  # side: what is wrong, method, path, body
    "infusionsoft": (
        ("unknown property", "POST", "/rest/v2/orders", {**ORDER, "currency": "USD"}),
        ("wrong type", "POST", "/rest/v2/orders", {**ORDER, "order_title": 5}),
        ("bad enum", "POST", "/rest/v2/orders", {**ORDER, "order_type": "Online"}),
        ("missing member", "POST", "/rest/v2/orders", {k: v for k, v in ORDER.items() if k != "order_time"}),
        ("unknown query value", "POST", "/rest/v2/contacts?duplicate_option=Phone", {"given_name": "A"}),
        ("unknown property of a product", "PATCH", "/rest/v2/products/1?update_mask=price", {"price": 1, "cost": 2}),
        ("unknown member in a mask", "PATCH", "/rest/v2/products/1?update_mask=cost", {"price": 1}),
        ("no ids to tag", "POST", "/rest/v2/tags/1/contacts:applyTags", {"contact_ids": "1"}),
        ("unknown property of a payment", "POST", "/rest/v2/orders/1/payments",
         {"payment_amount": 1, "payment_method_type": "Cash", "apply_to_commissions": False, "currency": "USD"}),
        ("a note in nobody's name", "POST", "/rest/v2/contacts/1/notes", {"title": "A"}),
        ("unknown field in a filter", "GET", "/rest/v2/products?filter=title%3D%3DA", None),
        ("a filter without a field", "GET", "/rest/v2/tags?filter=Apple", None),
        ("unknown field of a contact", "GET", "/rest/v2/contacts?fields=given_name,mail", None),
        ("unknown parameter", "GET", "/rest/v2/contacts?limit=5", None),
        ("unknown call", "POST", "/rest/v2/contacts/1/tags", {"tag_ids": [1]}),
        ("a way that this call does not have", "DELETE", "/rest/v2/contacts/1", None),
    ),
    "bigcommerce": (
        ("wrong type", "GET", "/stores/abc123/v2/orders?min_id=first", None),
        ("unknown query value", "GET", "/stores/abc123/v3/customers?sort=id:asc", None),
        ("unknown order of a catalogue", "GET", "/stores/abc123/v3/catalog/products?sort=created", None),
        ("unknown part", "GET", "/stores/abc123/v2/orders?include=lines", None),
        ("unknown parameter", "GET", "/stores/abc123/v3/catalog/products?id:after=5", None),
        ("unknown call", "GET", "/stores/abc123/v3/orders", None),
    ),
}


def install_prism():
    """Prism from npm into the build folder, in the version that package.json names."""
    folder = os.path.join(BUILD, "conformance")
    program = os.path.join(folder, "node_modules", ".bin", "prism")
    if not os.path.exists(program):
        os.makedirs(folder, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(HERE, name), folder)
        print("conformance: installing the proxy", flush=True)
        subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True)
    return program


class Proxy:
    """Prism in front of one side of the sandbox. What it lets pass unjudged, the query strings, is judged here."""

    def __init__(self, name, program, document, upstream, run):
        """
        document: a strict one, in a file; upstream: the address of the sandbox behind which the document's paths begin.
        """
        self.queries = strict.Queries(document)
        self.base = urlsplit(upstream).path
        self.port = free_port()
        self.process = Process(name, [program, "proxy", "--host", "127.0.0.1", "--port", str(self.port), document,
                                      upstream], run, env={**os.environ, "FORCE_COLOR": "0", "NO_COLOR": "1"})
        wait_until(lambda: "Prism is listening" in self.process.text(), 60,
                   lambda: f"the proxy to start: {self.process.tail()}")
        self.address = f"127.0.0.1:{self.port}"

    def lines(self):
        return self.process.text().splitlines()

    def received(self):
        return sum("Request received" in line for line in self.lines())

    def sent(self):
        """(method, path of the document, query string) of each request that went on to the sandbox."""
        found = []
        for line in self.lines():
            match = SENT.search(line)
            if match:
                url = urlsplit(match[2])
                found.append((match[1].upper(), url.path.removeprefix(self.base), url.query))
        return found

    def violations(self, side="request"):
        marker = f"Violation: {side}"
        found = [line.split("Violation: ")[1] for line in self.lines() if marker in line]
        if side == "request":
            found += [fault for request in self.sent() for fault in self.queries.faults(*request)]
            found += ["it is in no document"] * (self.received() - len(self.sent()))
        return found


def prove(proxy, side):
    """Each bad request must give a violation. Returns their number."""
    headers = {"X-Keap-API-Key": KEY} if side == "infusionsoft" else {"X-Auth-Token": TOKEN}
    for number, (what, method, path, body) in enumerate(BAD_REQUESTS[side], 1):
        http_call(proxy.address, method, path, body, headers)
        wait_until(lambda: proxy.received() == number and len(proxy.violations()) >= number, 10,
                   lambda: f"the proxy to see: {what}: {proxy.violations()}")
        if len(proxy.violations()) != number:
            raise SystemExit(f"conformance: {what}: {proxy.violations()[number - 1:]}")
    return len(BAD_REQUESTS[side])
