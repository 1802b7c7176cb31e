#!/usr/bin/env python3
"""make conformance: 500 orders with every request of poller and pusher going through a validating proxy.

Usage: tests/conformance/conformance.py [--documents DIR] [--orders N]

DIR holds keap-v2.openapi.yaml and bigcommerce.openapi.yaml (default: ../shared/apis beside the checkout). Strict copies
of them are put in front of the sandbox by Prism. First the proxy proves itself: five bad requests give five violations.
Ends with `conformance: requests=N creates=M violations=0`; exit status 1 when a request breaks a document.
"""

import argparse
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import strict  # noqa: E402
from processes import BUILD, ROOT, Process, free_port, http_call, wait_until  # noqa: E402
from stack import KEY, SERVICES, Stack, run_name  # noqa: E402

ORDER = {"contact_id": "1", "order_title": "BC #1", "order_time": "2026-01-02T03:04:05Z", "order_type": "ONLINE"}
BAD_REQUESTS = (  # what is wrong, method, path, body
    ("unknown property", "POST", "/rest/v2/orders", {**ORDER, "currency": "USD"}),
    ("wrong type", "POST", "/rest/v2/orders", {**ORDER, "order_title": 5}),
    ("bad enum", "POST", "/rest/v2/orders", {**ORDER, "order_type": "Online"}),
    ("missing member", "POST", "/rest/v2/orders", {k: v for k, v in ORDER.items() if k != "order_time"}),
    ("unknown query value", "POST", "/rest/v2/contacts?duplicate_option=Phone", {"given_name": "A"}),
)


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
    """Prism in front of one side of the sandbox."""

    def __init__(self, name, program, document, upstream, run):
        self.port = free_port()
        self.process = Process(name, [program, "proxy", "--host", "127.0.0.1", "--port", str(self.port), document,
                                      upstream], run, env={**os.environ, "FORCE_COLOR": "0", "NO_COLOR": "1"})
        wait_until(lambda: "Prism is listening" in self.process.text(), 60,
                   lambda: f"the proxy to start: {self.process.tail()}")
        self.address = f"127.0.0.1:{self.port}"

    def requests(self):
        return sum("Request received" in line for line in self.process.text().splitlines())

    def violations(self, side="request"):
        marker = f"Violation: {side}"
        return [line.split("Violation: ")[1] for line in self.process.text().splitlines() if marker in line]


def prove(proxy):
    """Each bad request must give exactly one violation."""
    for number, (what, method, path, body) in enumerate(BAD_REQUESTS, 1):
        http_call(proxy.address, method, path, body, {"X-Keap-API-Key": KEY})
        wait_until(lambda: len(proxy.violations()) >= number, 10, f"the proxy to see: {what}")
        if len(proxy.violations()) != number:
            raise SystemExit(f"conformance: {what}: {proxy.violations()[number - 1:]}")
    print(f"conformance: the proxy proved itself: {len(BAD_REQUESTS)} bad requests, {len(BAD_REQUESTS)} violations")


def report(name, lines):
    for line in sorted(set(lines))[:10]:
        print(f"  {name}: {lines.count(line)} x {line}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", default=os.path.join(ROOT, os.pardir, "shared", "apis"))
    parser.add_argument("--orders", type=int, default=500)
    arguments = parser.parse_args()
    keap = os.path.join(arguments.documents, "keap-v2.openapi.yaml")
    bigcommerce = os.path.join(arguments.documents, "bigcommerce.openapi.yaml")
    for path in (keap, bigcommerce):
        if not os.path.exists(path):
            raise SystemExit(f"conformance: {path} is missing; --documents names the folder with the API documents")
    program = install_prism()

    with Stack(run_name("conformance"), orders=arguments.orders,
               store={"payments": "paid", "payment_type": "Credit Card (Manual)"}) as stack:
        strict.write(keap, f"{stack.run}/keap.json", "X-Keap-API-Key")
        strict.write(bigcommerce, f"{stack.run}/bigcommerce.json")
        stack.start_servers()
        trial = Proxy("proxy-trial", program, f"{stack.run}/keap.json", f"{stack.url}/crm", stack.run)
        prove(trial)
        trial.process.stop()
        proxies = {"infusionsoft": Proxy("proxy-is", program, f"{stack.run}/keap.json", f"{stack.url}/crm", stack.run),
                   "bigcommerce": Proxy("proxy-bc", program, f"{stack.run}/bigcommerce.json", stack.url, stack.run)}
        stack.account["api_url"] = f"http://{proxies['infusionsoft'].address}/rest/v2"
        stack.stores[0]["api_url"] = f"http://{proxies['bigcommerce'].address}"
        stack.start_services(SERVICES)
        stack.wait_drained(300, progress=lambda done, total: print(f"\r{done} of {total}", end="", file=sys.stderr))
        print(file=sys.stderr)
        judge = stack.judge()
        creates = judge.created
        requests = sum(proxy.requests() for proxy in proxies.values())
        violations = [v for proxy in proxies.values() for v in proxy.violations()]
        for name, proxy in proxies.items():
            report(f"request to {name}", proxy.violations())
            report(f"answer of the sandbox's {name}", proxy.violations("response"))
            proxy.process.stop()
    print(f"conformance: requests={requests} creates={creates} violations={len(violations)}")
    return 1 if violations or judge.violations or not creates else 0


sys.exit(main())
