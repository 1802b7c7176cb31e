"""A stack whose `bigfusion doctor` is asked, and what it found."""

import json
import subprocess
import time

from processes import binary
from shop_stack import Shop

SECRETS = ("sandbox-bc-token", "KeapAK-sandbox", "sandbox-secret", "sandbox-refresh", "sandbox-access")


class Report:
    """The answer of one run: findings by check, or by check and subject where there are several."""

    def __init__(self, answer, seconds):
        self.status, self.seconds, self.text = answer.returncode, seconds, answer.stdout + answer.stderr
        self.json = json.loads(answer.stdout)
        self.findings = self.json["findings"]

    def of(self, check, subject=None):
        found = [f for f in self.findings if f["check"] == check and subject in (None, f["subject"])]
        assert len(found) == 1, (check, subject, self.findings)
        return found[0]

    def bad(self):
        """The checks that are not ok. An old librdkafka is the machine's fault; nothing has the broker's time in a new topic."""
        return {f["check"]: f["level"] for f in self.findings
                if f["level"] != "ok" and f["check"] not in ("librdkafka", "kafka clock")}

    def says(self, check, level, finding, advice, subject=None):
        """Asserts what the check found and what it advises."""
        found = self.of(check, subject)
        assert found["level"] == level and finding in found["finding"] and advice in found["advice"], found


class Patient(Shop):
    """A stack without services, whose doctor is asked."""

    def doctor(self, *words, config=None, limit=None, **env):
        """env: more of the environment, BIGFUSION_ added to each name."""
        environment = {**self.environment(), **{f"BIGFUSION_{name}": value for name, value in env.items()}}
        begun = time.monotonic()
        answer = subprocess.run([binary("bigfusion"), "doctor", *words, "--config", config or self.config], env=environment,
                                capture_output=True, text=True, timeout=60, check=False, preexec_fn=limit)
        return answer, time.monotonic() - begun

    def report(self, **more):
        answer, seconds = self.doctor("--json", **more)
        report = Report(answer, seconds)
        for secret in SECRETS:
            assert secret not in report.text
        counts = {level: sum(f["level"] == level for f in report.findings) for level in ("ok", "warn", "fail")}
        assert counts == {level: report.json[level] for level in counts}
        assert report.json["skipped"] == len(report.findings) - sum(counts.values())
        return report

    def variant(self, name, *changes, more=""):
        """A second settings file: each change is (old text, new text)."""
        with open(self.config, encoding="utf-8") as file:
            text = file.read()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        with open(f"{self.run}/{name}.conf", "w", encoding="utf-8") as file:
            file.write(text + more)
        return f"{self.run}/{name}.conf"
