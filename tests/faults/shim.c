/* Makes file calls of a program fail on purpose: loaded with LD_PRELOAD, told by a file in shared memory.
 *
 * The driver maps the same file (farm/control.py has the same fields) and arms one rule at a time: from the
 * N-th call of some kinds on some places, so many calls are hit. Only files below LAKESH_FAULTS_ROOT count.
 * The calls themselves go to the kernel directly. Linux with 64 bits only. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum call { WRITE = 1, RENAME = 2, LINK = 4, UNLINK = 8, SYNC = 16, OPEN = 32, TRUNCATE = 64, COPY = 128, MKDIR = 256, READ = 512 };
enum place { DATA = 1, LOG = 2, CATALOG = 4, TARGET = 8, SPILL = 16, HOME = 32, OTHER = 64 };
enum fault { NONE, KILL_BEFORE, KILL_AFTER, TORN, SHORT, FULL, BROKEN, LOST, INTERRUPTED, SLOW };

struct control {
    uint32_t armed, calls, places, fault, number, times, delay; /* the driver writes these */
    uint32_t seen, fired, last_call;                            /* and reads these */
    char path[1024];
};

static struct control *control;
static char root[512], home[512], spill[512];

__attribute__((constructor)) static void begin(void) {
    const char *file = getenv("LAKESH_FAULTS"), *below = getenv("LAKESH_FAULTS_ROOT");
    if (!file || !below)
        return;
    int descriptor = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC, 0);
    if (descriptor < 0)
        return;
    snprintf(root, sizeof root, "%s/", below);
    snprintf(home, sizeof home, "%s/home/", below);
    snprintf(spill, sizeof spill, "%s/temp/", below);
    void *mapped = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    syscall(SYS_close, descriptor);
    if (mapped != MAP_FAILED)
        control = mapped;
}

static int starts(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

static enum place place_of(const char *path) {
    if (starts(path, home))
        return HOME;
    if (starts(path, spill))
        return SPILL;
    if (strstr(path, "/_delta_log"))
        return LOG;
    if (strstr(path, "/.lakesh/catalog.db") || strstr(path, "/.lakesh/.gitignore"))
        return CATALOG;
    if (strstr(path, "/.lakesh-copy-") || strstr(path, ".unfinished") || strstr(path, "/out/"))
        return TARGET;
    if (strstr(path, ".parquet") || strstr(path, "/warehouse"))
        return DATA;
    return OTHER;
}

/* The path that a descriptor stands for; empty for pipes and the like. */
static void path_of(int descriptor, char *path, size_t size) {
    char name[64];
    if (descriptor == AT_FDCWD)
        snprintf(name, sizeof name, "/proc/self/cwd");
    else
        snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, name, path, size - 1);
    path[length > 0 ? length : 0] = 0;
}

static void path_at(int folder, const char *name, char *path, size_t size) {
    if (name[0] == '/') {
        snprintf(path, size, "%s", name);
        return;
    }
    path_of(folder, path, size / 2);
    size_t length = strlen(path);
    snprintf(path + length, size - length, "/%s", name);
}

/* Counts a call and says what is to become of it. */
static enum fault hit(enum call call, const char *path) {
    if (!(control->calls & call) || !starts(path, root) || !(control->places & place_of(path)))
        return NONE;
    uint32_t number = __atomic_add_fetch(&control->seen, 1, __ATOMIC_SEQ_CST);
    if (number < control->number || number - control->number >= control->times)
        return NONE;
    if (control->fault == NONE)
        return NONE;
    if (__atomic_add_fetch(&control->fired, 1, __ATOMIC_SEQ_CST) == 1) {
        control->last_call = call;
        snprintf(control->path, sizeof control->path, "%s", path);
    }
    return control->fault;
}

static int is_armed(void) { return control && __atomic_load_n(&control->armed, __ATOMIC_SEQ_CST); }

static enum fault hit_descriptor(enum call call, int descriptor) {
    char path[1024];
    if (!is_armed() || descriptor <= 2)
        return NONE;
    path_of(descriptor, path, sizeof path);
    return hit(call, path);
}

