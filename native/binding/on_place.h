// What most verbs have in common: a handle, a path below it, and one system call on (parent, name).
#pragma once

#include <string>

#include "binding/arguments.h"
#include "ops/resolve.h"

namespace dfd {

// A verb on one place: (handle, path, ...).
struct OnPlace {
  Handle root;
  std::string path;

  void parse_place(Arguments& arguments) {
    root = arguments.handle();
    path = arguments.path();
  }

  template <class Act>
  Status at_place(Act&& act) {
    auto place = resolve_parent(root.fd->get(), path, root.policy);
    if (!place) return place.error().about(Subject::kPath);
    Status status = act(*place);
    if (!status) return status.error().about(Subject::kPath);
    return success();
  }

  Napi::Value value(Napi::Env env) { return env.Undefined(); }
};

}  // namespace dfd
