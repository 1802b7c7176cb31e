#!/usr/bin/env bash
# check-compose.sh - docker-compose.yml is accepted by every docker-compose that is there: 1.29 (bookworm) and 2 (trixie's; on
# bookworm `install-deps.sh compose` puts it beside the installed one). Starts nothing and needs no Docker engine.
#
# Usage: deploy/check-compose.sh [FILE]      (default: docker-compose.yml)
# Exit status: 0; 1 where one of them refuses the file; 100 where version 2 is not there.
set -euo pipefail
cd "$(dirname "$0")/.."

file="${1:-docker-compose.yml}"
tools="${BIGFUSION_TOOLS:-/usr/local/lib/bigfusion-tools}"
empty=$(mktemp)
trap 'rm -f -- "$empty"' EXIT
profiles=()
for name in $(sed -n 's/^ *profiles: *\[\(.*\)\].*/\1/p' "$file" | tr -d ',"' | tr ' ' '\n' | sort -u); do
    profiles+=(--profile "$name")
done
environments=("$empty") # no setting at all, and the example's
[ ! -f .env.example ] || environments+=(.env.example)

seen=""
for program in docker-compose "$tools/docker-compose"; do
    version=$("$program" version --short 2>/dev/null || true)
    [ -n "$version" ] || continue
    for environment in "${environments[@]}"; do
        "$program" -f "$file" --env-file "$environment" ${profiles[@]+"${profiles[@]}"} config --quiet || {
            echo "compose-check: docker-compose $version refuses $file" >&2
            exit 1
        }
    done
    seen="$seen $version"
done
case " $seen" in
*" 1."*" 2."*) echo "compose-check: accepted by$seen" ;;
*" 2."*) echo "compose-check: accepted by$seen; 1.29 is not in this Debian, so it was not tried" ;;
*)
    echo "compose-check: no docker-compose 2 here; run: deploy/install-deps.sh compose" >&2
    exit 100
    ;;
esac
