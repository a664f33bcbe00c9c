/** What the addon exports for copies: native/binding/copy.cpp. */
/** What is there at the destination; the order of DestinationState in native/ops/copy_pair.h. */
export const STATE = { none: 0, fresh: 1, freshHere: 2, existing: 3 };
/** What is to become of an entry; the order of Decision in native/ops/copy_pair.h. */
export const DECISION = {
    skip: 0,
    create: 1,
    replace: 2,
    makeDirectory: 3,
    enterDirectory: 4,
    replaceByDirectory: 5,
    replaceTree: 6,
    metadata: 7,
};
/** How an entry came out; the order of Outcome in native/ops/copy_pair.h. */
export const OUTCOME = { undecided: 0, done: 1, entered: 2 };
/** What could not be kept; the order of Aspect in native/ops/copy_options.h. */
export const ASPECTS = [
    'entry',
    'vanished',
    'owner',
    'mode',
    'xattr',
    'acl',
    'capability',
    'times',
    'hard-link',
    'durability',
];
/** Three-way options; the order of Choice in native/ops/copy_options.h. */
export const CHOICES = ['auto', 'always', 'never'];
//# sourceMappingURL=trees.js.map