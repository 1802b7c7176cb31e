#!/usr/bin/env bash
# install-deps.sh - install what bigfusion needs on Debian bookworm or trixie.
#
# Usage: deploy/install-deps.sh [build] [test] [lint] [fuzz] [kafka] [conformance] [compose] [kubernetes] [monitoring] [stack] [console]
#   build        compilers and libraries, redis-server, kcat (the default; enough for `make demo`)
#   test         build + cmocka, pytest (in several processes), lua5.1 (the ledger's model), iproute2 (network paths of the fault rows),
#                universal-ctags (the length of functions), groff, man and zsh (man page and completion)
#   lint         clang, clang-format, clang-tidy, cppcheck, valgrind
#   fuzz         clang with libFuzzer and the sanitizers
#   kafka        a Java 17+ runtime, and Maven where Kafka was not fetched yet, for a real Apache Kafka in the tests
#   conformance  Node.js and npm, for the validating proxy of `make conformance`
#   compose      docker-compose 1.29 and 2, to check docker-compose.yml with both; on trixie there is 2 alone
#   kubernetes   kustomize, and kubernetes-validate with the schemas of Kubernetes, to check deploy/kubernetes
#   monitoring   prometheus and promtool, to check deploy/monitoring and to try its alerts; part of test and lint
#   console      Debian's Chromium, Playwright, schemathesis and axe-core, for the tests of the console's page and API
#   stack        a Docker engine, docker-compose and debootstrap, for `make stack-test`
#
# Idempotent: installs only what is missing and says what that is. Uses sudo only when it is not root.
# Nothing is added to the machine's own package sources. What no package of this Debian has (or has in another version) is put
# into /usr/local/lib/bigfusion-tools ($BIGFUSION_TOOLS) and replaces nothing that is installed.
set -euo pipefail

groups="${*:-build}"
tools="${BIGFUSION_TOOLS:-/usr/local/lib/bigfusion-tools}"
playwright_version=1.65.2 schemathesis_version=4.32.5 axe_version=4.14.1
validate_version=1.37.0 # kubernetes-validate; its first two numbers are those of the newest Kubernetes that it knows
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }
say() { echo "install-deps: $*"; }
has() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

wanted=()
for group in $groups; do
    case "$group" in
    build) wanted+=(gcc libc6-dev make pkg-config librdkafka-dev libcurl4-openssl-dev libjansson-dev
        libhiredis-dev libmicrohttpd-dev libinih-dev libsqlite3-dev libssl-dev libjs-chart.js iso-codes redis-server kcat python3 curl
        ca-certificates xxd) ;;
    test) wanted+=(libcmocka-dev python3-pytest python3-pytest-xdist python3-redis lua5.1 iproute2 universal-ctags groff-base man-db zsh) ;;
    lint) wanted+=(clang clang-format clang-tidy cppcheck valgrind) ;;
    fuzz)
        # The compiler's runtime is a package of its own, named after its version: bookworm has 14, trixie 19.
        version=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
        wanted+=(clang "libclang-rt-${version:-14}-dev")
        ;;
    kafka)
        # Any Java 17+ and any Maven will do; Debian's are taken only where none is on the PATH. Maven fetches Kafka once.
        command -v java >/dev/null || wanted+=(default-jre-headless)
        [ -e "${BUILD_KAFKA:-$(dirname "$0")/../build/kafka}/complete" ] || command -v mvn >/dev/null || wanted+=(maven)
        ;;
    conformance)
        wanted+=(python3-yaml)
        command -v npm >/dev/null || wanted+=(nodejs npm)
        ;;
    compose) command -v docker-compose >/dev/null || wanted+=(docker-compose) ;;
    monitoring) ;; # the programs alone, see install_prometheus
    kubernetes) wanted+=(python3-pip python3-yaml) ;;
    console)
        wanted+=(chromium fonts-dejavu-core python3-pip)
        command -v npm >/dev/null || wanted+=(nodejs npm)
        ;;
    stack)
        # Any engine will do; containers need iptables inside for their names.
        command -v dockerd >/dev/null || wanted+=(docker.io)
        command -v docker >/dev/null || wanted+=(docker.io)
        command -v docker-compose >/dev/null || wanted+=(docker-compose)
        wanted+=(debootstrap iptables iso-codes kcat python3)
        ;;
    *)
        say "unknown group '$group'; allowed: build test lint fuzz kafka conformance compose kubernetes monitoring stack console" >&2
        exit 100
        ;;
    esac
done

missing=()
for package in "${wanted[@]+"${wanted[@]}"}"; do has "$package" || missing+=("$package"); done
if [ "${#missing[@]}" -gt 0 ]; then
    say "installing ${missing[*]}"
    as_root apt-get update -qq
    # Debian starts a redis-server of its own after installing one; the tests start private ones.
    as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# Some packages are in trixie and not in bookworm, or only in an older version: yyjson, kustomize, docker-compose 2. They need
