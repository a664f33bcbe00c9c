#include "ops/compare_pair.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "ops/compare_content.h"
#include "ops/copy_data.h"
#include "ops/copy_metadata.h"
#include "ops/expected.h"
#include "ops/inode_flags.h"
#include "ops/open_regular.h"
#include "sys/data.h"
#include "sys/directory.h"

namespace dfd {

namespace {

struct Item {
  std::string name;
  StatRecord stat;
};

class Comparison {
 public:
  Comparison(CompareRun& run, Dirfd left, Dirfd right, const Names& left_out, const Stop& stop, Compared& compared)
      : run_(run), left_(left), right_(right), left_out_(left_out), stop_(stop), compared_(compared) {
    copy_options_.xattrs = run.options.xattrs;
    copy_options_.acl = run.options.acl;
    copy_options_.rules = run.options.rules;
  }

  Status directories(const StatRecord& left, const StatRecord& right) {
    compare_stat("", kept({.dir = left_}, left), right);
    compare_xattrs("", left, {.dir = left_}, {.dir = right_});
    compare_inodes("", left_, right_);
    return entries();
  }

 private:
  // Both listings by name, side by side.
  Status entries() {
    auto left = list(left_, Subject::kPath);
    if (!left) return left.error();
    auto right = list(right_, Subject::kSecondPath);
    if (!right) return right.error();
    auto a = left->begin();
    auto b = right->begin();
    while (a != left->end() || b != right->end()) {
      if (stop_.wanted()) return failure(Call::kNone, ECANCELED);
      int order = a == left->end() ? 1 : b == right->end() ? -1 : a->name.compare(b->name);
      compared_.entries++;
      run_.job->count_entry();
      if (order < 0) {
        differ(a->name, Field::kMissing, a->stat, {});
        ++a;
      } else if (order > 0) {
        differ(b->name, Field::kExtra, {}, b->stat);
        ++b;
      } else {
        compare(*a, *b);
        ++a, ++b;
      }
    }
    return success();
  }

  Result<std::vector<Item>> list(Dirfd directory, Subject side) {
    std::vector<Item> items;
    auto status = for_each_name(directory, [&](const Dirent& entry) {
      if (left_out_.contains(entry.name)) return;
      auto stx = sys::statx(directory, entry.name.data());
      if (stx) return void(items.push_back({std::string(entry.name), to_record(*stx)}));
      if (stx.err() != ENOENT) problem(entry.name, stx.error().about(side));
    });
    if (!status) return status.error().about(side);
    std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.name < b.name; });
    return items;
  }

  void compare(const Item& a, const Item& b) {
    if ((a.stat.mode & S_IFMT) != (b.stat.mode & S_IFMT)) return differ(a.name, Field::kKind, a.stat, b.stat);
    if (S_ISDIR(a.stat.mode)) return follow(a, b);
    compare_stat(a.name, kept({.dir = left_, .name = a.name.c_str()}, a.stat), b.stat);
    if (S_ISREG(a.stat.mode)) compare_files(a, b);
    if (S_ISLNK(a.stat.mode)) compare_links(a, b);
    if (!S_ISREG(a.stat.mode)) {
      compare_xattrs(a.name, a.stat, {.dir = left_, .name = a.name.c_str()}, {.dir = right_, .name = b.name.c_str()});
    }
    if (a.stat.nlink > 1 || b.stat.nlink > 1) follow(a, b);
  }

  // What a copy would make of it. What cannot be told is told when attributes are compared.
  StatRecord kept(NodeRef node, const StatRecord& stat) const {
    auto as_copied = as_kept(node, stat, copy_options_);
    return as_copied ? *as_copied : stat;
  }

  void compare_stat(const std::string& name, const StatRecord& a, const StatRecord& b) {
    const CompareOptions& options = run_.options;
    if ((a.mode & 07777) != (b.mode & 07777) && !S_ISLNK(a.mode)) differ(name, Field::kMode, a, b);
    if (options.owner && (a.uid != b.uid || a.gid != b.gid)) differ(name, Field::kOwner, a, b);
    if (options.times && (a.mtime_s != b.mtime_s || a.mtime_ns != b.mtime_ns)) differ(name, Field::kTimes, a, b);
    if ((S_ISCHR(a.mode) || S_ISBLK(a.mode)) && a.rdev != b.rdev) differ(name, Field::kDevice, a, b);
  }

  void compare_files(const Item& a, const Item& b) {
    bool same_size = a.stat.size == b.stat.size;
    if (!same_size) differ(a.name, Field::kSize, a.stat, b.stat);
    auto left = open_listed(left_, a, Subject::kPath);
    if (!left) return problem(a.name, left.error());
    auto right = open_listed(right_, b, Subject::kSecondPath);
    if (!right) return problem(a.name, right.error());
    compare_xattrs(a.name, a.stat, {.dir = left->get()}, {.dir = right->get()});
    compare_inodes(a.name, left->get(), right->get());
    if (!same_size) return;
    bool same_mtime = a.stat.mtime_s == b.stat.mtime_s && a.stat.mtime_ns == b.stat.mtime_ns;
    if (run_.options.quick && same_mtime) return;
    compare_content(a, b, left->get(), right->get());
    run_.job->count_file();
  }

