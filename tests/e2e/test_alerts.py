"""Every alert of deploy/monitoring fires for its real fault and clears after it: real services and faults of the sandbox, asked
by a real Prometheus. Minutes of the rules are seconds here, see alerts.yml. /metrics is checked beside that."""

import json
import os
import re
import subprocess
from urllib.parse import quote

import pytest
from processes import ROOT, Process, free_port, http_call, wait_until
from shop import mail, order
from shop_stack import Shop

TOOLS = os.environ.get("BIGFUSION_TOOLS", "/usr/local/lib/bigfusion-tools")
SERVICES = ("poller", "filter", "mapper", "pusher")
RETRY_S = 24  # longer than the 15 minutes, which are 15 seconds here, for which an order may wait in a lane
IN_HAND_S = 28  # the account's pause after a 429, which a pusher spends with the order in hand
NAME = {"first_name": "Zebulon", "last_name": "Quartermaine", "phone": "5559876501", "street_1": "77 Undisclosed Alley"}


class Watched(Shop):
    """A shop with an OAuth account and a Prometheus that scrapes its services twice a second."""

    def start(self, services=SERVICES, setup=True):
        self.start_servers()
        for name, secret in (("client_secret", "sandbox-secret"), ("refresh_token", "sandbox-refresh-1")):
            with open(os.open(f"{self.run}/{name}", os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
                file.write(secret + "\n")
        os.mkdir(f"{self.run}/state")
        self.account.update({
            "auth": "oauth", "client_id": "sandbox-client", "client_secret_file": f"{self.run}/client_secret",
            "refresh_token_file": f"{self.run}/refresh_token", "token_state_file": f"{self.run}/state/token",
            "token_url": f"{self.url}/token"})
        self.start_services(services, setup)
        self.start_service("console", env={"BIGFUSION_CONSOLE_INDEX_FILE": f"{self.run}/index.sqlite",
                                           "BIGFUSION_CONSOLE_LISTEN": "127.0.0.1:0"})
        self.wait_ready("console")
        self.start_prometheus()
        return self

    def start_prometheus(self):
        with open(os.path.join(ROOT, "deploy/monitoring/alerts.yml"), encoding="utf-8") as file:
            rules = file.read()
        rules = re.sub(r"(for: |\[)(\d+)m\b", r"\1\2s", rules).replace("* 60", "* 1")
        with open(f"{self.run}/alerts.yml", "w", encoding="utf-8") as file:
            file.write(rules)
        targets = [{"targets": [f"127.0.0.1:{self.ports[name]}"], "labels": {"service": name}} for name in (*SERVICES, "console")]
        with open(f"{self.run}/prometheus.yml", "w", encoding="utf-8") as file:
            json.dump({"global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"},
                       "rule_files": ["alerts.yml"],
                       "scrape_configs": [{"job_name": "bigfusion", "static_configs": targets}]}, file)
        address = f"127.0.0.1:{free_port()}"
        self.prometheus = address
        self.watcher = Process("prometheus", [
            f"{TOOLS}/prometheus", f"--config.file={self.run}/prometheus.yml", f"--storage.tsdb.path={self.run}/prometheus",
            f"--web.listen-address={address}", "--log.level=warn"], self.run)
        wait_until(self.prometheus_ready, 30, lambda: f"prometheus: {self.watcher.tail()}")

    def prometheus_ready(self):
        try:
            return http_call(self.prometheus, "GET", "/-/ready", timeout=2)[0] == 200
        except OSError:
            return False

    def stop(self):
        if getattr(self, "watcher", None) is not None:
            self.watcher.stop()
        return super().stop()

    def alerts(self):
        """[labels] of the alerts that fire now."""
        data = json.loads(http_call(self.prometheus, "GET", "/api/v1/alerts")[1])["data"]["alerts"]
        return [one["labels"] for one in data if one["state"] == "firing"]

    def fires(self, name, **labels):
        return any(one["alertname"] == name and labels.items() <= one.items() for one in self.alerts())

    def query(self, text):
        data = json.loads(http_call(self.prometheus, "GET", f"/api/v1/query?query={quote(text, safe='')}")[1])
        return [(one["metric"], float(one["value"][1])) for one in data["data"]["result"]]

    def wait_alert(self, name, timeout=60, **labels):
        wait_until(lambda: self.fires(name, **labels), timeout, lambda: f"{name} {labels} to fire; now {self.alerts()}; {self.trouble()}")

    def wait_quiet(self, *names, timeout=90):
        wait_until(lambda: not set(names) & {one["alertname"] for one in self.alerts()}, timeout,
                   lambda: f"{names} to end; now {self.alerts()}; {self.trouble()}")


@pytest.fixture(scope="module")
def stack():
    with Watched("e2e-alerts", stores=[{"name": "main", "hash": "abc123"}, {"name": "second", "hash": "abc124", "code": "S1"}],
                 account={"rate_per_s": 100, "rate_per_min": 10000, "rate_per_day": 100000},
                 settings={"pusher": {"retry_delays_s": f"{RETRY_S},{RETRY_S},{RETRY_S}"}}) as one:
        one.start()
        yield one
        statuses = one.stop()
        assert set(statuses.values()) == {0}, statuses


def placed(stack, word, **more):
    return stack.place(order(mail(word), billing=NAME, **more))


@pytest.fixture(scope="module")
def waiting_order(stack):
    """An order that waits in a retry topic longer than the rules allow in a lane. It raises nothing, whatever else happens."""
    wait_until(lambda: stack.query('up{job="bigfusion"} == 1') and not stack.alerts(), 40, lambda: f"peace: {stack.alerts()}")
    one = order(mail("waits"), billing=NAME)
    stack.fault(side="is", method="POST", path="/contacts", kind="status", status=500, match=one["billing_address"]["email"], count=1)
    one = stack.place(one)
    wait_until(lambda: stack.query('bigfusion_records_total{verdict="retry"} > 0'), 30, stack.trouble)
    return one


def test_dead_orders_goals_and_totals(stack, waiting_order):
    placed(stack, "dead", total_inc_tax="999.0000")
    stack.fault(side="is", path="/automations/goals/achieve", kind="status", status=200,
                body='{"results":[{"success":false,"message":"No goal is named so"}]}', count=1)
    stack.sandbox_settings(total_off_by_cents=1)
    stack.place_and_wait(order(mail("goals"), billing=NAME))
    stack.sandbox_settings(total_off_by_cents=0)
    stack.wait_alert("BigfusionDeadGrowing")
    stack.wait_alert("BigfusionGoalsNotAchieved", result="not_achieved")
    stack.wait_alert("BigfusionOrderToCheck", kind="total_differs")


def test_quota(stack):
    """Somebody else uses most of the day."""
    stack.sandbox_settings(quota={"per_s": 0, "per_min": 0, "per_day": 300})
    for _ in range(280):
        stack.infusionsoft("GET", "/businessProfile")
    stack.place_and_wait(order(mail("quota"), billing=NAME))
    stack.wait_alert("BigfusionQuotaRunningOut", account="main")
    stack.sandbox_settings(quota="off")
    stack.redis.command("DEL", f"{stack.prefix}:quota:main:day-left")  # as on the next day
    stack.place_and_wait(order(mail("quota"), billing=NAME))
    stack.wait_quiet("BigfusionQuotaRunningOut")


def test_faults_at_once(stack, waiting_order):
    """An order that the pusher has in hand, a stage that ended, a store that does not answer, clocks that are behind."""
    stack.fault(side="is", method="GET", path="/contacts", kind="status", status=429, headers={"Retry-After": str(IN_HAND_S)}, count=1)
    slow = placed(stack, "slow")
    wait_until(lambda: any(e["status"] == 429 for e in stack.journal()), 20, stack.trouble)
    stack.services["mapper"].stop()
    stack.fault(side="bc", store="abc124", kind="status", status=503)
    stack.sandbox_settings(clock_skew_s=-300)
    stack.wait_alert("BigfusionOrderTooOld", stage="pusher")  # first, because these two end when the pusher goes on
    stack.wait_alert("BigfusionOrderTooOld", list="queued")
    stack.wait_alert("BigfusionTargetDown", service="mapper")
    stack.wait_alert("BigfusionStageWithoutMembers", stage="mapper")
    stack.wait_alert("BigfusionClockSkew", store="abc123")
    stack.wait_alert("BigfusionStoreSilent", store="abc124")
    # On a busy machine a program may miss a few scrapes. An alert that is wrong does not end by itself.
    wait_until(lambda: not stack.fires("BigfusionStoreSilent", store="abc123"), 20, "the other store not to be silent")
    wait_until(lambda: not stack.fires("BigfusionStageWithoutMembers", stage="filter"), 20, "the filter to be a member")
    stack.clear_faults()
    stack.sandbox_settings(clock_skew_s=0)
    stack.restart("mapper")
    stack.wait_fate(slow["id"], wanted=("delivered", None), timeout=60)
    stack.wait_quiet("BigfusionTargetDown", "BigfusionStageWithoutMembers", "BigfusionClockSkew", "BigfusionStoreSilent",
                     "BigfusionOrderTooOld")


def test_token_and_a_closed_account(stack):
    stack.fault(side="is", path="/token", kind="status", status=503)
    stack.sandbox_settings(revoke_access_tokens=True)
    one = placed(stack, "token")
    stack.wait_alert("BigfusionTokenDying", account="main")
    stack.wait_alert("BigfusionAccountClosed", account="main", part="all", cause="unauthorized")
    wait_until(lambda: stack.query('bigfusion_account_closed{account="main",cause="unauthorized"} == 1'), 20, stack.trouble)
    stack.clear_faults()
    stack.wait_fate(one["id"], wanted=("delivered", None), timeout=60)
    stack.wait_quiet("BigfusionTokenDying", "BigfusionAccountClosed")


def test_all_is_quiet_and_waiting_raised_nothing(stack, waiting_order):
    stack.wait_fate(waiting_order["id"], wanted=("delivered", None), timeout=90)
    waited = 'max(max_over_time(bigfusion_lag_seconds{kind="retry"}[10m]))'
    wait_until(lambda: stack.query(waited)[0][1] > 15, 10, lambda: f"the order's wait in its retry topic: {stack.query(waited)}")
    names = {(metric.get("topic"), metric.get("list"))
             for metric, _ in stack.query('count_over_time(ALERTS{alertname="BigfusionOrderTooOld"}[10m])')}
    assert names == {(stack.topic("orders.payloads"), None), (None, "queued")}, "only the lane's order was too old"
    waited = 'max(max_over_time(bigfusion_console_oldest_order_seconds{list="retrying"}[10m]))'
    assert stack.query(waited)[0][1] > 15
    wait_until(lambda: not stack.alerts(), 60, lambda: f"all alerts to end: {stack.alerts()}")
    with open(os.path.join(ROOT, "deploy/monitoring/alerts.yml"), encoding="utf-8") as file:
        rules = set(re.findall(r"- alert: (\w+)", file.read()))
    fired = {metric["alertname"] for metric, _ in stack.query('count_over_time(ALERTS{alertstate="firing"}[10m])')}
    assert fired == rules, "each alert fired once"


# -- /metrics itself -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVICES)
def test_metrics_follow_the_conventions(stack, name):
    done = subprocess.run([f"{TOOLS}/promtool", "check", "metrics"], input=stack.metrics(name), capture_output=True, text=True,
                          timeout=30, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def listed():
    """{name: (kind, labels)} of docs/metrics.md"""
    with open(os.path.join(ROOT, "docs/metrics.md"), encoding="utf-8") as file:
        rows = re.findall(r"^\| `(bigfusion_\w+)` \| (\w+) \|([^|]*)\|", file.read(), re.M)
    return {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


@pytest.mark.parametrize("name", (*SERVICES, "console"))
def test_metrics_are_those_of_the_page(stack, name):
    page, text = listed(), stack.metrics(name)
    kinds = dict(re.findall(r"^# TYPE (\S+) (\w+)$", text, re.M))
    assert len(kinds) > 5 and {metric: page.get(metric, ("",))[0] for metric in kinds} == kinds
    for metric, labels in re.findall(r"^(bigfusion_\w+)(?:{(.*)})? \S+$", text, re.M):
        base = metric if metric in kinds else re.sub("_(bucket|sum|count)$", "", metric)
        found = set(re.findall(r'(\w+)="', labels)) - {"le"}
        assert found == page[base][1] or (base == "bigfusion_alarms_total" and found == {"kind"}), (metric, labels)


def test_every_metric_of_the_page_is_made_by_a_program(stack):
    made = set(re.findall(r"^# TYPE (\S+)", "".join(stack.metrics(name) for name in (*SERVICES, "console")), re.M))
    assert made == set(listed())


def test_metrics_tell_nothing_of_people(stack):
    text = "".join(stack.metrics(name) for name in (*SERVICES, "console"))
    for word in (*NAME.values(), "@", "example.com"):
        assert word not in text
    assert len(text.splitlines()) < 2000, "label values are few"
