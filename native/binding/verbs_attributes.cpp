// Verbs that read and change what a file is, not what it holds. Those that end in "Fd" act on an open file.
#include <fcntl.h>
#include <sys/vfs.h>

#include <cstring>

#include "binding/on_place.h"
#include "binding/verb.h"
#include "binding/verbs.h"
#include "ops/open_file.h"
#include "ops/record.h"
#include "ops/set_mode.h"
#include "sys/attributes.h"
#include "sys/stat.h"

namespace dfd {

namespace {

Napi::Value stat_value(Napi::Env env, const StatRecord& record) {
  return Napi::Buffer<uint8_t>::Copy(env, reinterpret_cast<const uint8_t*>(&record), sizeof record);
}

// stat(handle, path, follow) → StatRecord
struct Stat : OnPlace {
  FinalLink final_link = FinalLink::kKeep;
  StatRecord record{};

  void parse(Arguments& arguments) {
    parse_place(arguments);
    final_link = arguments.boolean() ? FinalLink::kFollow : FinalLink::kKeep;
  }

  Status run() noexcept {
    if (final_link == FinalLink::kFollow) return run_following();
    return at_place([&](const Place& place) -> Status {
      auto stx = sys::statx(place.dir(), place.name());
      if (!stx) return stx.error();
      if (place.must_be_directory() && !S_ISDIR(stx->stx_mode)) return failure(Call::kStatx, ENOTDIR);
      record = to_record(*stx);
      return success();
    });
  }

  Status run_following() {
    auto handle = resolve_path(root.fd->get(), path, root.policy, FinalLink::kFollow);
    if (!handle) return handle.error().about(Subject::kPath);
    auto stx = sys::fstatx(handle->get());
    if (!stx) return stx.error().about(Subject::kPath);
    record = to_record(*stx);
    return success();
  }

