/*
 * How the record is written, which descriptors are watched, and which real path a name means. Part of recorder.c, and
 * the layout that record.ts reads.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN = 1, CLOSE, WRITE, RESIZE, EXTEND, SYNC, MOVE, REMOVE, MAP, FOREIGN, LINK };

/* The head of a record; the paths and the bytes follow. record.ts reads the same layout. */
struct head {
  uint32_t kind;
  uint32_t process;
  int32_t descriptor;
  uint32_t flags;
  uint64_t offset;
  uint32_t path_length;
  uint32_t other_length;
  uint64_t data_length;
};

#define MAX_DESCRIPTORS 65536
#define FIRST_OWN_DESCRIPTOR 700

static char folder[PATH_MAX];
static size_t folder_length;
static int record = -1;
/* A child between fork and exec shuffles descriptors and writes no file; after exec it is loaded anew. */
static pid_t self;
static unsigned char watched[MAX_DESCRIPTORS];
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

/* The calls behind the ones that recorder.c puts in front of them. */
static ssize_t (*real_writev)(int, const struct iovec *, int);

static void note(uint32_t kind, int descriptor, uint32_t flags, uint64_t offset, const char *path, const char *other,
                 const struct iovec *data, int parts, uint64_t length) {
  if (record < 0) return;
  int kept = errno;
  struct head head = {kind, (uint32_t)self, descriptor, flags, offset, path ? (uint32_t)strlen(path) : 0,
                      other ? (uint32_t)strlen(other) : 0, length};
  struct iovec all[3 + 16] = {{&head, sizeof head}, {(void *)path, head.path_length}, {(void *)other, head.other_length}};
  uint64_t left = length;
  int used = 3;
  for (int part = 0; part < parts && left > 0; part++, used++) {
    if (used == 3 + 16) abort();
    size_t size = data[part].iov_len < left ? data[part].iov_len : left;
    all[used] = (struct iovec){data[part].iov_base, size};
    left -= size;
  }
  ssize_t whole = (ssize_t)(sizeof head + head.path_length + head.other_length + length);
  /* A record with a hole in it proves nothing. */
  if (real_writev(record, all, used) != whole) abort();
  errno = kept;
}

static void note_plain(uint32_t kind, int descriptor, uint64_t offset) {
  note(kind, descriptor, 0, offset, NULL, NULL, NULL, 0, 0);
}

static int is_watched(int descriptor) {
  return record >= 0 && descriptor >= 0 && descriptor < MAX_DESCRIPTORS && watched[descriptor] && getpid() == self;
}

static int is_below(const char *path) {
  return strncmp(path, folder, folder_length) == 0 && (path[folder_length] == '/' || path[folder_length] == 0);
}

/* The real path of a name that may not exist (any more); 0 when its folder does not exist or is not ours. */
static int place(int base, const char *name, char *found) {
  if (record < 0) return 0;
  char whole[PATH_MAX];
  if (name[0] == '/' || base == AT_FDCWD) {
    if (snprintf(whole, sizeof whole, "%s", name) >= (int)sizeof whole) return 0;
  } else {
    char link[64], parent[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", base);
    ssize_t length = readlink(link, parent, sizeof parent - 1);
    if (length < 0) return 0;
    parent[length] = 0;
    if (snprintf(whole, sizeof whole, "%s/%s", parent, name) >= (int)sizeof whole) return 0;
  }
  char *slash = strrchr(whole, '/');
  char real[PATH_MAX];
  const char *last = slash ? slash + 1 : whole;
  if (slash == whole) {
    strcpy(real, "");
  } else if (slash == NULL) {
    if (realpath(".", real) == NULL) return 0;
  } else {
    *slash = 0;
    if (realpath(whole, real) == NULL) return 0;
  }
  if (snprintf(found, PATH_MAX, "%s/%s", real, last) >= PATH_MAX) return 0;
  return is_below(found);
}
