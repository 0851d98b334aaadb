/* Preloaded into a host: kills it, as SIGKILL does at any moment, at its KILL_AT-th write to its
 * journal, or right after the sync that follows that (KILL_AFTER instead). Each write to a file
 * named `journal` counts. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int writes;

static int is_journal(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof path - 1);
  if (size <= 0) return 0;
  path[size] = 0;
  const char* name = strrchr(path, '/');
  return name != NULL && strcmp(name, "/journal") == 0;
}

static void die_if(const char* variable) {
  const char* number = getenv(variable);
  if (number != NULL && atoi(number) == writes) kill(getpid(), SIGKILL);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  ssize_t (*next)(int, const void*, size_t) =
      (ssize_t(*)(int, const void*, size_t))dlsym(RTLD_NEXT, "write");
  if (is_journal(fd)) {
    ++writes;
    die_if("KILL_AT");
  }
  return next(fd, bytes, size);
}

int fsync(int fd) {
  int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  const int result = next(fd);
  if (is_journal(fd)) die_if("KILL_AFTER");
  return result;
}
