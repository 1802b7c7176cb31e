#!/bin/sh
# What the published redis image does at start: not as root, and without the protected mode, which would refuse containers.
set -e
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then
    set -- redis-server "$@"
fi
if [ "$1" = redis-server ]; then
    if [ "$(id -u)" = 0 ]; then
        chown -R redis:redis /data
        exec setpriv --reuid redis --regid redis --clear-groups "$0" "$@"
    fi
    shift
    case "${1-}" in
    *.conf) file=$1 && shift && set -- "$file" --protected-mode no "$@" ;;
    *) set -- --protected-mode no "$@" ;;
    esac
    set -- redis-server "$@"
fi
exec "$@"
