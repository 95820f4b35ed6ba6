/** As `ErrorOptions` of ES2022, which not every compiler of a user knows. */
interface Cause {
  readonly cause?: unknown;
}

/** Base of every error this package throws. `code` is stable; messages are for people. */
export class EflError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: Cause) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/**
 * An argument is not what the function takes. Nothing has changed when it is thrown, but that an
 * asynchronous call with `transfer` may have taken its logits already.
 */
export class EflArgumentError extends EflError {
  /** The option or parameter, for example `gamma`, `logits` or `labels[3]`. */
  readonly argument: string;
  readonly expected: string;
  readonly received: string;

  constructor(argument: string, expected: string, received: string, options?: Cause) {
    super('EFL_ARGUMENT', `${argument}: expected ${expected}, received ${received}`, options);
    this.argument = argument;
    this.expected = expected;
    this.received = received;
  }
}

export type LoadFailure =
  | 'unsupported-platform'
  | 'node-too-old'
  | 'binary-missing'
  | 'dlopen-failed'
  | 'version-mismatch'
  | 'addons-disabled';

/** One file that was tried, and why it was not taken. */
export interface LoadAttempt {
  readonly path: string;
  readonly problem: string;
}

/** The native addon could not be loaded. The message says what was tried and what to do. */
export class EflLoadError extends EflError {
  readonly reason: LoadFailure;
  readonly attempts: readonly LoadAttempt[];

  constructor(
    reason: LoadFailure,
    message: string,
    attempts: readonly LoadAttempt[],
    options?: Cause,
  ) {
    super('EFL_LOAD', message, options);
    this.reason = reason;
    this.attempts = attempts;
  }
}

export type BackendFailure =
  | 'disabled'
  | 'not-built'
  | 'not-installed'
  | 'library-not-loadable'
  | 'abi-mismatch'
  | 'no-driver'
  | 'driver-too-old'
  | 'no-device'
  | 'arch-unsupported'
  | 'self-test-failed';

/** A backend was asked for by name and cannot be used. */
export class EflBackendUnavailableError extends EflError {
  readonly backend: string;
  readonly reason: BackendFailure;

  constructor(backend: string, reason: BackendFailure, message: string) {
    super('EFL_BACKEND_UNAVAILABLE', message);
    this.backend = backend;
    this.reason = reason;
  }
}

/** The CUDA runtime reports an error. After some of them the device is lost to this process. */
export class EflCudaError extends EflError {
  /** The error's name, for example `cudaErrorIllegalAddress`. */
  readonly cudaError: string;
  readonly cudaErrorNumber: number;

  constructor(name: string, number: number, text: string) {
    super('EFL_CUDA', `${name} (${number}): ${text}`);
    this.cudaError = name;
    this.cudaErrorNumber = number;
  }
}

/** The criterion has been disposed of, before or while the call waited. */
export class EflDisposedError extends EflError {
  constructor(what: string) {
    super('EFL_DISPOSED', `${what} has been disposed of and cannot be used any more`);
  }
}

/** The call's `signal` was aborted before the call started. `cause` is the signal's reason. */
export class EflAbortError extends EflError {
  constructor(signal: AbortSignal) {
    super('EFL_ABORTED', 'The call was aborted before it started', { cause: signal.reason });
    this.name = 'AbortError';
  }
}

/**
 * Too many asynchronous calls are outstanding, or they hold too much memory: await some before the
 * next. `bound` says which of the two; a call that is alone in its thread is never refused.
 */
export class EflQueueFullError extends EflError {
  /** `'calls'`: those of this thread. `'bytes'`: what those of this process hold. */
  readonly bound: 'calls' | 'bytes';
  /** How many there may be. */
  readonly limit: number;
  /** How many there are. */
  readonly outstanding: number;

  constructor(bound: 'calls' | 'bytes', limit: number, outstanding = limit, wanted = 1) {
    super(
      'EFL_QUEUE_FULL',
      bound === 'calls'
        ? `${limit} asynchronous calls are outstanding: await some of them first`
        : `asynchronous calls hold ${outstanding} bytes, and ${wanted} more would pass the limit ` +
            `of ${limit} (EFL_QUEUE_BYTES): await some of them first`,
    );
    this.bound = bound;
    this.limit = limit;
    this.outstanding = outstanding;
  }
}

/** The memory a computation needs, on the host or on its device, could not be allocated. */
export class EflOutOfMemoryError extends EflError {
  constructor(what = 'The workspace of the computation', options?: Cause) {
    super('EFL_OUT_OF_MEMORY', `${what} could not be allocated`, options);
  }
}
