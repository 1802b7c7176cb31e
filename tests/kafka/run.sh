#!/bin/sh
# Runs a real Apache Kafka (KRaft, one node, small heap) in the foreground: broker and controller in one process.
#
#   tests/kafka/run.sh fetch              only fetch the jars (once, from Maven Central) into $BUILD_KAFKA
#   tests/kafka/run.sh DIR PORT CPORT     serve on 127.0.0.1:PORT with the data in DIR; CPORT is the controller's
#   tests/kafka/run.sh DIR PORT CPORT INNER OUTER     also on INNER, for clients that a proxy on OUTER leads there
#
# A second start with the same DIR goes on with the data that is there, also after kill -9. Ends on TERM.
# $KAFKA_SETTINGS holds more lines of server.properties; of two lines for one setting the later one counts.
# $KAFKA_SCRAM is a login that exists from the first start on, for example SCRAM-SHA-512=[name=me,password=word].
# $BUILD_KAFKA (default build/kafka) keeps the jars for every later run.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
jars=${BUILD_KAFKA:-$here/../../build/kafka}
mkdir -p "$jars"
jars=$(cd "$jars" && pwd)

if [ ! -e "$jars/complete" ]; then
    (
        flock 9
        if [ ! -e "$jars/complete" ]; then
            echo "fetching Apache Kafka from Maven Central into $jars" >&2
            mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$jars/lib" >&2
            touch "$jars/complete"
        fi
    ) 9>"$jars/lock"
fi
if [ "${1-}" = fetch ]; then
    exit 0
fi

dir=$1 port=$2 controller_port=$3 inner=${4-} outer=${5-}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
proxied='' advertised=''
if [ -n "$inner" ]; then
    proxied=",PROXIED://127.0.0.1:$inner" advertised=",PROXIED://127.0.0.1:$outer"
fi

cat >"$dir/server.properties" <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller_port
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller_port$proxied
advertised.listeners=PLAINTEXT://127.0.0.1:$port$advertised
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs=$dir/data
auto.create.topics.enable=false
num.partitions=4
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=10485760
message.max.bytes=4194304
${KAFKA_SETTINGS-}
END

cat >"$dir/log4j2.properties" <<END
status=error
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{HH:mm:ss.SSS} %p %m%n
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
END

java="java -Xmx192m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dlog4j2.configurationFile=$dir/log4j2.properties"
if [ ! -e "$dir/data/meta.properties" ]; then
    $java -cp "$jars/lib/*" kafka.tools.StorageTool format -t bigfusionTestCluster0A -c "$dir/server.properties" \
        ${KAFKA_SCRAM:+--add-scram "$KAFKA_SCRAM"} >/dev/null
fi
exec $java -cp "$jars/lib/*" kafka.Kafka "$dir/server.properties"
