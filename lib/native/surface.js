/**
 * What the addon exports, typed. Every verb has an asynchronous form, which runs on libuv's pool, and a synchronous one. Both fail with
 * {@link NativeFailure}, never with an Error: lib/errors.ts makes those.
 */
/** How a path is resolved; the order of native/ops/resolve.h. */
export const SCOPES = ['no-symlinks', 'beneath', 'in-root'];
/** Where no time is given: UTIME_NOW and UTIME_OMIT of utimensat(2). */
export const UTIME_NOW = 0x3fffffff;
export const UTIME_OMIT = 0x3ffffffe;
//# sourceMappingURL=surface.js.map