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

  // The same for what is there already, where "name/" asks for a directory.
  template <class Act>
  Status at_existing(Call call, Act&& act) {
    return at_place([&](const Place& place) {
      auto asked = require_directory_if_asked(place, call);
      return asked ? act(place) : asked;
    });
  }

  // The same for what is to be made, and is no directory.
  template <class Act>
  Status at_new(Call call, Act&& act) {
    return at_place([&](const Place& place) {
      auto asked = refuse_directory_form(place, call);
      return asked ? act(place) : asked;
    });
  }

  Napi::Value value(Napi::Env env) { return env.Undefined(); }
};

}  // namespace dfd
