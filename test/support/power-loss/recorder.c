/*
 * Writes down, in order, everything that a process does to the files below one folder: LD_PRELOAD=recorder.so,
 * RECORDED_FOLDER=/real/path, RECORD_FILE=/somewhere/else. disk.ts builds from that record what a disk may hold after
 * the power went.
 *
 * Every call is made first and written down when it succeeded, both under one lock, so that the record has the order in
 * which the kernel saw them. Whatever would change a file behind the record's back (a second descriptor of one opening,
 * a copy inside the kernel, a shared mapping) is written down as what it is, and disk.ts refuses what it cannot vouch for.
 *
 * Assumes Linux with glibc on a little-endian machine, and files that are opened by these functions and not by stdio.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "recorder.h"

static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static int (*real_close)(int);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_pwritev)(int, const struct iovec *, int, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_truncate)(const char *, off_t);
static int (*real_fallocate)(int, int, off_t, off_t);
static int (*real_posix_fallocate)(int, off_t, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_rename)(const char *, const char *);
static int (*real_renameat)(int, const char *, int, const char *);
static int (*real_renameat2)(int, const char *, int, const char *, unsigned);
static int (*real_unlink)(const char *);
static int (*real_unlinkat)(int, const char *, int);
static int (*real_link)(const char *, const char *);
static int (*real_linkat)(int, const char *, int, const char *, int);
static void *(*real_mmap)(void *, size_t, int, int, int, off_t);
static int (*real_dup)(int);
static int (*real_dup2)(int, int);
static int (*real_dup3)(int, int, int);
static ssize_t (*real_copy_file_range)(int, off_t *, int, off_t *, size_t, unsigned);
static ssize_t (*real_sendfile)(int, int, off_t *, size_t);

static void find(void *place, const char *name) {
  *(void **)place = dlsym(RTLD_NEXT, name);
}

static void begin(void) {
  static int begun;
  if (begun) return;
  begun = 1;
  self = getpid();
  find(&real_open, "open64");
  find(&real_openat, "openat64");
  find(&real_close, "close");
  find(&real_write, "write");
  find(&real_pwrite, "pwrite64");
  find(&real_writev, "writev");
  find(&real_pwritev, "pwritev64");
  find(&real_ftruncate, "ftruncate64");
  find(&real_truncate, "truncate64");
  find(&real_fallocate, "fallocate64");
  find(&real_posix_fallocate, "posix_fallocate64");
  find(&real_fsync, "fsync");
  find(&real_fdatasync, "fdatasync");
  find(&real_rename, "rename");
  find(&real_renameat, "renameat");
  find(&real_renameat2, "renameat2");
  find(&real_unlink, "unlink");
  find(&real_unlinkat, "unlinkat");
  find(&real_link, "link");
  find(&real_linkat, "linkat");
  find(&real_mmap, "mmap64");
  find(&real_dup, "dup");
  find(&real_dup2, "dup2");
  find(&real_dup3, "dup3");
  find(&real_copy_file_range, "copy_file_range");
  find(&real_sendfile, "sendfile64");
  const char *asked = getenv("RECORDED_FOLDER");
  const char *file = getenv("RECORD_FILE");
  if (asked == NULL || file == NULL || realpath(asked, folder) == NULL) return;
  folder_length = strlen(folder);
  int low = real_open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (low < 0) return;
  record = fcntl(low, F_DUPFD_CLOEXEC, FIRST_OWN_DESCRIPTOR);
  real_close(low);
}

__attribute__((constructor)) static void loaded(void) { begin(); }

static void enter(void) {
  begin();
  pthread_mutex_lock(&lock);
}

static void leave(void) {
  int kept = errno;
  pthread_mutex_unlock(&lock);
  errno = kept;
}

static int opened(int descriptor, int flags, int existed) {
  if (descriptor < 0 || record < 0 || descriptor >= MAX_DESCRIPTORS) return descriptor;
  int kept = errno;
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  watched[descriptor] = 0;
  if (length > 0) {
    path[length] = 0;
    if (is_below(path)) {
      watched[descriptor] = 1;
      note(OPEN, descriptor, (uint32_t)flags, existed ? 0 : 1, path, NULL, NULL, 0, 0);
    }
  }
  errno = kept;
  return descriptor;
}

static int open_any(int base, const char *path, int flags, mode_t mode) {
  enter();
  int existed = 1;
  if (flags & O_CREAT) {
    int kept = errno;
    existed = faccessat(base, path, F_OK, 0) == 0;
    errno = kept;
  }
  int descriptor = opened(real_openat(base, path, flags, mode), flags, existed);
  leave();
  return descriptor;
}

static mode_t mode_of(int flags, va_list more) {
  return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(more, mode_t) : 0;
}

#define OPENS(name, more_flags)                                        \
  int name(const char *path, int flags, ...) {                         \
    va_list more;                                                      \
    va_start(more, flags);                                             \
    mode_t mode = mode_of(flags, more);                                \
    va_end(more);                                                      \
    return open_any(AT_FDCWD, path, flags | (more_flags), mode);       \
  }
#define OPENS_AT(name)                                                 \
  int name(int base, const char *path, int flags, ...) {               \
    va_list more;                                                      \
    va_start(more, flags);                                             \
    mode_t mode = mode_of(flags, more);                                \
    va_end(more);                                                      \
    return open_any(base, path, flags, mode);                          \
  }
OPENS(open, 0)
OPENS(open64, O_LARGEFILE)
OPENS_AT(openat)
OPENS_AT(openat64)
int creat(const char *path, mode_t mode) { return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }
int __open_2(const char *path, int flags) { return open_any(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_any(AT_FDCWD, path, flags, 0); }

int close(int descriptor) {
  enter();
  if (descriptor == record && record >= 0) {
    leave();
    return 0;
  }
  if (is_watched(descriptor)) {
    note_plain(CLOSE, descriptor, 0);
    watched[descriptor] = 0;
  }
  int result = real_close(descriptor);
  leave();
  return result;
}

static void wrote(int descriptor, const struct iovec *parts, int count, ssize_t length, off_t offset) {
  if (length <= 0 || !is_watched(descriptor)) return;
  note(WRITE, descriptor, 0, (uint64_t)offset, NULL, NULL, parts, count, (uint64_t)length);
}

/* Where bytes that were written at the descriptor's own place began. */
static off_t began(int descriptor, ssize_t length) {
  int kept = errno;
  off_t now = length > 0 && is_watched(descriptor) ? lseek(descriptor, 0, SEEK_CUR) - length : 0;
  errno = kept;
  return now;
}

