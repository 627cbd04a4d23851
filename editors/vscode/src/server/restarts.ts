/** How often a server that ended by itself is started again, and after which pause. */

const PAUSES_MS = [500, 2_000, 5_000, 15_000];

/** A server that lived so long is as good as new. */
const HEALTHY_MS = 5 * 60_000;

export class Restarts {
  #failed = 0;

  /** The pause before the next start, after a life of so many ms; undefined: no more. */
  pauseAfter(livedMs: number): number | undefined {
    if (livedMs >= HEALTHY_MS) {
      this.#failed = 0;
    }
    return PAUSES_MS[this.#failed++];
  }
}
