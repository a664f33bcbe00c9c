// The verbs, by kind. Each function adds its own to the addon's exports.
#pragma once

#include <napi.h>

namespace dfd {

void export_opening(Napi::Object exports);      // verbs_open.cpp: handles come and go
void export_names(Napi::Object exports);        // verbs_names.cpp: mkdir, unlink, rename, link, ...
void export_attributes(Napi::Object exports);   // verbs_attributes.cpp: stat, chmod, chown, utimes, inode flags, statfs
void export_xattrs(Napi::Object exports);       // verbs_xattr.cpp
void export_data(Napi::Object exports);         // verbs_data.cpp: what FileFd does with bytes
void export_locks(Napi::Object exports);        // verbs_lock.cpp: locks between processes
void export_listing(Napi::Object exports);      // verbs_list.cpp: readdir, entries
void export_jobs(Napi::Object exports);         // job.cpp: newJob, cancelJob, jobProgress
void export_trees(Napi::Object exports);        // verbs_tree.cpp: removeTree
void export_entries(Napi::Object exports);      // verbs_entry.cpp: on the very entry that was seen
void export_replacing(Napi::Object exports);    // verbs_replace.cpp: files replaced whole or not at all
void export_walk(Napi::Object exports);         // walk.cpp: a tree as a stream of batches
void export_copying(Napi::Object exports);      // copy.cpp: what lib/copy drives a copy with
void export_copy_places(Napi::Object exports);  // verbs_copy_places.cpp
void export_surveying(Napi::Object exports);    // copy_survey.cpp: what of a tree is to be copied again
void export_comparing(Napi::Object exports);    // compare.cpp: what it drives a comparison with
void export_facts(Napi::Object exports);        // facts.cpp: layout, names of calls, capabilities

}  // namespace dfd
