/* guard.h - who may ask the console for what. Pure.
 *
 * On loopback, reading is free for every user of the machine, and the Host header must name this
 * machine, so that a web page of somebody else cannot read by DNS rebinding. On any other address
 * reading needs the token as well. Acts always need the token, in the header Authorization. No
 * browser sends that header by itself, so no foreign page can act in the name of a user; requests
 * that a browser marks as made by another site are refused all the same. */
#ifndef CONSOLE_GUARD_H
#define CONSOLE_GUARD_H

enum guard_need {
    GUARD_OPEN = 0, /* files of the page, /healthz, /metrics: nothing about an order */
    GUARD_READ,
    GUARD_ACT,
};

/* What a request says about itself. NULL: it does not have that header. */
struct guard_headers {
    const char *host;
    const char *origin;
    const char *fetch_site;    /* Sec-Fetch-Site */
    const char *authorization; /* Authorization */
    const char *content_type;
    int has_body; /* the method carries a body: POST */
};

struct guard {
    int is_loopback;   /* it listens on this machine's own address only */
    const char *token; /* kept; NULL or "": none is configured, so nobody may act */
};

/* Why a request is refused. Static. */
struct guard_refusal {
    int status;
    const char *code;
    const char *sentence;
};

/** @brief Whether the request may go on. @returns NULL, or why it may not */
const struct guard_refusal *guard_check(const struct guard *guard, enum guard_need need,
                                        const struct guard_headers *headers);

/** @brief Whether a Host header names this machine: localhost, 127.x.x.x or [::1], with or without a
 * port. */
int guard_host_is_here(const char *host);

/** @brief Whether the header is "Bearer TOKEN". The time it takes does not tell how much of the token
 * is right. */
int guard_token_is_right(const char *authorization, const char *token);

#endif
