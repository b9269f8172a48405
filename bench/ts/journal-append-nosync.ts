/** journal.append: no sync on either side. */
import { journalAppend } from './journal-append.js'

await journalAppend('journal.append', false, 8000)