  void compare_content(const Item& a, const Item& b, Dirfd left, Dirfd right) {
    bool holes = may_have_holes(a.stat.size, a.stat.blocks) || may_have_holes(b.stat.size, b.stat.blocks);
    auto differs = first_difference(left, right, a.stat.size, holes, thread_buffer(), stop_, *run_.job);
    if (!differs) return problem(a.name, differs.error());
    if (*differs) {
      differ(a.name, Field::kContent, a.stat, b.stat);
      compared_.differences.back().offset = **differs;
    }
    if (!holes || !run_.options.holes) return;
    auto same = same_holes(left, right, a.stat.size);
    if (!same) return problem(a.name, same.error());
    if (!*same) differ(a.name, Field::kHoles, a.stat, b.stat);
  }

  // The file that was listed, and nothing that would block or be triggered by opening it.
  Result<UniqueFd> open_listed(Dirfd directory, const Item& item, Subject side) const {
    auto fd = open_regular(directory, item.name.c_str(), O_RDONLY, stop_);
    if (!fd) return fd.error().about(side);
    auto st = sys::fstat(fd->get());
    if (!st) return st.error().about(side);
    if (S_ISREG(st->st_mode) && st->st_ino == item.stat.ino && st->st_dev == item.stat.dev) return fd;
    return failure_because(Reason::kChanged, Call::kOpenat, ESTALE).about(side);
  }

  void compare_links(const Item& a, const Item& b) {
    auto left = sys::readlinkat(left_, a.name.c_str());
    if (!left) return problem(a.name, left.error().about(Subject::kPath));
    auto right = sys::readlinkat(right_, b.name.c_str());
    if (!right) return problem(a.name, right.error().about(Subject::kSecondPath));
    if (*left == *right) return;
    differ(a.name, Field::kTarget, a.stat, b.stat);
    compared_.differences.back().left_value = *std::move(left);
    compared_.differences.back().right_value = *std::move(right);
  }

  // Inode flags and project ids.
  void compare_inodes(const std::string& name, Dirfd left, Dirfd right) {
    if (run_.options.flags) {
      compare_value(name, Field::kFlags, shown(kept_flags(left)), shown(kept_flags(right)));
    }
    if (run_.options.project_ids) {
      compare_value(name, Field::kProject, shown(project_of(left)), shown(project_of(right)));
    }
  }

  static Result<std::string> shown(Result<uint32_t> flags) {
    if (!flags) return flags.error();
    return flag_letters(*flags);
  }
  static Result<std::string> shown(Result<ProjectId> project) {
    if (!project) return project.error();
    return std::to_string(project->id) + (project->inherited ? " P" : "");
  }

  void compare_value(const std::string& name, Field field, Result<std::string> left, Result<std::string> right) {
    if (!left) return problem(name, left.error().about(Subject::kPath));
    if (!right) return problem(name, right.error().about(Subject::kSecondPath));
    if (*left == *right) return;
    differ(name, field, {}, {});
    compared_.differences.back().left_value = *std::move(left);
    compared_.differences.back().right_value = *std::move(right);
  }

  void compare_xattrs(const std::string& name, const StatRecord& stat, NodeRef left, NodeRef right) {
    auto a = list_xattrs(left, copy_options_);
    if (!a) return problem(name, a.error().about(Subject::kPath));
    auto b = list_xattrs(right, copy_options_);
    if (!b) return problem(name, b.error().about(Subject::kSecondPath));
    if (a->empty() && b->empty()) return;
    std::vector<std::string> all = *a;
    all.insert(all.end(), b->begin(), b->end());
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    for (const std::string& attribute : all) {
      auto value = kept_value(left, attribute, stat, copy_options_);
      auto other = read_xattr(right, attribute);
      if (value && other && *value == *other) continue;
      // Labels of the security module belong to the place, not to the file.
      if (attribute == "security.selinux") continue;
      if (!value && value.err() != ENODATA) return problem(name, value.error().about(Subject::kPath));
      if (!other && other.err() != ENODATA) return problem(name, other.error().about(Subject::kSecondPath));
      differ(name, Field::kXattr, {}, {});
      Difference& difference = compared_.differences.back();
      difference.detail = attribute;
      if (value) difference.left_value = *std::move(value);
      if (other) difference.right_value = *std::move(other);
    }
  }

  void follow(const Item& a, const Item& b) {
    compared_.entries_to_follow.add(a.name, a.stat);
    compared_.tickets.push_back({.source = identity(a.stat), .destination = identity(b.stat)});
  }

  void differ(const std::string& name, Field field, const StatRecord& left, const StatRecord& right) {
    compared_.differences.push_back({.name = name, .field = field, .left = left, .right = right});
  }

  void problem(std::string_view name, const SysError& error) {
    compared_.problems.push_back(
        {.entry = kSelf, .aspect = Aspect::kEntry, .error = error, .detail = std::string(name)});
  }

  CompareRun& run_;
  Dirfd left_;
  Dirfd right_;
  const Names& left_out_;
  const Stop& stop_;
  Compared& compared_;
  CopyOptions copy_options_;
};

}  // namespace

Status compare_pair(CompareRun& run, const TreePath& path, const Ticket& ticket, const Names& left_out,
                    const Stop& stop, Compared& compared) {
  StatRecord left_stat;
  auto left =
      open_expected(run.left, run.cross_left_mounts, path, ticket.source, Subject::kPath, left_stat, run.recent_left);
  if (!left) return left.error();
  StatRecord right_stat;
  auto right = open_expected(run.right, run.cross_right_mounts, path, ticket.destination, Subject::kSecondPath,
                             right_stat, run.recent_right);
  if (!right) return right.error();
  return Comparison(run, (*left)->get(), (*right)->get(), left_out, stop, compared).directories(left_stat, right_stat);
}

}  // namespace dfd
