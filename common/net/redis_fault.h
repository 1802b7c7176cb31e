/* redis_fault.h - what an error reply of Redis is about, so that every user of a connection treats
 * it alike. Pure. */
#ifndef COMMON_REDIS_FAULT_H
#define COMMON_REDIS_FAULT_H

enum redis_fault {
    REDIS_FAULT_COMMAND = 0, /* this command: refused, unknown, malformed; the next one may work */
    REDIS_FAULT_ENTRY,  /* this key: it holds something else than our scripts write (WRONGTYPE, or a
                           script's own DAMAGED). Waiting does not help */
    REDIS_FAULT_SERVER, /* the server or the connection, whatever is asked: a replica, loading,
                           full, not logged in ... The connection is closed and made anew, as the
                           address may lead to another server by then; until that helps, one waits
                         */
};

/**
 * @brief What an error reply is about. The codes are found in all forms in which Redis 5 to 7 spell
 * them, also where a script passes on what a command inside it said:
 *   READONLY You can't write against a read only replica. script: <sha>, on @user_script:12.   (7)
 *   ERR Error running script (call to f_<sha>): @user_script:12: @user_script: 12: -READONLY ...
 * (6) What our scripts say themselves about an entry stands in front and is never searched.
 * @param text  the error reply, without the '-' in front
 *
 * What heals it: a new connection, where the address leads to another server by then: READONLY,
 * MASTERDOWN, NOREPLICAS, UNBLOCKED. Waiting: LOADING, BUSY, TRYAGAIN, CLUSTERDOWN, max number of
 * clients. A new login: NOAUTH. A person: MISCONF, OOM, WRONGPASS, DENIED, MOVED, ASK, CROSSSLOT.
 * One cannot tell from here which of them it will be, so all are treated as one; the text is logged
 * and shown by /readyz.
 */
enum redis_fault redis_fault_of(const char *text);

#endif
