"""No secret that lies in deploy/local, or in .env, gets into an image: neither into the result nor into the stage that compiles."""

import gzip
import os
import subprocess
import tarfile
import uuid

from engine import Failed

IMAGES = ("bigfusion-stack/build", "bigfusion:0.1.0")
NAMES = ("deploy/local/bc_token", "deploy/local/infusionsoft_key", "deploy/local/bigfusion.conf", ".env")
CONTROL = "stack-test: this line must be found in the build stage"
OWNER = 10001  # the image's user, whom a merchant makes the owner of these files
BLOCK = 1 << 20


class Secrets:
    """Puts secrets where a merchant has them, readable for their owner only, and a control where it must be found."""

    def __init__(self, folder):
        self.folder = folder
        self.values = {name: f"canary{uuid.uuid4().hex}" for name in NAMES}
        os.makedirs(f"{folder}/deploy/local", exist_ok=True)
        for name, value in self.values.items():
            path = f"{folder}/{name}"
            with open(path, "w", encoding="utf-8") as file:
                file.write(f"# {value}\n")
            os.chmod(path, 0o400)
            if os.geteuid() == 0:
                os.chown(path, OWNER, OWNER)
        with open(f"{folder}/Makefile", "a", encoding="utf-8") as file:
            file.write(f"# {CONTROL}\n")

    def search(self, run):
        """Looks through every layer, and takes the files away again."""
        needles = {value.encode(): name for name, value in self.values.items()}
        found = search_images(run.engine, [*needles, b"src/deploy/local/", CONTROL.encode()])
        leaked = [needles.get(text, text.decode()) for text in found if text != CONTROL.encode()]
        run.check(not leaked, f"secrets in the layers of {' and '.join(IMAGES)}: {', '.join(leaked) or 'none'}")
        if CONTROL.encode() not in found:
            run.blame("the search through the layers does not even find what was copied")
        for name in self.values:
            os.unlink(f"{self.folder}/{name}")


def search_images(engine, needles):
    """Which of the texts are in any file or file name of any layer, or in the history."""
    found = set()
    with subprocess.Popen(["docker", "save", *IMAGES], env=engine.env(), stdout=subprocess.PIPE) as saved:
        with tarfile.open(fileobj=saved.stdout, mode="r|") as tar:
            for member in tar:
                if member.isfile():
                    search_file(tar.extractfile(member), needles, found)
    if saved.returncode != 0:
        raise Failed(f"docker save: {saved.returncode}")
    return found


def search_file(file, needles, found):
    longest = max(len(needle) for needle in needles)
    rest = first = file.read(BLOCK)
    if first[:2] == b"\x1f\x8b":  # newer engines save compressed layers
        file, rest = gzip.GzipFile(fileobj=Joined(first, file)), b""
    while True:
        found.update(needle for needle in needles if needle in rest)
        block = file.read(BLOCK)
        if not block:
            return
        rest = rest[-longest:] + block


class Joined:
    """A stream whose first bytes were read already."""

    def __init__(self, first, file):
        self.first, self.file = first, file

    def read(self, count=-1):
        if self.first:
            data, self.first = (self.first, b"") if count < 0 else (self.first[:count], self.first[count:])
            return data
        return self.file.read(count)
