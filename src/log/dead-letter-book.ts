/**
 * What became of each dead letter, folded from the messages of a dead-letter partition in their order. The consumer that
 * redrives and the tools that list read the same book, so they agree. Pure; an entry per letter, without its value.
 */
import type { DeadLetterMessage, LetterState } from './dead-letter.js'

export interface BookEntry {
  readonly id: string
  /** Offset of the letter of the newest death. */
  at: number
  state: LetterState
}

export class DeadLetterBook {
  readonly #entries = new Map<string, BookEntry>()

  get entries(): IterableIterator<BookEntry> {
    return this.#entries.values()
  }

  of(id: string): BookEntry | undefined {
    return this.#entries.get(id)
  }

  apply(offset: number, id: string, message: DeadLetterMessage): void {
    const entry = this.#entries.get(id)
    switch (message.kind) {
      case 'letter':
        if (entry === undefined) this.#entries.set(id, { id, at: offset, state: 'dead' })
        else if (diesAgain(entry, message.redriveOf)) Object.assign(entry, { at: offset, state: 'dead' })
        break
      case 'redrive':
        if (entry?.at === message.letter && entry.state === 'dead') entry.state = 'requested'
        break
      case 'redriven':
        if (entry?.at === message.letter) entry.state = 'redriven'
        break
    }
  }
}

/**
 * A death on the way of the log, `redriveOf` undefined, is a repeat while the letter still waits: the consumer crashed between
 * the letter and its commit. After the letter stood it is a death of its own: the group was set back. A death of a redrive
 * counts when it is that of the letter that stands here.
 */
function diesAgain(entry: BookEntry, redriveOf: number | undefined): boolean {
  return redriveOf === undefined ? entry.state === 'redriven' : redriveOf === entry.at && entry.state !== 'redriven'
}
