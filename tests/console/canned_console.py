"""The console's server and page as a process, in front of answers that the test chooses."""

import os

import canned
from processes import RUNS, Process, binary, wait_until

TOOLS = os.environ.get("BIGFUSION_TOOLS", "/usr/local/lib/bigfusion-tools")
TOKEN = "sesame-open-now"  # noqa: S105


class Canned:
    """The console's server and page in front of answers that the test chooses."""

    def __init__(self, run, token=TOKEN, listen="127.0.0.1:0"):
        self.run = os.path.join(RUNS, run)
        self.answers = os.path.join(self.run, "answers")
        os.makedirs(self.run, exist_ok=True)
        canned.write(self.answers)
        self.process = Process("console-canned", [binary("console-canned"), self.answers, listen, *([token] if token else [])], self.run)
        line = wait_until(lambda: [one for one in self.process.text().splitlines() if "for=console" in one and one.count("=") > 3], 20,
                          lambda: f"the console to listen: {self.process.tail()}")[0]
        self.port = int(line.split("address=")[1].split()[0].rsplit(":", 1)[1])
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"

    def stop(self):
        return self.process.stop()
