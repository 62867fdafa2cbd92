import { expect, it } from 'vitest';
import { isoTime } from '../../../../lambdas/domain/intake/time.ts';

it.each([
  ['CloudWatch', '2019-10-02T17:04:40.989+0000', '2019-10-02T17:04:40.989Z'],
  ['EventBridge', '2019-10-02T17:04:40Z', '2019-10-02T17:04:40.000Z'],
  ['Alertmanager', '2018-08-03T09:52:26.739266876+02:00', '2018-08-03T07:52:26.739Z'],
  ['Go', '2021-06-23 18:29:25.123456789 +0000 UTC', '2021-06-23T18:29:25.123Z'],
  [
    'Go, on a machine with a clock of its own',
    '2021-06-23 18:29:25 -0700 PDT m=+0.0101',
    '2021-06-24T01:29:25.000Z',
  ],
])('takes a time as %s writes it', (_, written, iso) => {
  expect(isoTime(written)).toBe(iso);
});

it.each([
  '',
  'now',
  '1700000000',
  '2026-11-21',
  '2026-11-21T06:30:00',
  '2026-13-01T00:00:00Z',
  '2026-11-21T25:00:00Z',
  '0001-01-01T00:00:00Z',
  '0001-01-01 00:00:00 +0000 UTC',
  ' 2026-11-21T06:30:00Z',
  '2026-11-21T06:30:00Z; drop',
])('takes nothing else for one: "%s"', (text) => {
  expect(isoTime(text)).toBeUndefined();
});
