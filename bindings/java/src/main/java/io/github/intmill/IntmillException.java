package io.github.intmill;

/** The library refused or failed. The message is one line that names the file, node or option. */
public final class IntmillException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What sort of failure. */
  private final Status status;

  IntmillException(Status status, String message) {
    super(message);
    this.status = status;
  }

  /** What sort of failure; tells whether to mend the call, the file or the machine. */
  public Status status() {
    return status;
  }
}
