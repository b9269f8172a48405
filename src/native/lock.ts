/** An exclusive lock on an open file; the kernel frees it when the descriptor closes or its process dies. */
import { addon } from './addon.js'

const lock = addon as unknown as { tryLockFile(fd: number): boolean }

/** False: another descriptor, of this or another process, holds it. The file must be open for writing. */
export const tryLockFile = (fd: number): boolean => lock.tryLockFile(fd)
