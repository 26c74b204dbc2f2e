/* Replaces fsync and fdatasync (LD_PRELOAD) and copies what was synced to a shadow of the store; also
 * replaces rename, which renames the copy in the shadow, too.
 *
 * POWER_STORE   the directory that is watched
 * POWER_SHADOW  the directory for copies of synced files, at the same relative path; the names of a
 *               synced directory are in its `.names`, one a line, after `f` or `d` for file or
 *               directory
 * POWER_MODE    `sync`, `nothing` (fsync does nothing and returns success), `fail` (it fails with
 *               EIO once `<store>/../fail` exists) or `hold` (it waits while `<store>/../hold`
 *               exists)
 *
 * It does not wait for the disk: only the relay's requests matter here.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void make_parents(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
}

/* Copies a file as it is now, and replaces the former copy atomically. */
static int copy_file(const char *from, const char *to) {
    char temporary[2 * PATH_MAX + 8];
    char buffer[1 << 16];
    snprintf(temporary, sizeof temporary, "%s.part", to);
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t count = -1;
    if (in >= 0 && out >= 0)
        while ((count = read(in, buffer, sizeof buffer)) > 0)
            if (write(out, buffer, count) != count) { count = -1; break; }
    if (in >= 0) close(in);
    if (out >= 0) close(out);
    return count == 0 ? (int)syscall(SYS_renameat2, AT_FDCWD, temporary, AT_FDCWD, to, 0) : -1;
}

static int copy_names(const char *from, const char *to) {
    char path[3 * PATH_MAX];
    mkdir(to, 0700);
    snprintf(path, sizeof path, "%s/.names", to);
    FILE *names = fopen(path, "we");
    DIR *directory = opendir(from);
    if (!names || !directory) {
        if (names) fclose(names);
        if (directory) closedir(directory);
        return -1;
    }
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        struct stat status;
        snprintf(path, sizeof path, "%s/%s", from, entry->d_name);
        if (lstat(path, &status)) continue;
        if (S_ISREG(status.st_mode)) fprintf(names, "f%s\n", entry->d_name);
        if (S_ISDIR(status.st_mode)) fprintf(names, "d%s\n", entry->d_name);
    }
    closedir(directory);
    return fclose(names);
}

static int synced(int fd) {
    const char *store = getenv("POWER_STORE"), *shadow = getenv("POWER_SHADOW");
    const char *mode = getenv("POWER_MODE");
    struct stat status;
    char link[64], path[PATH_MAX], real[PATH_MAX], copy[2 * PATH_MAX];
    if (!store || !shadow || !mode) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0 || fstat(fd, &status) || !realpath(store, real)) return 0;
    path[length] = 0;
    size_t prefix = strlen(real);
    if (strncmp(path, real, prefix) || (path[prefix] && path[prefix] != '/')) return 0;
    if (!strcmp(mode, "nothing")) return 0;
    if (!strcmp(mode, "fail")) {
        snprintf(copy, sizeof copy, "%s/../fail", real);
        if (!access(copy, F_OK)) { errno = EIO; return -1; }
    }
    if (!strcmp(mode, "hold")) {
        snprintf(copy, sizeof copy, "%s/../hold", real);
        while (!access(copy, F_OK)) usleep(5000);
        return 0;
    }
    if (snprintf(copy, sizeof copy, "%s%s", shadow, path + prefix) >= (int)sizeof copy) return 0;
    pthread_mutex_lock(&lock);
    make_parents(copy);
    int result = S_ISDIR(status.st_mode) ? copy_names(path, copy) : copy_file(path, copy);
    pthread_mutex_unlock(&lock);
    if (result) { fprintf(stderr, "power.c: cannot copy %s\n", path); abort(); }
    return 0;
}

/* A file keeps its synced octets under its new name; the name survives only if the directory is
 * synced, too. */
int rename(const char *from, const char *to) {
    const char *store = getenv("POWER_STORE"), *shadow = getenv("POWER_SHADOW");
    char real[PATH_MAX], path[PATH_MAX], old[2 * PATH_MAX], copy[2 * PATH_MAX];
    int inside = store && shadow && realpath(store, real) && realpath(from, path)
        && !strncmp(path, real, strlen(real));
    if (inside) snprintf(old, sizeof old, "%s%s", shadow, path + strlen(real));
    pthread_mutex_lock(&lock);
    int result = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    int failed = errno;
    if (!result && inside && realpath(to, path) && !strncmp(path, real, strlen(real))) {
        snprintf(copy, sizeof copy, "%s%s", shadow, path + strlen(real));
        make_parents(copy);
        syscall(SYS_renameat2, AT_FDCWD, old, AT_FDCWD, copy, 0);
    }
    pthread_mutex_unlock(&lock);
    errno = failed;
    return result;
}

int fsync(int fd) { return synced(fd); }
int fdatasync(int fd) { return synced(fd); }