static enum fault hit_path(enum call call, int folder, const char *name) {
    char path[1024];
    if (!is_armed() || !name)
        return NONE;
    path_at(folder, name, path, sizeof path);
    return hit(call, path);
}

static void die(void) {
    for (;;) {
        syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
        pause();
    }
}

static void wait_a_moment(void) {
    struct timespec time = {control->delay / 1000, (long)(control->delay % 1000) * 1000000};
    nanosleep(&time, NULL);
}

static long failed(int number) {
    errno = number;
    return -1;
}

/* What happens to calls that are done as a whole or not at all. */
#define WHOLE(found, call)                                                                                             \
    do {                                                                                                               \
        enum fault fault_ = (found);                                                                                   \
        switch (fault_) {                                                                                              \
        case KILL_BEFORE: case TORN:                                                                                   \
            die();                                                                                                     \
            break;                                                                                                     \
        case FULL: return failed(ENOSPC);                                                                              \
        case BROKEN: return failed(EIO);                                                                               \
        case SLOW: wait_a_moment(); break;                                                                             \
        default: break;                                                                                                \
        }                                                                                                              \
        long done_ = (call);                                                                                           \
        if (fault_ == KILL_AFTER)                                                                                      \
            die();                                                                                                     \
        if (fault_ == LOST && done_ >= 0)                                                                              \
            return failed(EIO);                                                                                        \
        return done_;                                                                                                  \
    } while (0)

/* What happens to calls that may carry a part of their bytes; `part` is the call with half of them. */
#define BYTES(found, size, whole, part)                                                                                \
    do {                                                                                                               \
        enum fault fault_ = (found);                                                                                   \
        int can_be_cut_ = (size) > 1;                                                                                  \
        switch (fault_) {                                                                                              \
        case KILL_BEFORE: die(); break;                                                                                \
        case TORN:                                                                                                     \
            if (can_be_cut_) (void)!(part);                                                                            \
            die();                                                                                                     \
            break;                                                                                                     \
        case SHORT: if (can_be_cut_) return (part); break;                                                             \
        case FULL:                                                                                                     \
            if (can_be_cut_ && control->fired == 1) return (part);                                                     \
            return failed(ENOSPC);                                                                                     \
        case BROKEN: return failed(EIO);                                                                               \
        case INTERRUPTED: return failed(EINTR);                                                                        \
        case SLOW: wait_a_moment(); break;                                                                             \
        default: break;                                                                                                \
        }                                                                                                              \
        long done_ = (whole);                                                                                          \
        if (fault_ == KILL_AFTER)                                                                                      \
            die();                                                                                                     \
        if (fault_ == LOST && done_ >= 0)                                                                              \
            return failed(EIO);                                                                                        \
        return done_;                                                                                                  \
    } while (0)

ssize_t write(int to, const void *bytes, size_t size) {
    BYTES(hit_descriptor(WRITE, to), size, syscall(SYS_write, to, bytes, size), syscall(SYS_write, to, bytes, size / 2));
}

ssize_t pwrite(int to, const void *bytes, size_t size, off_t at) {
    BYTES(hit_descriptor(WRITE, to), size, syscall(SYS_pwrite64, to, bytes, size, at), syscall(SYS_pwrite64, to, bytes, size / 2, at));
}

ssize_t pwrite64(int to, const void *bytes, size_t size, off64_t at) { return pwrite(to, bytes, size, at); }

ssize_t writev(int to, const struct iovec *parts, int count) {
    size_t first = count > 0 ? parts[0].iov_len : 0;
    BYTES(hit_descriptor(WRITE, to), first, syscall(SYS_writev, to, parts, count), syscall(SYS_write, to, parts[0].iov_base, first / 2));
}

ssize_t read(int from, void *bytes, size_t size) {
    BYTES(hit_descriptor(READ, from), size, syscall(SYS_read, from, bytes, size), syscall(SYS_read, from, bytes, size / 2));
}

