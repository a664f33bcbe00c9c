// Verbs that make, move and remove names.
#include <fcntl.h>
#include <stdio.h>

#include "binding/on_place.h"
#include "binding/verb.h"
#include "binding/verbs.h"
#include "ops/make_directories.h"
#include "ops/temporary_file.h"
#include "sys/directory.h"
#include "sys/stat.h"

namespace dfd {

namespace {

// mkdir(handle, path, mode)
struct Mkdir : OnPlace {
  mode_t mode = 0777;
  void parse(Arguments& arguments) {
    parse_place(arguments);
    mode = static_cast<mode_t>(arguments.integer());
  }
  Status run() noexcept {
    return at_place([&](const Place& place) { return sys::mkdirat(place.dir(), place.name(), mode); });
  }
};

// mkdirs(handle, path, mode) → the first directory that was made, as a Buffer, empty where all were there
struct Mkdirs : Mkdir {
  std::string first;
  Status run() noexcept {
    auto made = make_directories(root.fd->get(), path, root.policy, mode);
    if (!made) return made.error().about(Subject::kPath);
    first = *std::move(made);
    return success();
  }
  Napi::Value value(Napi::Env env) { return to_buffer(env, first); }
};

// unlink(handle, path): anything but a directory.
struct Unlink : OnPlace {
  void parse(Arguments& arguments) { parse_place(arguments); }
  Status run() noexcept {
    return at_existing(Call::kUnlinkat, [&](const Place& place) { return sys::unlinkat(place.dir(), place.name()); });
  }
};

// rmdir(handle, path): an empty directory.
struct Rmdir : OnPlace {
  void parse(Arguments& arguments) { parse_place(arguments); }
  Status run() noexcept {
    return at_place([&](const Place& place) { return sys::unlinkat(place.dir(), place.name(), AT_REMOVEDIR); });
  }
};

// symlink(handle, path, target)
struct Symlink : OnPlace {
  std::string target;
  void parse(Arguments& arguments) {
    parse_place(arguments);
    target = arguments.path();
  }
  Status run() noexcept {
    return at_new(Call::kSymlinkat,
                  [&](const Place& place) { return sys::symlinkat(target.c_str(), place.dir(), place.name()); });
  }
};

// readlink(handle, path) → Buffer
struct Readlink : OnPlace {
  std::string target;
  void parse(Arguments& arguments) { parse_place(arguments); }
  Status run() noexcept {
    return at_existing(Call::kReadlinkat, [&](const Place& place) -> Status {
      auto read = sys::readlinkat(place.dir(), place.name());
      if (!read) return read.error();
      target = *std::move(read);
      return success();
    });
  }
  Napi::Value value(Napi::Env env) { return to_buffer(env, target); }
};

// mknod(handle, path, mode with type, device)
struct Mknod : OnPlace {
  mode_t mode = 0;
  dev_t device = 0;
  void parse(Arguments& arguments) {
    parse_place(arguments);
    mode = static_cast<mode_t>(arguments.integer());
    device = static_cast<dev_t>(arguments.integer());
  }
  Status run() noexcept {
    return at_new(Call::kMknodat,
                  [&](const Place& place) { return sys::mknodat(place.dir(), place.name(), mode, device); });
  }
};

// Two places, each below a root of its own.
struct OnTwoPlaces : OnPlace {
  Handle second_root;
  std::string second_path;

  void parse_places(Arguments& arguments) {
    parse_place(arguments);
    second_root = arguments.handle();
    second_path = arguments.path();
  }

  template <class Act>
  Status at_places(Act&& act) {
    auto from = resolve_parent(root.fd->get(), path, root.policy);
    if (!from) return from.error().about(Subject::kPath);
    auto to = resolve_parent(second_root.fd->get(), second_path, second_root.policy);
    if (!to) return to.error().about(Subject::kSecondPath);
    Status status = act(*from, *to);
    if (!status) return status.error().about(Subject::kPath);
    return success();
  }
};

// rename(handle, path, handle, path, flags of renameat2)
struct Rename : OnTwoPlaces {
  unsigned flags = 0;

  // A slash after either name says that a directory is moved; an exchange moves two things.
  Status require_directories(const Place& from, const Place& to) const {
    if (auto status = require_directory_if_asked(from, Call::kRenameat2); !status) return status;
    if (flags & RENAME_EXCHANGE) return require_directory_if_asked(to, Call::kRenameat2);
    if (!to.must_be_directory()) return success();
    auto stx = sys::statx(from.dir(), from.name());
    if (!stx) return failure(Call::kRenameat2, stx.err());
    return S_ISDIR(stx->stx_mode) ? success() : failure(Call::kRenameat2, ENOTDIR);
  }

  void parse(Arguments& arguments) {
    parse_places(arguments);
    flags = static_cast<unsigned>(arguments.integer());
  }
  Status run() noexcept {
    return at_places([&](const Place& from, const Place& to) {
      if (auto status = require_directories(from, to); !status) return status;
      return sys::renameat2(from.dir(), from.name(), to.dir(), to.name(), flags);
    });
  }
};

// link(handle, path, handle, path)
struct Link : OnTwoPlaces {
  void parse(Arguments& arguments) { parse_places(arguments); }
  Status run() noexcept {
    return at_places([&](const Place& from, const Place& to) {
      if (auto status = require_directory_if_asked(from, Call::kLinkat); !status) return status;
      if (auto status = refuse_directory_form(to, Call::kLinkat); !status) return status;
      return sys::linkat(from.dir(), from.name(), to.dir(), to.name());
    });
  }
};

// linkInto(file handle, handle, path, replace): names an open file, a temporary one for good.
struct LinkInto : OnPlace {
  Handle file;
  bool replace = false;
  void parse(Arguments& arguments) {
    file = arguments.handle();
    parse_place(arguments);
    replace = arguments.boolean();
  }
  Status run() noexcept {
    return at_new(Call::kLinkat, [&](const Place& place) {
      Dirfd fd = file.fd->get();
      return file.temporary ? file.temporary->link_into(fd, place, replace) : link_file_into(fd, place, replace);
    });
  }
};

}  // namespace

void export_names(Napi::Object exports) {
  export_verb<Mkdir>(exports, "mkdir");
  export_verb<Mkdirs>(exports, "mkdirs");
  export_verb<Unlink>(exports, "unlink");
  export_verb<Rmdir>(exports, "rmdir");
  export_verb<Symlink>(exports, "symlink");
  export_verb<Readlink>(exports, "readlink");
  export_verb<Mknod>(exports, "mknod");
  export_verb<Rename>(exports, "rename");
  export_verb<Link>(exports, "link");
  export_verb<LinkInto>(exports, "linkInto");
}

}  // namespace dfd
