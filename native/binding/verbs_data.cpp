// What FileFd does with bytes.
#include "binding/verb.h"
#include "binding/verbs.h"
#include "ops/copy_bytes.h"
#include "sys/data.h"

namespace dfd {

namespace {

struct OnFile {
  Handle file;
  Napi::Value value(Napi::Env env) { return env.Undefined(); }
};

struct Counts : OnFile {
  size_t count = 0;
  Status keep(Result<size_t> got) {
    if (!got) return got.error();
    count = *got;
    return success();
  }
  Napi::Value value(Napi::Env env) { return Napi::Number::New(env, static_cast<double>(count)); }
};

// read(file, Uint8Array, position or -1) → bytes read. The caller must leave the memory alone until the promise
// settles.
struct Read : Counts {
  Napi::ObjectReference keep_alive;
  std::span<std::byte> into;
  int64_t position = -1;
  void parse(Arguments& arguments) {
    file = arguments.handle();
    into = arguments.memory(keep_alive);
    position = arguments.integer();
  }
  Status run() noexcept {
    return keep(position < 0 ? sys::read(file.fd->get(), into) : sys::pread(file.fd->get(), into, position));
  }
};

// write(file, Uint8Array, position or -1) → bytes written
struct Write : Counts {
  Napi::ObjectReference keep_alive;
  std::span<const std::byte> from;
  int64_t position = -1;
  void parse(Arguments& arguments) {
    file = arguments.handle();
    from = arguments.memory(keep_alive);
    position = arguments.integer();
  }
  Status run() noexcept {
    return keep(position < 0 ? sys::write(file.fd->get(), from) : sys::pwrite(file.fd->get(), from, position));
  }
};

// readv and writev: (file, position or -1, Uint8Array...)
struct Vectored : Counts {
  std::vector<Napi::ObjectReference> keep_alive;
  std::vector<iovec> buffers;
  int64_t position = -1;
  void parse(Arguments& arguments) {
    file = arguments.handle();
    position = arguments.integer();
    while (arguments.more()) {
      auto memory = arguments.memory(keep_alive.emplace_back());
      buffers.push_back(iovec{.iov_base = memory.data(), .iov_len = memory.size()});
    }
  }
};
struct Readv : Vectored {
  Status run() noexcept { return keep(sys::preadv(file.fd->get(), buffers, position)); }
};
struct Writev : Vectored {
  Status run() noexcept { return keep(sys::pwritev(file.fd->get(), buffers, position)); }
};

// seek(file, offset, whence) → position; -1 where there is no data at or after the offset (ENXIO)
struct Seek : OnFile {
  int64_t offset = 0;
  int whence = 0;
  int64_t position = 0;
  void parse(Arguments& arguments) {
    file = arguments.handle();
    offset = arguments.integer();
    whence = static_cast<int>(arguments.integer());
  }
  Status run() noexcept {
    auto at = sys::lseek(file.fd->get(), offset, whence);
    if (!at && at.err() == ENXIO) {
      position = -1;
      return success();
    }
    if (!at) return at.error();
    position = *at;
    return success();
  }
  Napi::Value value(Napi::Env env) { return Napi::Number::New(env, static_cast<double>(position)); }
};

struct Truncate : OnFile {
  int64_t size = 0;
  void parse(Arguments& arguments) {
    file = arguments.handle();
    size = arguments.integer();
  }
  Status run() noexcept { return sys::ftruncate(file.fd->get(), size); }
};

// allocate(file, mode, offset, length): fallocate(2)
struct Allocate : OnFile {
  int mode = 0;
  int64_t offset = 0;
  int64_t length = 0;
  void parse(Arguments& arguments) {
    file = arguments.handle();
    mode = static_cast<int>(arguments.integer());
    offset = arguments.integer();
    length = arguments.integer();
  }
  Status run() noexcept { return sys::fallocate(file.fd->get(), mode, offset, length); }
};

template <Status (*Call)(Dirfd)>
struct Syncing : OnFile {
  void parse(Arguments& arguments) { file = arguments.handle(); }
  Status run() noexcept { return Call(file.fd->get()); }
};

// copyRange(in, offset, out, offset, length) → bytes copied, 0 at the end of the source
struct CopyRange : Counts {
  Handle out;
  int64_t from = -1;
  int64_t to = -1;
  size_t length = 0;
  void parse(Arguments& arguments) {
    file = arguments.handle();
    from = arguments.integer();
    out = arguments.handle();
    to = arguments.integer();
    length = static_cast<size_t>(arguments.integer());
  }
  Status run() noexcept { return keep(copy_bytes(file.fd->get(), from, out.fd->get(), to, length)); }
};

// clone(source, destination): FICLONE
struct Clone : OnFile {
  Handle destination;
  void parse(Arguments& arguments) {
    file = arguments.handle();
    destination = arguments.handle();
  }
  Status run() noexcept { return sys::ficlone(file.fd->get(), destination.fd->get()); }
};

}  // namespace

void export_data(Napi::Object exports) {
  export_verb<Read>(exports, "read");
  export_verb<Write>(exports, "write");
  export_verb<Readv>(exports, "readv");
  export_verb<Writev>(exports, "writev");
  export_verb<Seek>(exports, "seek");
  export_verb<Truncate>(exports, "truncate");
  export_verb<Allocate>(exports, "allocate");
  export_verb<Syncing<sys::fsync>>(exports, "fsync");
  export_verb<Syncing<sys::fdatasync>>(exports, "fdatasync");
  export_verb<Syncing<sys::syncfs>>(exports, "syncfs");
  export_verb<CopyRange>(exports, "copyRange");
  export_verb<Clone>(exports, "clone");
}

}  // namespace dfd