ssize_t pread(int from, void *bytes, size_t size, off_t at) {
    BYTES(hit_descriptor(READ, from), size, syscall(SYS_pread64, from, bytes, size, at), syscall(SYS_pread64, from, bytes, size / 2, at));
}

ssize_t pread64(int from, void *bytes, size_t size, off64_t at) { return pread(from, bytes, size, at); }

ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t size, unsigned flags) {
    BYTES(hit_descriptor(COPY, to), size, syscall(SYS_copy_file_range, from, from_at, to, to_at, size, flags),
          syscall(SYS_copy_file_range, from, from_at, to, to_at, size / 2, flags));
}

ssize_t sendfile64(int to, int from, off64_t *at, size_t size) {
    BYTES(hit_descriptor(COPY, to), size, syscall(SYS_sendfile, to, from, at, size), syscall(SYS_sendfile, to, from, at, size / 2));
}

ssize_t sendfile(int to, int from, off_t *at, size_t size) { return sendfile64(to, from, at, size); }

int fsync(int file) { WHOLE(hit_descriptor(SYNC, file), syscall(SYS_fsync, file)); }
int fdatasync(int file) { WHOLE(hit_descriptor(SYNC, file), syscall(SYS_fdatasync, file)); }
int ftruncate(int file, off_t size) { WHOLE(hit_descriptor(TRUNCATE, file), syscall(SYS_ftruncate, file, size)); }
int ftruncate64(int file, off64_t size) { return ftruncate(file, size); }
int fallocate(int file, int mode, off_t at, off_t size) { WHOLE(hit_descriptor(TRUNCATE, file), syscall(SYS_fallocate, file, mode, at, size)); }
int fallocate64(int file, int mode, off64_t at, off64_t size) { return fallocate(file, mode, at, size); }

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    WHOLE(hit_path(RENAME, to_folder, to), syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) { return renameat2(from_folder, from, to_folder, to, 0); }
int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    WHOLE(hit_path(LINK, to_folder, to), syscall(SYS_linkat, from_folder, from, to_folder, to, flags));
}

int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlinkat(int folder, const char *name, int flags) {
    WHOLE(hit_path(UNLINK, folder, name), syscall(SYS_unlinkat, folder, name, flags));
}

int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }

int mkdirat(int folder, const char *name, mode_t mode) { WHOLE(hit_path(MKDIR, folder, name), syscall(SYS_mkdirat, folder, name, mode)); }
int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }

/* Opening to read is left alone here; READ hits the reads themselves. */
static int open_at(int folder, const char *name, int flags, mode_t mode) {
    enum fault found = (flags & (O_CREAT | O_WRONLY | O_RDWR)) ? hit_path(OPEN, folder, name) : NONE;
    if (found == INTERRUPTED)
        return (int)failed(EINTR);
    if (found == LOST)
        found = BROKEN;
    /* A full disk refuses new files only. */
    if (found == FULL && (!(flags & O_CREAT) || syscall(SYS_faccessat, folder, name, F_OK) == 0))
        found = NONE;
    WHOLE(found, syscall(SYS_openat, folder, name, flags, mode));
}

#define MODE(flags)                                                                                                    \
    mode_t mode = 0;                                                                                                   \
    if (((flags) & O_CREAT) || ((flags) & O_TMPFILE) == O_TMPFILE) {                                                                             \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode = va_arg(rest, mode_t);                                                                                   \
        va_end(rest);                                                                                                  \
    }

int open(const char *name, int flags, ...) { MODE(flags) return open_at(AT_FDCWD, name, flags, mode); }
int open64(const char *name, int flags, ...) { MODE(flags) return open_at(AT_FDCWD, name, flags, mode); }
int openat(int folder, const char *name, int flags, ...) { MODE(flags) return open_at(folder, name, flags, mode); }
int openat64(int folder, const char *name, int flags, ...) { MODE(flags) return open_at(folder, name, flags, mode); }
int creat(const char *name, mode_t mode) { return open_at(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, mode); }
