# kcat, to look into the topics of a stack, and socat, for a relay. Made by images.py.
ARG BASE
FROM ${BASE}
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends kcat socat \
    && rm -rf /var/lib/apt/lists/*
ENTRYPOINT ["kcat"]
