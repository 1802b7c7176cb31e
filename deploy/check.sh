#!/bin/sh
# bigfusion-check - the service `check` of docker-compose.yml: are the settings and all secrets right? Makes the console's token.
# Each program reads its own secrets, so those that have any are asked. Exit status 0, or 100 with a line that says
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
token=${BIGFUSION_CONSOLE_TOKEN_FILE:-}
if [ -n "$token" ] && [ ! -s "$token" ]; then
    (umask 077 && od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$token.new" && mv "$token.new" "$token") ||
        fail "the console's token cannot be written to $token. Nothing is started."
fi
# The logins to the stack's own Kafka and Redis. Both read their file as members of the group.
passwords=/run/bigfusion
if [ -w "$passwords" ] && [ ! -s "$passwords/redis.acl" ]; then
    (
        umask 027
        for name in kafka redis; do
            od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$passwords/$name" || exit
        done
        printf 'password=%s\n' "$(cat "$passwords/kafka")" >"$passwords/kafka.properties" &&
            {
                # Nobody can log in as the default user. It needs all rights all the same: Redis reads its append-only
                # file as this user, and leaves out each transaction and script that it may not do (redis/redis#14541).
                echo 'user default off ~* &* +@all'
                # Whoever has no password may ask whether it answers, and nothing else.
                echo 'user health on nopass resetkeys resetchannels -@all +ping'
                echo "user bigfusion on >$(cat "$passwords/redis") ~* resetchannels -@all +@read +@write +@scripting" \
                    "+@connection +@transaction -@dangerous +info +config|get +time +wait"
            } >"$passwords/redis.acl.new" && mv "$passwords/redis.acl.new" "$passwords/redis.acl"
    ) || fail "the passwords of Kafka and Redis cannot be written to $passwords. Nothing is started."
fi
for program in bigfusion-poller bigfusion-pusher bigfusion-console; do
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
