import { MedicError } from './medic-error.ts';

/**
 * What is asked, if it is answered in time.
 *
 * @param who is asked, for the error
 * @throws MedicError after `limitMs`
 */
export async function within<T>(limitMs: number, who: string, asked: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new MedicError(`${who} did not answer within ${limitMs / 1000} s`)),
      limitMs,
    );
  });
  return Promise.race([asked, late]).finally(() => clearTimeout(timer));
}
