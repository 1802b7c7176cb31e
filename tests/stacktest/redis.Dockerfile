# A stand-in for redis: Debian's Redis with the start script's habits. Made by images.py.
ARG BASE
FROM ${BASE}
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends redis-server \
    && rm -rf /var/lib/apt/lists/* \
    && usermod --uid 999 redis && groupmod --gid 999 redis \
    && mkdir /data && chown redis:redis /data
COPY run.sh /usr/local/bin/docker-entrypoint.sh
VOLUME /data
WORKDIR /data
ENTRYPOINT ["docker-entrypoint.sh"]
EXPOSE 6379
CMD ["redis-server"]
