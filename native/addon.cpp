// The native half of dirfd. Below this file, each layer includes only what lies under it:
//
//   binding/   JS values ↔ ops; the only code that knows N-API
//     verb.h            one struct a verb: parse → run → value, asynchronous or not
//     verbs_*.cpp       the verbs of DirectoryFd and FileFd
//     environment.h     what one environment owns: worker pool, way back to the JS thread
//     handle.h          the JS object that holds a descriptor
//     walk.cpp          a tree as a stream of batches
//     facts.cpp         layout, names and capabilities, for lib/native to check
//   engine/    threads: who runs what, back-pressure, cancel, close
//     walk/walk.h       a tree, listed by several threads
//     directory_syncs.h   fsyncs of a directory, one for all who wait for it
//     uring/            io_uring, where it was measured to be faster; with or without liburing
//     lock_waits.h      waits for locks that other processes hold
//     copy/copy_survey.h  a tree held against its copy, by several threads
//   ops/       several system calls, one job
//     resolve.h         from a relative path to a descriptor, never out of the root
//     replace_file.h    a file replaced whole or not at all
//     record.h batch.h  the packed form of entries
//   sys/       one system call each; owners of descriptors; Result and SysError; probes
#include <napi.h>

#include "binding/environment.h"
#include "binding/verbs.h"

namespace {

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  dfd::Environment::create(env);
  dfd::export_facts(exports);
  dfd::export_opening(exports);
  dfd::export_names(exports);
  dfd::export_attributes(exports);
  dfd::export_xattrs(exports);
  dfd::export_data(exports);
  dfd::export_locks(exports);
  dfd::export_listing(exports);
  dfd::export_jobs(exports);
  dfd::export_trees(exports);
  dfd::export_entries(exports);
  dfd::export_replacing(exports);
  dfd::export_walk(exports);
  dfd::export_copying(exports);
  dfd::export_copy_places(exports);
  dfd::export_surveying(exports);
  dfd::export_comparing(exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(dirfd, initialize)
