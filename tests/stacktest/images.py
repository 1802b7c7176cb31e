"""The images that docker-compose.yml and deploy/Dockerfile name: pulled where that works, else stand-ins of the same name.

A stand-in is made from Debian's own packages and Kafka's own jars, so that the stack can be tried where no registry can
be reached: debian:trixie-slim by debootstrap, apache/kafka with the image's own wrapper (KAFKA_* become properties, user
1000), redis with Debian's Redis. Each is built once as bigfusion-stack/NAME and kept; the well-known name is a second
tag, which is taken back at the end.
"""

import io
import os
import re
import shutil
import socket
import subprocess
import tarfile
import tempfile

from engine import CACHE, HERE, Failed
from processes import ROOT

REGISTRY = ("registry-1.docker.io", 443)
OWN = "bigfusion-stack"
TOOLS = f"{OWN}/tools"
# What the published slim images leave out, now and whenever a package is installed.
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/groff/*",
            "/usr/share/lintian/*", "/usr/share/linda/*")
KEPT = ("/usr/share/doc/*/copyright",)


def base_of_dockerfile():
    """(build argument or None, name) of the image that deploy/Dockerfile begins with."""
    with open(f"{ROOT}/deploy/Dockerfile", encoding="utf-8") as file:
        text = file.read()
    name = re.search(r"^FROM (\S+)", text, re.M).group(1)
    variable = re.fullmatch(r"\$\{(\w+)\}", name)
    if variable is None:
        return None, name
    return variable.group(1), re.search(rf"^ARG {variable.group(1)}=(\S+)", text, re.M).group(1)


def base_name(engine):
    """The base under the name that the engine has: no stand-in can have the digest of the published image."""
    name = base_of_dockerfile()[1]
    return name if engine.image_id(name) else name.split("@")[0]


def base_arguments(engine):
    """Options for docker build: the base, and the way out where this machine has a proxy."""
    argument, _ = base_of_dockerfile()
    words = ["--build-arg", f"{argument}={base_name(engine)}"] if argument else []
    for proxy in ("http_proxy", "https_proxy", "no_proxy"):
        if os.environ.get(proxy):
            words += ["--build-arg", f"{proxy}={os.environ[proxy]}"]
    return words


def names_in_compose():
    with open(f"{ROOT}/docker-compose.yml", encoding="utf-8") as file:
        return set(re.findall(r"^\s+image:\s*[\"']?(?:\$\{\w+:-)?([^\s\"'$}]+)", file.read(), re.M))


def image_in_compose(engine, wanted):
    """The image of a repository under the name that the engine has: no stand-in can have the digest of the published image."""
    name, = (name for name in names_in_compose() if repository(name) == wanted)
    return name if engine.image_id(name) else name.split("@")[0]


class Images:
    """with Images(engine): the images are there."""

    def __init__(self, engine):
        self.engine, self.taken = engine, []
        self.stand_ins = {"debian": self.make_base, "apache/kafka": self.make_kafka, "redis": self.make_redis}

    def __enter__(self):
        wanted = {base_of_dockerfile()[1]} | {name for name in names_in_compose() if repository(name) in self.stand_ins}
        try:
            reachable = any(not self.engine.image_id(name) for name in wanted) and registry_reachable()
            for name in sorted(wanted, key=lambda n: not n.startswith("debian:")):  # the others are made from it
                self.provide(name, reachable)
            self.make_tools()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in self.taken:
            self.engine.docker("rmi", "--no-prune", name, check=False)
        if self.engine.own:  # what earlier builds left behind, apart from what later ones can use
            self.engine.docker("image", "prune", "-f", check=False)

    def provide(self, name, reachable):
        if self.engine.image_id(name) or self.engine.image_id(name.split("@")[0]):
            return
        if reachable:
            self.engine.say(f"pulling {name}")
            self.engine.docker("pull", "-q", name, check=False, timeout=300)
            if self.engine.image_id(name):
                return
        name, own = name.split("@")[0], f"{OWN}/{repository(name).replace('/', '-')}"
        self.stand_ins[repository(name)](own)
        self.engine.docker("tag", own, name)
        self.taken.append(name)
        self.engine.say(f"{name} is a stand-in")

    # -- the stand-ins ---------------------------------------------------------------------------------------------

    def make_base(self, own):
        if not self.engine.image_id(own):
            archive = base_archive(self.engine.say)
            self.engine.docker("import", "--change", 'CMD ["bash"]', archive, own)

    def make_kafka(self, own):
        jars = os.environ.get("BUILD_KAFKA") or f"{ROOT}/build/kafka"
        subprocess.run([f"{ROOT}/tests/kafka/run.sh", "fetch"], check=True, timeout=600)
        self.build(own, "kafka", {f"libs/{name}": f"{jars}/lib/{name}" for name in sorted(os.listdir(f"{jars}/lib"))})

    def make_redis(self, own):
        self.build(own, "redis", {})

    def make_tools(self):
        """kcat, for looking into the topics of a stack from inside its network."""
        self.build(TOOLS, "tools", {})

    def build(self, own, name, files):
        """Builds tests/stacktest/NAME.Dockerfile; what did not change comes from the engine's cache."""
        if not self.engine.image_id(own):
            self.engine.say(f"building {own}")
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w", format=tarfile.GNU_FORMAT) as tar:
            tar.add(f"{HERE}/{name}.Dockerfile", "Dockerfile")
            if os.path.exists(f"{HERE}/{name}-run.sh"):
                tar.add(f"{HERE}/{name}-run.sh", "run.sh")
            for target, path in files.items():
                tar.add(path, target)
        self.engine.docker("build", "--network", "host", "--build-arg", f"BASE={base_name(self.engine)}", "-t", own, "-",
                           stdin=context.getvalue())


