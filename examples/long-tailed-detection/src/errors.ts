/** A mistake in how the program was called: shown as one line, without a stack trace. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** Thrown inside a worker when the user asked to stop before there was anything to save. */
export class InterruptedError extends Error {
  override name = 'InterruptedError';
}