# nothing but a libc6 that bookworm has, so bookworm takes trixie's, through an apt state of its own: same mirror and keyring as
# the machine's sources, no line added to those. fetch_from_trixie PACKAGE...: their files are in $dir then.
dir=
trap '[ -z "$dir" ] || rm -rf -- "$dir"' EXIT
fetch_from_trixie() {
    say "taking $* from trixie"
    local mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -E '/debian/?$' | head -n 1)
    if [ -z "$mirror" ]; then
        say "no Debian mirror in this machine's package sources" >&2
        exit 111
    fi
    [ -n "$dir" ] || dir=$(mktemp -d)
    mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
    chmod 755 "$dir"
    echo "deb [signed-by=$keyring] $mirror trixie main" >"$dir/sources.list"
    local options=(-o "Dir::Etc::sourcelist=$dir/sources.list" -o Dir::Etc::sourceparts=-
        -o "Dir::State::lists=$dir/lists" -o "Dir::Cache=$dir/cache" -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update -qq
    (cd "$dir" && apt-get "${options[@]}" download -qq "$@")
}

# install_tool PACKAGE PROGRAM: the program of a trixie package, as $tools/PROGRAM; the package itself is not installed.
install_tool() {
    [ ! -x "$tools/$2" ] || return 0
    fetch_from_trixie "$1"
    dpkg -x "$dir/$1"_*.deb "$dir/$1"
    as_root install -D -m 755 "$dir/$1/usr/bin/$2" "$tools/$2"
}

install_yyjson() {
    if apt-cache show libyyjson-dev >/dev/null 2>&1; then
        say "installing libyyjson-dev"
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq libyyjson-dev >/dev/null
        return
    fi
    fetch_from_trixie libyyjson0 libyyjson-dev
    as_root dpkg -i "$dir"/libyyjson0_*.deb "$dir"/libyyjson-dev_*.deb >/dev/null
}

install_compose() {
    local version
    version=$(docker-compose version --short 2>/dev/null || true)
    case "$version" in
    1.*) ;;
    *) return 0 ;; # version 2 is the one that is installed
    esac
    install_tool docker-compose docker-compose
}

# Debian's package would start a server of its own and need two dozen packages for its pages; its two programs need none.
install_prometheus() {
    [ ! -x "$tools/promtool" ] || [ ! -x "$tools/prometheus" ] || return 0
    say "taking prometheus and promtool out of Debian's package"
    [ -n "$dir" ] || dir=$(mktemp -d)
    chmod 755 "$dir"
    apt-cache show prometheus >/dev/null 2>&1 || as_root apt-get update -qq
    for package in prometheus promtool; do # bookworm has both programs in the first one
        [ "$package" = prometheus ] || apt-cache show "$package" >/dev/null 2>&1 || continue
        (cd "$dir" && apt-get -o APT::Sandbox::User=root download -qq "$package" && dpkg -x "$package"_*.deb prometheus)
    done
    for program in prometheus promtool; do
        as_root install -D -m 755 "$dir/prometheus/usr/bin/$program" "$tools/$program"
    done
}

install_kubernetes() {
    if ! command -v kustomize >/dev/null; then
        if apt-cache show kustomize >/dev/null 2>&1; then
            say "installing kustomize"
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq kustomize >/dev/null
        else
            install_tool kustomize kustomize
        fi
    fi
    [ ! -d "$tools/python/kubernetes_validate-$validate_version.dist-info" ] || return 0
    say "installing kubernetes-validate $validate_version into $tools/python"
    as_root rm -rf -- "$tools/python"
    as_root python3 -m pip install --quiet --root-user-action=ignore --target "$tools/python" "kubernetes-validate==$validate_version"
}

# The browser is Debian's; Playwright only drives it. Of axe-core, one file is loaded into the page that is looked at.
install_console() {
    if [ ! -d "$tools/console/playwright-$playwright_version.dist-info" ] ||
        [ ! -d "$tools/console/schemathesis-$schemathesis_version.dist-info" ]; then
        say "installing playwright $playwright_version and schemathesis $schemathesis_version into $tools/console"
        as_root rm -rf -- "$tools/console"
        as_root python3 -m pip install --quiet --root-user-action=ignore --target "$tools/console" \
            "playwright==$playwright_version" "schemathesis==$schemathesis_version"
    fi
    [ ! -e "$tools/axe-$axe_version.min.js" ] || return 0
    say "taking axe-core $axe_version"
    [ -n "$dir" ] || dir=$(mktemp -d)
    (cd "$dir" && npm pack --silent "axe-core@$axe_version" >/dev/null && tar -xzf "axe-core-$axe_version.tgz" package/axe.min.js)
    as_root install -D -m 644 "$dir/package/axe.min.js" "$tools/axe-$axe_version.min.js"
}

for group in $groups; do
    case "$group" in
    console) install_console ;;
    build) has libyyjson-dev || install_yyjson ;;
    test | lint | monitoring) install_prometheus ;;
    compose) install_compose ;;
    kubernetes) install_kubernetes ;;
    esac
done
say "ready ($groups)"
