/* redis_fault.h - decides what an error reply of Redis is about, so that all users of a connection
 * treat it alike. Pure. */
#ifndef COMMON_REDIS_FAULT_H
#define COMMON_REDIS_FAULT_H

enum redis_fault {
    REDIS_FAULT_COMMAND = 0, /* this command is refused, unknown or malformed; the next one may
                                work */
    REDIS_FAULT_ENTRY,       /* this key holds something else than our scripts write (WRONGTYPE, or
                                DAMAGED from a script); it does not help to wait */
    REDIS_FAULT_SERVER,      /* the server or the connection fails for every command: a replica,
                                loading, full, not logged in. The connection is closed and made
                                again, because the address may lead to another server then; the
                                caller waits until that helps */
};

/**
 * @brief Tells what an error reply is about. Redis 5 to 7 spell the codes in different ways, also
 * where a script passes on the error of a command inside it; all these forms
 * are understood, e.g. of Redis 7 and 6:
 *   READONLY You can't write against a read only replica. script: <sha>, on @user_script:12.
 *   ERR Error running script (call to f_<sha>): @user_script:12: @user_script: 12: -READONLY ...
 * Errors that our own scripts raise about an entry are recognised first, and their text is not
 * searched.
 * @param text  the error reply, without the '-' in front
 *
 * What helps against a fault of the server depends on its code. A new connection, where the address
 * leads to another server then: READONLY, MASTERDOWN, NOREPLICAS, UNBLOCKED. Time: LOADING, BUSY,
 * TRYAGAIN, CLUSTERDOWN, max number of clients. A new login: NOAUTH. A person: MISCONF, OOM,
 * WRONGPASS, DENIED, MOVED, ASK, CROSSSLOT. Nobody can tell here which of them it will be, so all
 * are treated alike; the text is logged and shown by /readyz.
 */
enum redis_fault redis_fault_of(const char *text);

#endif