def repository(name):
    return name.split("@")[0].split(":")[0]


def registry_reachable():
    try:
        socket.create_connection(REGISTRY, timeout=3).close()
        return True
    except OSError:
        return False


def machine_mirror():
    """The Debian mirror that this machine's package sources name."""
    answer = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"],
                            capture_output=True, text=True, check=False)
    found = [line for line in answer.stdout.splitlines() if re.search(r"/debian/?$", line)]
    if not found:
        raise Failed("no Debian mirror in this machine's package sources")
    return found[0]


def base_archive(say):
    """A Debian trixie as the published slim image has it, as a tar archive in the cache."""
    archive = f"{CACHE}/trixie-slim.tar"
    if os.path.exists(archive):
        return archive
    os.makedirs(CACHE, mode=0o700, exist_ok=True)
    mirror = machine_mirror()
    say(f"making Debian trixie from {mirror}")
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        root = f"{folder}/root"
        # debootstrap mounts /proc in there: in a mount namespace of its own nothing stays mounted, however this ends.
        made = subprocess.run(["unshare", "--mount", "--propagation", "private", "--fork", "--kill-child", "debootstrap",
                               "--variant=minbase", "trixie", root, mirror],
                              capture_output=True, text=True, check=False, timeout=900)
        if made.returncode != 0:
            raise Failed(f"debootstrap: {made.stdout[-2000:]}{made.stderr[-500:]}")
        slim(root)
        subprocess.run(["tar", "-C", root, "--numeric-owner", "--one-file-system", "-cf", f"{folder}/archive", "."], check=True)
        os.rename(f"{folder}/archive", archive)
    return archive


def slim(root):
    """Leaves out what the published image leaves out, and tells apt what this machine's apt is told."""
    for pattern in LEFT_OUT:
        folder = root + os.path.dirname(pattern)
        for path, _, names in os.walk(folder):
            for name in names:
                if not (name == "copyright" and folder.endswith("/doc")):
                    os.unlink(f"{path}/{name}")
    for folder in ("var/cache/apt", "var/lib/apt/lists", "var/log"):
        shutil.rmtree(f"{root}/{folder}", ignore_errors=True)
    for folder in ("var/cache/apt/archives/partial", "var/lib/apt/lists/partial", "var/log/apt"):
        os.makedirs(f"{root}/{folder}")
    with open(f"{root}/etc/dpkg/dpkg.cfg.d/docker", "w", encoding="utf-8") as file:
        file.write("force-unsafe-io\n" + "".join(f"path-exclude {p}\n" for p in LEFT_OUT)
                   + "".join(f"path-include {p}\n" for p in KEPT))
    machine = subprocess.run(["apt-config", "dump", "Acquire"], capture_output=True, text=True, check=True).stdout
    told = [line for line in machine.splitlines() if re.match(r"Acquire::(Check-|https?::|Retries)", line)]
    with open(f"{root}/etc/apt/apt.conf.d/docker", "w", encoding="utf-8") as file:
        file.write("\n".join(['Acquire::Languages "none";', 'Acquire::GzipIndexes "true";', *told,
                              'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb'
                              ' /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };',
                              'Dir::Cache::pkgcache "";', 'Dir::Cache::srcpkgcache "";', ""]))