ssize_t write(int descriptor, const void *data, size_t size) {
  begin();
  if (!is_watched(descriptor)) return real_write(descriptor, data, size);
  enter();
  ssize_t length = real_write(descriptor, data, size);
  struct iovec part = {(void *)data, size};
  wrote(descriptor, &part, 1, length, began(descriptor, length));
  leave();
  return length;
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
  begin();
  if (!is_watched(descriptor)) return real_writev(descriptor, parts, count);
  enter();
  ssize_t length = real_writev(descriptor, parts, count);
  wrote(descriptor, parts, count, length, began(descriptor, length));
  leave();
  return length;
}

ssize_t pwrite64(int descriptor, const void *data, size_t size, off64_t offset) {
  enter();
  ssize_t length = real_pwrite(descriptor, data, size, offset);
  struct iovec part = {(void *)data, size};
  wrote(descriptor, &part, 1, length, offset);
  leave();
  return length;
}
ssize_t pwrite(int descriptor, const void *data, size_t size, off_t offset) {
  return pwrite64(descriptor, data, size, offset);
}

ssize_t pwritev64(int descriptor, const struct iovec *parts, int count, off64_t offset) {
  enter();
  ssize_t length = real_pwritev(descriptor, parts, count, offset);
  wrote(descriptor, parts, count, length, offset);
  leave();
  return length;
}
ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t offset) {
  return pwritev64(descriptor, parts, count, offset);
}

int ftruncate64(int descriptor, off64_t size) {
  enter();
  int result = real_ftruncate(descriptor, size);
  if (result == 0 && is_watched(descriptor)) note_plain(RESIZE, descriptor, (uint64_t)size);
  leave();
  return result;
}
int ftruncate(int descriptor, off_t size) { return ftruncate64(descriptor, size); }

static void foreign(const char *what, const char *path) { note(FOREIGN, -1, 0, 0, what, path, NULL, 0, 0); }

int truncate64(const char *path, off64_t size) {
  enter();
  char found[PATH_MAX];
  int ours = place(AT_FDCWD, path, found);
  int result = real_truncate(path, size);
  if (result == 0 && ours) foreign("truncate", found);
  leave();
  return result;
}
int truncate(const char *path, off_t size) { return truncate64(path, size); }

int fallocate64(int descriptor, int mode, off64_t offset, off64_t size) {
  enter();
  int result = real_fallocate(descriptor, mode, offset, size);
  if (result == 0 && is_watched(descriptor)) {
    if (mode == 0) note_plain(EXTEND, descriptor, (uint64_t)(offset + size));
    else foreign("fallocate with a mode", "");
  }
  leave();
  return result;
}
int fallocate(int descriptor, int mode, off_t offset, off_t size) { return fallocate64(descriptor, mode, offset, size); }

