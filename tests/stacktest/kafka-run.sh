#!/bin/bash
# What the published apache/kafka image does at start (/etc/kafka/docker/run) and in /opt/kafka/bin, with a small heap.
set -eu

cat >/tmp/log4j2.properties <<'PROPERTIES'
status=error
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=[%d] %p %m (%c)%n
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
PROPERTIES
java=(java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dlog4j2.configurationFile=/tmp/log4j2.properties -cp '/opt/kafka/libs/*')
tools=org.apache.kafka.tools

case "${0##*/}" in
kafka-topics.sh) exec "${java[@]}" $tools.TopicCommand "$@" ;;
kafka-broker-api-versions.sh) exec "${java[@]}" $tools.BrokerApiVersionsCommand "$@" ;;
kafka-cluster.sh) exec "${java[@]}" $tools.ClusterTool "$@" ;;
kafka-configs.sh) exec "${java[@]}" kafka.admin.ConfigCommand "$@" ;;
kafka-consumer-groups.sh) exec "${java[@]}" $tools.consumer.group.ConsumerGroupCommand "$@" ;;
kafka-console-consumer.sh) exec "${java[@]}" $tools.consumer.ConsoleConsumer "$@" ;;
kafka-console-producer.sh) exec "${java[@]}" $tools.ConsoleProducer "$@" ;;
kafka-get-offsets.sh) exec "${java[@]}" $tools.GetOffsetShell "$@" ;;
esac

export CLUSTER_ID="${CLUSTER_ID:-5L6g3nShT-eMCtK--X86sw}"
# The second start of a container finds its data folder formatted; the published image passes over that in the same way.
said=$("${java[@]}" kafka.docker.KafkaDockerWrapper setup --default-configs-dir /etc/kafka/docker \
    --mounted-configs-dir /mnt/shared/config --final-configs-dir /opt/kafka/config 2>&1) ||
    grep -qi 'already formatted' <<<"$said" || { echo "$said" >&2; exit 1; }
# shellcheck disable=SC2086 # several options in one variable, as the published image takes them
exec "${java[0]}" ${KAFKA_HEAP_OPTS:--Xmx400m} "${java[@]:1}" kafka.Kafka /opt/kafka/config/server.properties
