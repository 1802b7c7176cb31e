"""Processes that a run starts: each with its own log file, ended with the run, never by name.

Process starts one; wait_until waits for a condition with a deadline; DevBroker, Kafka and Redis are the servers behind
a run. Kcat helpers read and write topics byte for byte.
"""

import atexit
import ctypes
import http.client
import io
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
RUNS = os.environ.get("BIGFUSION_RUNS") or os.path.join(ROOT, "build", "out")

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class TimedOut(Exception):
    pass


def wait_until(condition, timeout, what, interval=0.05):
    """The first true value of condition(); TimedOut when there is none within timeout seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimedOut(f"waited {timeout} s for {what() if callable(what) else what}")
        time.sleep(interval)


def ticks(per_second, seconds=None, scatter=None):
    """Yields 0, 1, 2 ... at an even rate, for so long or for ever: the pace of orders that are placed and of samples that
    are taken. With scatter, a random.Random, each comes somewhere in its span of time, so that it keeps step with no other clock.
    What is late comes at once. Never a wait for a result: that is wait_until."""
    start = time.monotonic()
    for number in itertools.count():
        due = number / per_second
        if seconds is not None and due >= seconds:
            return
        due += scatter.random() / per_second if scatter else 0
        time.sleep(max(0.0, start + due - time.monotonic()))
        yield number


def _ports():
    """Ports of 127.0.0.1 that no outgoing connection takes (the kernel gives those from 32768 on). Test processes that run beside
    each other begin at different places."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    first = 10000 + (worker * 5000 + os.getpid() * 7) % 20000
    while True:
        yield from range(first, 32000)
        first = 10000


_free_ports = _ports()


def free_port():
    """A port that nothing listens on, and that this process was not given before, until they are used up."""
    for port in _free_ports:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port")


def binary(name):
    path = os.path.join(BUILD, "bin", name)
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path} is not there: run make first")
    return path


def die_with_parent():
    """For preexec_fn: the process ends when the thread that started it does."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """One process; its output goes to run/<name>.log, appended over restarts."""

    running = []

    def __init__(self, name, command, run, env=None, stdout_line=None):
        self.name, self.command, self.env = name, command, env
        self.log = os.path.join(run, f"{name}.log")
        self.offset = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        with open(self.log, "ab") as out:
            # The death signal follows the thread that forked, so processes are started from the main thread.
            self.popen = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=env,
                                          preexec_fn=die_with_parent)
        Process.running.append(self)
        if stdout_line:
            self.address = wait_until(lambda: self.find(stdout_line), 20, lambda: f"{name} to start: {self.tail()}")

    @property
    def pid(self):
        return self.popen.pid

    def alive(self):
        return self.popen.poll() is None

    def text(self):
        """What it has printed since this start."""
        with open(self.log, "rb") as file:
            file.seek(self.offset)
            return file.read().decode("utf-8", "replace")

    def tail(self, lines=8):
        return "\n".join(self.text().splitlines()[-lines:])

    def find(self, prefix):
        for line in self.text().splitlines():
            if line.startswith(prefix):
                return line[len(prefix):].strip()
        if not self.alive():
            raise RuntimeError(f"{self.name} ended with {self.popen.returncode}: {self.tail()}")
        return None

    def signal(self, number):
        if self.alive():
            self.popen.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.popen.wait()
        self.forget()

    def terminate(self):
        """TERM, once: a second one would make it leave at once."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)

    def wait(self, timeout=15):
        """The exit status after terminate(), or None when it had to be killed."""
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            return None
        finally:
            self.forget()

    def stop(self, timeout=15):
        self.terminate()
        return self.wait(timeout)

    def forget(self):
        if self in Process.running:
            Process.running.remove(self)


@atexit.register
def _kill_all():
    for process in list(Process.running):
        process.kill()


class DevBroker:
    """librdkafka's in-memory cluster: no admin calls, so its topics are named at the start."""

    real = False

    def __init__(self, run, topics, partitions=4):
        self.process = Process("devbroker", [binary("bigfusion-devbroker"), "--partitions", str(partitions),
                                             "--topics", ",".join(topics)], run, stdout_line="listening on ")
        self.address = self.process.address

    def stop(self):
        self.process.stop()


class Kafka:
    """A real Apache Kafka, one node, empty at first; may be killed and started again on the same data and port."""

    real = True

    def __init__(self, run, settings=None):
        """settings: more lines of server.properties."""
        self.run, self.settings, self.env = run, settings or {}, {}
        self.port, self.controller_port = free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.process = None
        shutil.rmtree(f"{run}/kafka", ignore_errors=True)
        subprocess.run([f"{ROOT}/tests/kafka/run.sh", "fetch"], check=True, stdout=subprocess.DEVNULL)
        self.start()

    def start(self):
        self.process = Process("kafka", [f"{ROOT}/tests/kafka/run.sh", f"{self.run}/kafka", str(self.port),
                                         str(self.controller_port)], self.run,
                               env={**os.environ, **self.env,
                                    "KAFKA_SETTINGS": "\n".join(f"{k}={v}" for k, v in self.settings.items())})
        self.wait_ready()

    def wait_ready(self):
        def ready():
            if not self.process.alive():
                raise RuntimeError(f"kafka ended: {self.process.tail()}")
            return subprocess.run(["kcat", "-b", self.address, "-L", "-m", "1"], capture_output=True,
                                  check=False).returncode == 0
        wait_until(ready, 60, "kafka to answer")

    def stop(self):
        self.process.stop(30)


