/**
 * FsError, and how it is made from the few numbers that a failed native call leaves. The message says what failed and why in Node's
 * order, then on what, in which directory, and what to do about it where that is known:
 *
 *   ELOOP: too many symbolic links encountered, openat2 'a/link' in '/srv/data' (a symlink is in the way: …)
 */
import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
/** Every failure of dirfd. The fields follow Node's system errors. */
export class FsError extends Error {
    name = 'FsError';
    code;
    errno;
    syscall;
    path;
    pathBytes;
    dest;
    directory;
    constructor(message, fields) {
        super(message, 'cause' in fields ? { cause: fields.cause } : undefined);
        this.code = fields.code;
        if (fields.errno !== undefined)
            this.errno = fields.errno;
        if (fields.syscall !== undefined)
            this.syscall = fields.syscall;
        if (fields.path !== undefined)
            this.path = fields.path;
        if (fields.dest !== undefined)
            this.dest = fields.dest;
        if (fields.directory !== undefined)
            this.directory = fields.directory;
        // Not enumerable: a printed error should not show every path twice.
        if (fields.pathBytes !== undefined)
            Object.defineProperty(this, 'pathBytes', { value: fields.pathBytes });
    }
}
/** The order of Reason in native/sys/result.h. */
const REASONS = [
    {},
    { code: 'ERR_DIRFD_PATH_ESCAPE', text: 'the path leads out of the directory' },
    { code: 'ERR_DIRFD_CHANGED', text: 'the entry is no longer the one that was looked at' },
    { code: 'ERR_DIRFD_TORN', text: 'the file changed while it was read' },
    { code: 'ERR_DIRFD_NOT_REGULAR', text: 'not a regular file: a FIFO, socket or device is never opened' },
    { code: 'ERR_DIRFD_UNSUPPORTED', text: 'neither this kernel nor this file system has a way to do it' },
    { text: 'too many symbolic links' },
    { text: 'the file system took no byte and gave no error' },
    { code: 'ERR_DIRFD_INVALID_ARGUMENT', text: 'an offset or length that the kernel cannot represent' },
];
/** Negative errno → [name, text]. libuv's texts, and those it lacks. */
const TEXTS = new Map([
    ...Object.entries(constants.errno).map(([name, errno]) => [-errno, [name, name]]),
    ...getSystemErrorMap(),
    [-constants.errno.EDQUOT, ['EDQUOT', 'disk quota exceeded']],
    [-constants.errno.ESTALE, ['ESTALE', 'stale file handle']],
    // The man pages' EOPNOTSUPP, under the name that Node gives the same number; libuv's text speaks of sockets.
    [-95, ['ENOTSUP', 'operation not supported']],
    [-40, ['ELOOP', 'too many symbolic links encountered']],
    [-18, ['EXDEV', 'crosses to another file system or mount']],
]);
const ADVICE = {
    ELOOP: "a symlink is in the way; open the directory with resolution 'beneath' to follow links that stay inside",
    EMFILE: 'this process has no descriptors left; raise `ulimit -n`',
    ENAMETOOLONG: 'a single name has at most 255 bytes',
    ERR_DIRFD_PATH_ESCAPE: "a symlink on the way is absolute or climbs too far; 'in-root' resolution keeps such links inside",
};
/** The error for a failed native call. Anything else that was thrown is returned as it is. */
export function toFsError(thrown, callNames, subject) {
    if (!isNativeFailure(thrown))
        return thrown;
    const reason = REASONS[thrown.reason] ?? {};
    const [errnoName, errnoText] = TEXTS.get(-thrown.errno) ?? [`E${thrown.errno}`, `error ${thrown.errno}`];
    const syscall = callNames[thrown.call] || subject.verb;
    const code = reason.code ?? errnoName;
    return new FsError(message(code, reason.text ?? errnoText, syscall, subject, ADVICE[code]), {
        code,
        errno: -thrown.errno,
        syscall,
        ...named(subject),
    });
}
/** An error of our own, made before or without a system call. */
export function ownError(code, why, subject, cause) {
    return new FsError(message(code, why, subject.verb, subject), {
        code,
        syscall: subject.verb,
        ...named(subject),
        ...(cause === undefined ? {} : { cause }),
    });
}
/** A path for people: what a terminal would obey or turn round, and bytes that are not UTF-8, never reach it as they are. */
export function shownPath(path) {
    const text = asText(path);
    const short = text.length <= 2 * SHOWN_ENDS ? text : `${text.slice(0, SHOWN_ENDS)}…${text.slice(-SHOWN_ENDS)}`;
    return short.replace(UNPRINTABLE, (c) => SHORT[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
// biome-ignore lint/suspicious/noControlCharactersInRegex: they, and the marks that reverse text, are what must not be printed
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069'\\]/g;
/** Of a longer path, a message shows the two ends; the error's fields have all of it. */
const SHOWN_ENDS = 300;
const SHORT = { '\n': '\\n', '\r': '\\r', '\t': '\\t', "'": "\\'", '\\': '\\\\' };
function message(code, why, syscall, subject, advice) {
    let text = `${code}: ${why}, ${syscall}`;
    if (subject.path !== undefined)
        text += ` '${shownPath(subject.path)}'`;
    if (subject.directory !== undefined && subject.destDirectory !== undefined)
        text += within(subject.directory);
    if (subject.dest !== undefined)
        text += ` -> '${shownPath(subject.dest)}'`;
    const last = subject.destDirectory ?? subject.directory;
    if (last !== undefined)
        text += within(last);
    return advice === undefined ? text : `${text} (${advice})`;
}
function within(directory) {
    return ` in '${shownPath(directory)}'`;
}
function asText(path) {
    return typeof path === 'string' ? path : Buffer.from(path).toString('utf8');
}
function named(subject) {
    return {
        ...(subject.path === undefined ? {} : { path: asText(subject.path), pathBytes: Buffer.from(subject.path) }),
        ...(subject.dest === undefined ? {} : { dest: asText(subject.dest) }),
        ...(subject.directory === undefined ? {} : { directory: subject.directory }),
    };
}
function isNativeFailure(thrown) {
    return typeof thrown === 'object' && thrown !== null && 'errno' in thrown && 'call' in thrown && 'reason' in thrown;
}
//# sourceMappingURL=errors.js.map