"""What a stack says that lacks a file or a setting: it names it and what is expected, and starts no service."""

import os
import shutil

from project import SERVICES, Project

NAME = "bigfusion-stacktest-bad"
LIVE = "COMPOSE_PROFILES=live\n"
LOCAL = LIVE + "BIGFUSION_LOCAL=deploy/local\n"
CONF = """[store main]
hash = abc123
token_file = /run/secrets/stores/bc_token
account = main

[infusionsoft main]
key_file = /run/secrets/accounts/infusionsoft_key
"""
FILES = {"bigfusion.conf": CONF, "stores/bc_token": "token\n", "accounts/infusionsoft_key": "key\n",
         "tls/none": "\n"}

# name, .env, files of deploy/local, words that must be said
CASES = [
    ("no folder is named in .env", LIVE, FILES, ["BIGFUSION_LOCAL", ".env"]),
    ("the folder is not there", LOCAL, None, ["deploy/local/bigfusion.conf"]),
    ("no bigfusion.conf", LOCAL, {**FILES, "bigfusion.conf": None}, ["deploy/local/bigfusion.conf"]),
    ("no token", LOCAL, {**FILES, "stores/bc_token": None, "stores/other": "x\n"}, ["/run/secrets/stores/bc_token"]),
    ("no key", LOCAL, {**FILES, "accounts/infusionsoft_key": None, "accounts/other": "x\n"},
     ["/run/secrets/accounts/infusionsoft_key"]),
    ("a wrong setting", LOCAL, {**FILES, "bigfusion.conf": CONF + "rate_per_s = many\n"},
     ["bigfusion.conf", "infusionsoft main", "rate_per_s", "many"]),
    ("a wrong scale in .env", LOCAL + "PUSHER_SCALE=many\n", FILES, ["pusher", "replicas"]),
]


def run_all(run):
    """Each case on its own; a fault is blamed on the run."""
    for case in CASES:
        run_one(run, *case)


def run_one(run, name, env, files, words):
    write_files(run.folder, env, files)
    with Project(run.engine, run.folder, NAME, profile="") as project:
        status, out, err = project.compose("up", "-d", check=False)
        said = out + err
        for one in project.inspect(*project.containers(running=False)):
            said += "\n".join(project.logs(one["Id"]))
        missing = [word for word in words if word not in said]
        started = [service for service in SERVICES if project.containers(service, running=False)
                   and any(one["State"]["StartedAt"] > "0001" and one["State"]["Pid"] for one in
                           project.inspect(*project.containers(service, running=False)))]
        run.check(status != 0 and not missing and not started,
                  f"bad input, {name}: exit status {status}, not said {missing or 'nothing'}, started {started or 'nothing'}"
                  + (f"\n{said[-700:]}" if missing else ""))
    remove_files(run.folder)


def write_files(folder, env, files):
    remove_files(folder)
    with open(f"{folder}/.env", "w", encoding="utf-8") as file:
        file.write(env)
    for name, text in (files or {}).items():
        path = f"{folder}/deploy/local/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if text is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)


def remove_files(folder):
    shutil.rmtree(f"{folder}/deploy/local", ignore_errors=True)
    if os.path.exists(f"{folder}/.env"):
        os.unlink(f"{folder}/.env")
