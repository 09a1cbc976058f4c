// Kills the process at its N-th call that changes something outside it: a write, a sync, a rename,
// a message sent. Loaded with LD_PRELOAD; FLAIR_KILL_AT=N arms it, FLAIR_COUNT_FILE says at
// exit how many there were.
// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long count;
static long kill_at;
static const char* count_file;

__attribute__((constructor)) static void Arm(void) {
  const char* at = getenv("FLAIR_KILL_AT");
  kill_at = at ? atol(at) : 0;
  count_file = getenv("FLAIR_COUNT_FILE");
}

__attribute__((destructor)) static void Tell(void) {
  if (!count_file) return;
  FILE* out = fopen(count_file, "w");
  if (!out) return;
  fprintf(out, "%ld\n", atomic_load(&count));
  fclose(out);
}

static void Step(void) {
  if (atomic_fetch_add(&count, 1) + 1 == kill_at) kill(getpid(), SIGKILL);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define WRAP(type, name, parameters, arguments)      \
  type name parameters {                             \
    static __typeof__(&name) real;                   \
    if (!real) real = REAL(name);                    \
    Step();                                          \
    return real arguments;                           \
  }

WRAP(ssize_t, write, (int fd, const void* data, size_t n), (fd, data, n))
WRAP(ssize_t, writev, (int fd, const struct iovec* v, int n), (fd, v, n))
WRAP(ssize_t, pwrite, (int fd, const void* data, size_t n, off_t at), (fd, data, n, at))
WRAP(ssize_t, pwrite64, (int fd, const void* data, size_t n, off64_t at), (fd, data, n, at))
WRAP(ssize_t, send, (int fd, const void* data, size_t n, int flags), (fd, data, n, flags))
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr* m, int flags), (fd, m, flags))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, fdatasync, (int fd), (fd))
WRAP(int, rename, (const char* from, const char* to), (from, to))
WRAP(int, unlink, (const char* path), (path))
WRAP(int, mkdir, (const char* path, mode_t mode), (path, mode))
WRAP(int, rmdir, (const char* path), (path))
WRAP(int, ftruncate, (int fd, off_t size), (fd, size))
WRAP(int, ftruncate64, (int fd, off64_t size), (fd, size))
