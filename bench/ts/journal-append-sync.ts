/** journal.append-sync: one sync per batch on both sides. */
import { journalAppend } from './journal-append.js'

await journalAppend('journal.append-sync', true, 200)
