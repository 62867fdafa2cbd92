import { alertmanager } from './alertmanager.ts';
import { amp } from './amp.ts';
import { byHand } from './by-hand.ts';
import { census } from './census.ts';
import { cloudwatch } from './cloudwatch.ts';
import type { Source } from './raw-alarm.ts';

/** Every source of alarms. */
export const sources: readonly Source[] = [cloudwatch, amp, alertmanager, census, byHand];
