#include "engine/walk/directory_node.h"

#include <vector>

namespace dfd {

void DirectoryRef::hold(DirectoryNode* node) {
  if (node) node->references.fetch_add(1, std::memory_order_relaxed);
}

void DirectoryRef::release(DirectoryNode* node) {
  while (node && node->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    DirectoryNode* parent = std::exchange(node->parent.node_, nullptr);
    delete node;
    node = parent;
  }
}

std::string path_of(const DirectoryNode& node) {
  size_t length = 0;
  std::vector<const std::string*> names;
  for (const DirectoryNode* at = &node; at->parent; at = &*at->parent) {
    names.push_back(&at->name);
    length += at->name.size() + 1;
  }
  std::string path;
  path.reserve(length);
  for (auto name = names.rbegin(); name != names.rend(); ++name) append_component(path, **name);
  return path;
}

}  // namespace dfd
