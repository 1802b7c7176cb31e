#!/bin/sh
# bigfusion-check - the service `check` of docker-compose.yml: are the settings and all secrets right?
# Each program reads its own secrets, so the two that have any are asked. Exit status 0, or 100 with a line that says
# what is wrong; then docker compose starts nothing else.
fail() {
    echo "check: $*" >&2
    exit 100
}

case ",$COMPOSE_PROFILES," in
*,live,*)
    [ "$BIGFUSION_LOCAL" != deploy/demo ] ||
        fail "BIGFUSION_LOCAL is missing in .env. Expected: the folder with bigfusion.conf, stores/ and accounts/," \
            "for example BIGFUSION_LOCAL=deploy/local. Nothing is started."
    ;;
esac
for program in bigfusion-poller bigfusion-pusher; do
    $program --check >/dev/null ||
        fail "the line above says what is wrong. On this machine /etc/bigfusion/bigfusion.conf is" \
            "$BIGFUSION_LOCAL/bigfusion.conf, /run/secrets is $BIGFUSION_LOCAL; the files must be readable for user" \
            "10001. Nothing is started."
done
echo "check: the settings in $BIGFUSION_LOCAL are right."
case ",$COMPOSE_PROFILES," in
*,live,* | *,demo,*) ;;
*)
    echo "check: COMPOSE_PROFILES is \"$COMPOSE_PROFILES\", so nothing else is started unless you gave a --profile." \
        "For your own store: cp .env.example .env (expected: COMPOSE_PROFILES=live), see docs/containers.md." \
        "For a trial: docker compose --profile demo up"
    ;;
esac