int posix_fallocate64(int descriptor, off64_t offset, off64_t size) {
  enter();
  int result = real_posix_fallocate(descriptor, offset, size);
  if (result == 0 && is_watched(descriptor)) note_plain(EXTEND, descriptor, (uint64_t)(offset + size));
  leave();
  return result;
}
int posix_fallocate(int descriptor, off_t offset, off_t size) { return posix_fallocate64(descriptor, offset, size); }

static int synced(int descriptor, int (*real)(int), uint32_t flags) {
  enter();
  int result = real(descriptor);
  if (result == 0 && is_watched(descriptor)) note(SYNC, descriptor, flags, 0, NULL, NULL, NULL, 0, 0);
  leave();
  return result;
}
int fsync(int descriptor) {
  begin();
  return synced(descriptor, real_fsync, 1);
}
int fdatasync(int descriptor) {
  begin();
  return synced(descriptor, real_fdatasync, 0);
}

static int moved(int from_base, const char *from, int to_base, const char *to, unsigned flags, int which) {
  enter();
  char source[PATH_MAX], target[PATH_MAX];
  int out = place(from_base, from, source), in = place(to_base, to, target);
  int result = which == 0   ? real_rename(from, to)
               : which == 1 ? real_renameat(from_base, from, to_base, to)
                            : real_renameat2(from_base, from, to_base, to, flags);
  if (result == 0 && (out || in)) {
    if (out && in && flags == 0) note(MOVE, -1, 0, 0, source, target, NULL, 0, 0);
    else foreign("rename across the folder's border", out ? source : target);
  }
  leave();
  return result;
}
int rename(const char *from, const char *to) { return moved(AT_FDCWD, from, AT_FDCWD, to, 0, 0); }
int renameat(int base, const char *from, int other, const char *to) { return moved(base, from, other, to, 0, 1); }
int renameat2(int base, const char *from, int other, const char *to, unsigned flags) {
  return moved(base, from, other, to, flags, 2);
}

static int removed(int base, const char *path, int flags, int at) {
  enter();
  char found[PATH_MAX];
  int ours = place(base, path, found) && (flags & AT_REMOVEDIR) == 0;
  int result = at ? real_unlinkat(base, path, flags) : real_unlink(path);
  if (result == 0 && ours) note(REMOVE, -1, 0, 0, found, NULL, NULL, 0, 0);
  leave();
  return result;
}
int unlink(const char *path) { return removed(AT_FDCWD, path, 0, 0); }
int unlinkat(int base, const char *path, int flags) { return removed(base, path, flags, 1); }

int linkat(int base, const char *from, int other, const char *to, int flags) {
  enter();
  char source[PATH_MAX], target[PATH_MAX];
  int out = place(base, from, source), in = place(other, to, target);
  int result = real_linkat(base, from, other, to, flags);
  if (result == 0 && in) {
    if (out) note(LINK, -1, 0, 0, source, target, NULL, 0, 0);
    else foreign("link from outside", target);
  }
  leave();
  return result;
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

void *mmap64(void *address, size_t size, int protection, int flags, int descriptor, off64_t offset) {
  begin();
  void *result = real_mmap(address, size, protection, flags, descriptor, offset);
  if (result != MAP_FAILED && (flags & MAP_SHARED) && (protection & PROT_WRITE) && is_watched(descriptor)) {
    enter();
    note_plain(MAP, descriptor, 0);
    leave();
  }
  return result;
}
void *mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset) {
  return mmap64(address, size, protection, flags, descriptor, offset);
}

static int doubled(int descriptor, int result) {
  if (result >= 0 && is_watched(descriptor)) foreign("a second descriptor of an opened file", "");
  return result;
}
int dup(int descriptor) {
  begin();
  return doubled(descriptor, real_dup(descriptor));
}
int dup2(int descriptor, int other) {
  begin();
  return doubled(descriptor, real_dup2(descriptor, other));
}
int dup3(int descriptor, int other, int flags) {
  begin();
  return doubled(descriptor, real_dup3(descriptor, other, flags));
}

ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *to_at, size_t size, unsigned flags) {
  begin();
  ssize_t length = real_copy_file_range(from, at, to, to_at, size, flags);
  if (length > 0 && is_watched(to)) foreign("copy_file_range", "");
  return length;
}
ssize_t sendfile64(int to, int from, off64_t *at, size_t size) {
  begin();
  ssize_t length = real_sendfile(to, from, at, size);
  if (length > 0 && is_watched(to)) foreign("sendfile", "");
  return length;
}
ssize_t sendfile(int to, int from, off_t *at, size_t size) { return sendfile64(to, from, at, size); }