class Redis:
    def __init__(self, run, name="redis", options=()):
        self.run, self.port, self.name, self.options = run, free_port(), name, options
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process = None
        self.start()

    def start(self):
        folder = os.path.join(self.run, self.name)
        os.makedirs(folder, exist_ok=True)
        self.process = Process(self.name, [
            "redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", folder, "--save", "",
            "--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction", *self.options],
            self.run)
        wait_until(self.answers, 30, lambda: f"redis: {self.process.tail()}")

    def answers(self):
        try:
            return self.command("PING") == b"PONG"
        except OSError:
            return False

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def command(self, *words):
        """One command and its one-line answer."""
        with self.connect() as line:
            parts = [word.encode() if isinstance(word, str) else word for word in words]
            line.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
            return line.makefile("rb").readline().strip()[1:]

    def stop(self):
        self.process.stop()


# -- topics, byte for byte -----------------------------------------------------------------------------------------

# key and value are framed by their lengths; the headers end with a mark that no text holds
FORMAT = r"%p %o %T %K %S\n%k%s%h\x1e\x1d\n"
END = b"\x1e\x1d\n"


class Record:
    __slots__ = ("topic", "partition", "offset", "timestamp_ms", "key", "value", "headers")

    def json(self):
        try:
            return json.loads(self.value) if self.value is not None else None
        except (ValueError, RecursionError):
            return None


def _read_record(stream, topic):
    line = stream.readline()
    if not line.endswith(b"\n"):  # the end, or kcat was stopped inside a record
        return None
    record = Record()
    record.topic = topic
    record.partition, record.offset, record.timestamp_ms, key_length, value_length = map(int, line.split())
    record.key = stream.read(max(key_length, 0)).decode("utf-8", "replace") if key_length >= 0 else None
    record.value = stream.read(value_length) if value_length >= 0 else None
    rest = b""
    while not rest.endswith(END):
        more = stream.readline()
        if not more:
            return None
        rest += more
    record.headers = _parse_headers(rest[:-len(END)].decode("utf-8", "replace"))
    return record


HEADER_NAMES = ("kind", "store", "account", "source", "modified_at", "polled_at", "start_from", "reason", "attempt",
                "not_before", "detail", "stage", "origin", "answer", "ledger", "traceparent", "step", "replayed_at", "lane", "leave_out")


def _parse_headers(text):
    """kcat joins headers with commas, which values may hold too: only known names start a new one."""
    headers, name = {}, None
    for part in text.split(","):
        head, sign, value = part.partition("=")
        if sign and head in HEADER_NAMES:
            name = head
            headers[name] = value
        elif name:
            headers[name] += "," + part
    return headers


def read_topic(broker, topic):
    """Every record of a topic, as it is now."""
    answer = subprocess.run(["kcat", "-b", broker, *read_words(topic)], capture_output=True, check=True, timeout=120)
    return parse_records(answer.stdout, topic)


def read_words(topic):
    """What kcat is told to print a topic as parse_records() reads it."""
    return ["-C", "-t", topic, "-o", "beginning", "-e", "-q", "-f", FORMAT]


def parse_records(data, topic):
    stream, records = io.BytesIO(data), []
    while (record := _read_record(stream, topic)) is not None:
        records.append(record)
    return records


def write_topic(broker, topic, key, value, headers=None, partition=None):
    """One record with any bytes in it; value None is a tombstone."""
    command = ["kcat", "-b", broker, "-P", "-t", topic, "-X", "message.max.bytes=8000000"]
    if partition is not None:
        command += ["-p", str(partition)]
    for name, text in (headers or {}).items():
        command += ["-H", f"{name}={text}"]
    if not value:  # from its input, kcat takes an empty record, from a file it does not
        command += ["-K", "\x1f"] + (["-Z"] if value is None else [])
        subprocess.run(command, input=(key or "").encode() + b"\x1f\n", check=True, capture_output=True, timeout=60)
        return
    if key is not None:
        command += ["-k", key]
    path = os.path.join(RUNS, f"record-{os.getpid()}")
    with open(path, "wb") as file:
        file.write(value)
    try:  # a file as argument is one record, whatever is in it
        subprocess.run(command + [path], check=True, capture_output=True, timeout=60)
    finally:
        os.unlink(path)


class Tail:
    """Follows one topic in the background and keeps its records."""

    def __init__(self, broker, topic, name):
        self.records, self.count = [], 0
        self.topic, self.name = topic, name
        self.popen = subprocess.Popen(
            ["kcat", "-b", broker, "-C", "-t", topic, "-o", "beginning", "-q", "-u", "-f", FORMAT,
             "-X", "fetch.wait.max.ms=50", "-X", "fetch.error.backoff.ms=50"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
        self.thread = threading.Thread(target=self._follow, daemon=True)
        self.thread.start()

    def _follow(self):
        while (record := _read_record(self.popen.stdout, self.name)) is not None:
            self.records.append(record)
            self.count += 1

    def stop(self):
        self.popen.kill()
        self.popen.wait()


# -- HTTP ----------------------------------------------------------------------------------------------------------


def http_call(address, method, path, body=None, headers=None, timeout=30):
    """(status, bytes) of one request to host:port."""
    connection = http.client.HTTPConnection(address, timeout=timeout)
    try:
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        connection.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