  Napi::Value value(Napi::Env env) { return stat_value(env, record); }
};

struct StatFd {
  Handle file;
  StatRecord record{};
  void parse(Arguments& arguments) { file = arguments.handle(); }
  Status run() noexcept {
    auto stx = sys::fstatx(file.fd->get());
    if (!stx) return stx.error();
    record = to_record(*stx);
    return success();
  }
  Napi::Value value(Napi::Env env) { return stat_value(env, record); }
};

// access(handle, path, mode)
struct Access : OnPlace {
  int mode = 0;
  void parse(Arguments& arguments) {
    parse_place(arguments);
    mode = static_cast<int>(arguments.integer());
  }
  Status run() noexcept {
    return at_existing(Call::kFaccessat2,
                       [&](const Place& place) { return sys::access(place.dir(), place.name(), mode); });
  }
};

// chmod(handle, path, mode)
struct Chmod : OnPlace {
  mode_t mode = 0;
  void parse(Arguments& arguments) {
    parse_place(arguments);
    mode = static_cast<mode_t>(arguments.integer());
  }
  Status run() noexcept {
    return at_existing(Call::kFchmodat2, [&](const Place& place) { return set_mode(place.dir(), place.name(), mode); });
  }
};

// chown(handle, path, uid, gid); -1 keeps
struct Chown : OnPlace {
  uid_t uid = sys::kKeepOwner;
  gid_t gid = sys::kKeepOwner;
  void parse(Arguments& arguments) {
    parse_place(arguments);
    uid = static_cast<uid_t>(arguments.integer());
    gid = static_cast<gid_t>(arguments.integer());
  }
  Status run() noexcept {
    return at_existing(Call::kFchownat,
                       [&](const Place& place) { return sys::fchownat(place.dir(), place.name(), uid, gid); });
  }
};

// Seconds and nanoseconds of access and modification; nanoseconds may be UTIME_NOW or UTIME_OMIT.
struct Times {
  timespec values[2]{};
  void parse(Arguments& arguments) {
    for (timespec& time : values) {
      time.tv_sec = arguments.integer();
      time.tv_nsec = arguments.integer();
    }
  }
};

// utimes(handle, path, atime s, atime ns, mtime s, mtime ns)
struct Utimes : OnPlace {
  Times times;
  void parse(Arguments& arguments) {
    parse_place(arguments);
    times.parse(arguments);
  }
  Status run() noexcept {
    return at_existing(Call::kUtimensat,
                       [&](const Place& place) { return sys::utimensat(place.dir(), place.name(), times.values); });
  }
};

struct OnFile {
  Handle file;
  Napi::Value value(Napi::Env env) { return env.Undefined(); }
};

struct ChmodFd : OnFile {
  mode_t mode = 0;
  void parse(Arguments& arguments) {
    file = arguments.handle();
    mode = static_cast<mode_t>(arguments.integer());
  }
  Status run() noexcept { return sys::fchmod(file.fd->get(), mode); }
};

struct ChownFd : OnFile {
  uid_t uid = sys::kKeepOwner;
  gid_t gid = sys::kKeepOwner;
  void parse(Arguments& arguments) {
    file = arguments.handle();
    uid = static_cast<uid_t>(arguments.integer());
    gid = static_cast<gid_t>(arguments.integer());
  }
  Status run() noexcept { return sys::fchown(file.fd->get(), uid, gid); }
};

struct UtimesFd : OnFile {
  Times times;
  void parse(Arguments& arguments) {
    file = arguments.handle();
    times.parse(arguments);
  }
  Status run() noexcept { return sys::futimens(file.fd->get(), times.values); }
};

// getflags(handle, path) → number
struct GetFlags : OnPlace {
  uint32_t flags = 0;
  void parse(Arguments& arguments) { parse_place(arguments); }
  Status run() noexcept {
    return at_existing(Call::kGetflags, [&](const Place& place) -> Status {
      auto fd = open_inode(place.dir(), place.name(), O_RDONLY);
      if (!fd) return fd.error();
      auto got = sys::getflags(fd->get());
      if (!got) return got.error();
      flags = *got;
      return success();
    });
  }
  Napi::Value value(Napi::Env env) { return Napi::Number::New(env, flags); }
};

// setflags(handle, path, flags)
struct SetFlags : OnPlace {
  uint32_t flags = 0;
  void parse(Arguments& arguments) {
    parse_place(arguments);
    flags = static_cast<uint32_t>(arguments.integer());
  }
  Status run() noexcept {
    return at_existing(Call::kSetflags, [&](const Place& place) -> Status {
      auto fd = open_inode(place.dir(), place.name(), O_RDONLY);
      if (!fd) return fd.error();
      return sys::setflags(fd->get(), flags);
    });
  }
};

// statfs(handle) → {type, bsize, blocks, bfree, bavail, files, ffree, namelen, readOnly}
struct Statfs : OnFile {
  struct statfs fs {};
  void parse(Arguments& arguments) { file = arguments.handle(); }
  Status run() noexcept {
    auto got = sys::fstatfs(file.fd->get());
    if (!got) return got.error();
    fs = *got;
    return success();
  }
  Napi::Value value(Napi::Env env) {
    Napi::Object facts = Napi::Object::New(env);
    facts.Set("type", static_cast<double>(static_cast<uint32_t>(fs.f_type)));
    facts.Set("bsize", static_cast<double>(fs.f_bsize));
    facts.Set("blocks", static_cast<double>(fs.f_blocks));
    facts.Set("bfree", static_cast<double>(fs.f_bfree));
    facts.Set("bavail", static_cast<double>(fs.f_bavail));
    facts.Set("files", static_cast<double>(fs.f_files));
    facts.Set("ffree", static_cast<double>(fs.f_ffree));
    facts.Set("namelen", static_cast<double>(fs.f_namelen));
    constexpr long kReadOnly = 1;  // ST_RDONLY, statvfs(3)
    facts.Set("readOnly", (fs.f_flags & kReadOnly) != 0);
    return facts;
  }
};

}  // namespace

void export_attributes(Napi::Object exports) {
  export_verb<Stat>(exports, "stat");
  export_verb<StatFd>(exports, "statFd");
  export_verb<Access>(exports, "access");
  export_verb<Chmod>(exports, "chmod");
  export_verb<ChmodFd>(exports, "chmodFd");
  export_verb<Chown>(exports, "chown");
  export_verb<ChownFd>(exports, "chownFd");
  export_verb<Utimes>(exports, "utimes");
  export_verb<UtimesFd>(exports, "utimesFd");
  export_verb<GetFlags>(exports, "getflags");
  export_verb<SetFlags>(exports, "setflags");
  export_verb<Statfs>(exports, "statfs");
}

}  // namespace dfd
