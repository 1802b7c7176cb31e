# A stand-in for apache/kafka: the same jars, user, folders and wrapper. Made by images.py.
ARG BASE
FROM ${BASE}
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends openjdk-21-jre-headless \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 1000 --create-home appuser \
    && mkdir -p /opt/kafka/config /opt/kafka/bin /mnt/shared/config /etc/kafka/docker /etc/kafka/secrets /var/lib/kafka/data \
    && touch /etc/kafka/docker/server.properties \
    && printf '%s\n' 'Configuration:' '  Appenders:' '    Console:' '      name: STDOUT' '  Loggers:' '    Root:' '      level: INFO' \
        '      AppenderRef:' '        ref: STDOUT' '    Logger:' '      - name: kafka' '        level: INFO' \
        | tee /etc/kafka/docker/log4j2.yaml >/etc/kafka/docker/tools-log4j2.yaml \
    && chown -R appuser:appuser /opt/kafka /mnt/shared/config \
    && chown -R appuser:root /var/lib/kafka /etc/kafka \
    && chmod -R ug+w /var/lib/kafka /etc/kafka
COPY libs /opt/kafka/libs
COPY run.sh /etc/kafka/docker/run
RUN for name in topics broker-api-versions cluster configs consumer-groups console-consumer console-producer get-offsets; do \
        ln -s /etc/kafka/docker/run "/opt/kafka/bin/kafka-$name.sh"; \
    done
EXPOSE 9092
USER appuser
VOLUME ["/etc/kafka/secrets", "/var/lib/kafka/data", "/mnt/shared/config"]
CMD ["/etc/kafka/docker/run"]
