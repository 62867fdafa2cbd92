import { fstatSync, readSync } from 'node:fs';

/** What has been written to a file that others append to since the last look, by whole lines. */
export class LogTail {
  readonly #file: number;
  #read: number;
  #rest = Buffer.alloc(0);

  /** @param file a descriptor that may be read; what it holds already is not looked at */
  constructor(file: number) {
    this.#file = file;
    this.#read = fstatSync(file).size;
  }

  lines(): string[] {
    const more = Buffer.alloc(fstatSync(this.#file).size - this.#read);
    this.#read += readSync(this.#file, more, 0, more.length, this.#read);
    const text = Buffer.concat([this.#rest, more]);
    const end = text.lastIndexOf(0x0a) + 1;
    this.#rest = text.subarray(end);
    return text.subarray(0, end).toString('utf8').split('\n').slice(0, -1);
  }
}
