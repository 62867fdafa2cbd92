import { MedicError } from './medic-error.ts';

/** What a promise comes to, or an error after so long. What it goes on to do is not stopped. */
export function inTime<T>(promise: Promise<T>, ms: number, who = ''): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `${who === '' ? 'no answer' : `${who} did not answer`} within ${ms / 1000} s`;
    timer = setTimeout(() => reject(new MedicError(message)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
