/* The file of the current tokens: who can read it, and what somebody else put in its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "infusionsoft/token_file.h"

static char folder[] = "/tmp/test_token_file_XXXXXX";
static char path[64], beside[64], victim[64];

static const struct token_state pair = {.access = (char *)"access",
                                        .refresh = (char *)"refresh",
                                        .refresh_at_ms = 1,
                                        .expires_at_ms = 2,
                                        .begun = (char *)""};

static void put(const char *name, mode_t mode)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "mine", 4), 4);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static struct stat about(const char *name)
{
    struct stat found;

    assert_int_equal(lstat(name, &found), 0);
    return found;
}

static void prepare_nothing(void) {}
static void prepare_open_file(void) { put(beside, 0666); }
static void prepare_link(void) { assert_int_equal(symlink(victim, beside), 0); }
static void prepare_dangling_link(void) { assert_int_equal(symlink("/nowhere/at/all", beside), 0); }
static void prepare_hard_link(void) { assert_int_equal(link(victim, beside), 0); }

/* Before and after room was reserved: nothing under the name is written to, and others cannot read
 * the pair, whatever the umask is. */
static void test_attack_nothing_prepared_is_written_to(void **state)
{
    static const struct {
        const char *name;
        void (*prepare)(void);
    } cases[] = {
        {"nothing", prepare_nothing},       {"a file that others can write", prepare_open_file},
        {"a symbolic link", prepare_link},  {"a symbolic link to nothing", prepare_dangling_link},
        {"a hard link", prepare_hard_link},
    };
    static const mode_t masks[] = {0, 022, 0777};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases) * 6; i++) {
        const char *name = cases[i / 6].name;
        int reserved_first = i % 2 == 1;
        struct token_state read = {0};
        struct stat found, prepared = {0};
        int held;

        unlink(path);
        unlink(beside);
        put(victim, 0600);
        umask(masks[i / 2 % 3]);
        if (reserved_first) {
            assert_int_equal(token_file_reserve(beside), 0);
            unlink(beside);
        }
        cases[i / 6].prepare();
        held = open(beside, O_RDONLY | O_NOFOLLOW); /* so that its inode is not used again */
        if (held >= 0)
            assert_int_equal(fstat(held, &prepared), 0);
        if (!reserved_first)
            assert_int_equal(token_file_reserve(beside), 0);
        assert_int_equal(token_file_save(path, beside, &pair), 0);
        umask(022);
        found = about(path);
        if (!S_ISREG(found.st_mode) || (found.st_mode & 07777) != 0600 || found.st_nlink != 1)
            fail_msg("%s: mode %o", name, (unsigned)found.st_mode);
        if (held >= 0 && found.st_ino == prepared.st_ino)
            fail_msg("%s: was used", name);
        if (held >= 0)
            close(held);
        if (about(victim).st_size != 4)
            fail_msg("%s: was followed", name);
        assert_int_equal(token_file_read(&read, path), 1);
        assert_string_equal(read.refresh, "refresh");
        token_state_clear(&read);
    }
}

/* A full disk must not take a pair that was asked for: the room that was reserved is used. */
static void test_reserved_room_is_used(void **state)
{
    ino_t reserved;

    (void)state;
    assert_int_equal(token_file_reserve(beside), 0);
    reserved = about(beside).st_ino;
    assert_true(about(beside).st_size > 4096);
    assert_int_equal(token_file_save(path, beside, &pair), 0);
    assert_int_equal(about(path).st_ino, reserved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attack_nothing_prepared_is_written_to),
        cmocka_unit_test(test_reserved_room_is_used),
    };
    int result;

    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof(path), "%s/token", folder);
    snprintf(beside, sizeof(beside), "%s/token.new", folder);
    snprintf(victim, sizeof(victim), "%s/victim", folder);
    result = cmocka_run_group_tests_name("token_file", tests, NULL, NULL);
    unlink(path);
    unlink(victim);
    rmdir(folder);
    return result;
}
